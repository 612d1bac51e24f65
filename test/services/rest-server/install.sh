#!/bin/sh
# restic's own rest-server, as Debian 13 ships it (0.13), for Debian 12; and openssl, which makes
# the certificates of test servers.
#
# It is one program that needs nothing but Debian 12's libc. It is fetched with apt, which checks
# Debian's signature, from a sources list of its own: the system's lists stay as they are.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"
. "$here/../fetch-from-trixie.sh"

target=${REST_SERVER_TARGET_FOLDER:-/usr/local/bin}

install_packages openssl

version_of() { "$1" --version 2>/dev/null | sed -n "s/.*rest-server \([0-9]*\.[0-9]*\).*/\1/p"; }

if [ "$(version_of "$target/rest-server")" != 0.13 ]; then
  fetch_from_trixie restic-rest-server
  program=$(find "$unpacked/usr" -type f -perm -u+x -name '*rest-server*' | head -n 1)
  [ -n "$program" ] || fail "Debian's package has no program named rest-server"
  install -m 755 "$program" "$target/rest-server"
fi

"$target/rest-server" --version
