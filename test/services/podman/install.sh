#!/bin/sh
# Podman with runc, and busybox to make images of: for the tests of container actions. Debian 12, as
# root. No registry is asked for anything.
set -eu

fail() {
  echo "install podman: $1" >&2
  exit 1
}

command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; install podman, runc and busybox-static by hand"

missing=
for package in podman runc busybox-static; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
  [ "$status" = 'install ok installed' ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] || fail "must run as root to install$missing"
  apt() {
    # Packages start no service in this runlevel.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"
  }
  apt update
  # shellcheck disable=SC2086
  apt install -y --no-install-recommends $missing
fi

podman --version
