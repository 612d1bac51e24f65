#!/bin/sh
# A mail server (aiosmtpd) and Apprise for the tests of notifications, and openssl, which makes the
# certificates of test servers. Debian 12, as root. Nothing of it is started here.
set -eu

fail() {
  echo "install mail: $1" >&2
  exit 1
}

command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; install aiosmtpd, apprise and openssl by hand"

missing=
for package in apprise openssl python3-aiosmtpd; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
  [ "$status" = 'install ok installed' ] || missing="$missing $package"
done

if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] || fail "must run as root to install$missing"
  # One attempt to reach a mirror is sometimes not enough.
  apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
  }
  apt update
  # shellcheck disable=SC2086
  apt install -y --no-install-recommends $missing
fi

apprise --version | head -n 1
