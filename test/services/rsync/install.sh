#!/bin/sh
# rsync, for the tests of `replicate`. Debian 12, as root.
set -eu

fail() {
  echo "install rsync: $1" >&2
  exit 1
}

if ! command -v rsync >/dev/null; then
  command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; install rsync by hand"
  [ "$(id -u)" = 0 ] || fail "must run as root"
  # Packages start no service in this runlevel.
  export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
  apt-get -q -o Acquire::Retries=3 update
  apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install -y --no-install-recommends rsync
fi

rsync --version | head -n 1
