#!/bin/sh
# The rclone that Debian 12 ships (1.60), and openssl, which makes the certificates of test servers.
set -eu

fail() {
  echo "install rclone: $1" >&2
  exit 1
}

command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; install rclone and openssl by hand"

missing=
for package in openssl rclone; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
  [ "$status" = 'install ok installed' ] || missing="$missing $package"
done

if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] || fail "must run as root"
  # One attempt to reach a mirror is sometimes not enough.
  apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
  }
  apt update
  # shellcheck disable=SC2086
  apt install -y --no-install-recommends $missing
fi

rclone version | head -n 1
