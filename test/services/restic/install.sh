#!/bin/sh
# The restic that Debian 12 ships (0.14, as `restic`) and the one of Debian 13 (0.18, as
# `restic-0.18`), and the tools that tests make and compare attributes with.
#
# restic is one static program, so Debian 13's runs on Debian 12. It is fetched with apt, which
# checks Debian's signature, from a sources list of its own: the system's lists stay as they are.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"
. "$here/../fetch-from-trixie.sh"

target=${RESTIC_TARGET_FOLDER:-/usr/local/bin}

install_packages acl attr restic

version_of() { "$1" version 2>/dev/null | sed -n 's/^restic \([0-9]*\.[0-9]*\).*/\1/p'; }

if [ "$(version_of "$target/restic-0.18")" != 0.18 ]; then
  fetch_from_trixie restic
  found=$(version_of "$unpacked/usr/bin/restic")
  [ "$found" = 0.18 ] || fail "Debian 13 now ships restic ${found:-that does not run here}, not 0.18"
  install -m 755 "$unpacked/usr/bin/restic" "$target/restic-0.18"
fi

restic version
"$target/restic-0.18" version
