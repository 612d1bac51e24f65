#!/bin/sh
# A real object store: Ceph with its S3 gateway, as Debian 12 ships it (16, 66 MB of packages).
# Beside it what makes certificates, for TLS in front of a store.
set -eu

packages='ceph-base ceph-common ceph-mgr ceph-mon ceph-osd openssl radosgw'

fail() {
  echo "install ceph-rgw: $1" >&2
  exit 1
}

missing=
for package in $packages; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
  [ "$status" = 'install ok installed' ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; install$missing by hand"
  [ "$(id -u)" = 0 ] || fail "must run as root"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q -o Acquire::Retries=3 update
  # shellcheck disable=SC2086
  apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install -y --no-install-recommends $missing
fi

radosgw --version
