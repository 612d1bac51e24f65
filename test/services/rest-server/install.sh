#!/bin/sh
# restic's own rest-server, as Debian 13 ships it (0.13), for Debian 12; and openssl, which makes
# the certificates of test servers.
#
# It is one program that needs nothing but Debian 12's libc. It is fetched with apt, which checks
# Debian's signature, from a sources list of its own: the system's lists stay as they are.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../fetch-from-trixie.sh"

target=${REST_SERVER_TARGET_FOLDER:-/usr/local/bin}

fail() {
  echo "install rest-server: $1" >&2
  exit 1
}

command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; install rest-server 0.13 and openssl by hand"

# One attempt to reach a mirror is sometimes not enough.
apt() {
  [ "$(id -u)" = 0 ] || fail "must run as root"
  DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
    -o DPkg::Lock::Timeout=300 "$@"
}

if ! command -v openssl >/dev/null; then
  apt update
  apt install -y --no-install-recommends openssl
fi

version_of() { "$1" --version 2>/dev/null | sed -n "s/.*rest-server \([0-9]*\.[0-9]*\).*/\1/p"; }

if [ "$(version_of "$target/rest-server")" != 0.13 ]; then
  fetch_from_trixie restic-rest-server
  program=$(find "$unpacked/usr" -type f -perm -u+x -name '*rest-server*' | head -n 1)
  [ -n "$program" ] || fail "Debian's package has no program named rest-server"
  install -m 755 "$program" "$target/rest-server"
fi

"$target/rest-server" --version
