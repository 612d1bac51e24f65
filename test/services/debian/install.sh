#!/bin/sh
# A Debian 12 with systemd, as a file of 200 MB that containers are made from: .services/debian/root.tar.
# Debian 12, as root. It is made of Debian's packages by mmdebstrap; no image registry is asked.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
target=$here/../../../.services/debian/root.tar

fail() {
  echo "install debian: $1" >&2
  exit 1
}

if [ ! -f "$target" ]; then
  command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only"
  [ "$(id -u)" = 0 ] || fail "must run as root"
  if ! command -v mmdebstrap >/dev/null; then
    apt() {
      DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
        -o DPkg::Lock::Timeout=300 "$@"
    }
    apt update
    apt install -y --no-install-recommends mmdebstrap
  fi
  mkdir -p "$(dirname "$target")"
  # In memory where there is some: dpkg waits for the disk after every package.
  [ -d /dev/shm ] && export TMPDIR=/dev/shm
  # libatomic1 and libstdc++6 are what Node needs.
  mmdebstrap --quiet --variant=minbase --include=systemd-sysv,dbus,libatomic1,libstdc++6 \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --aptopt='Acquire::Retries "3"' --format=tar bookworm "$target.new"
  mv "$target.new" "$target"
fi

echo "$(du -m "$target" | cut -f 1) MB Debian 12 with systemd"
