#!/bin/sh
# Azurite, Microsoft's emulator of Azure Blob Storage, in a place of its own (.services/azurite): a
# program to test against, with many dependencies of its own, and none of the project's packages.
# Which they are is pinned by the lockfile beside this script, each with its hash; none runs a
# script when it is installed. And openssl, which makes the certificates it serves.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"
root=$(CDPATH='' cd -P -- "$here/../../.." && pwd -P)
target=$root/.services/azurite

command -v npm >/dev/null || fail "npm is missing (install Node.js with npm)"

install_packages openssl

mkdir -p "$target"
if ! cmp -s "$here/package-lock.json" "$target/installed-lock.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$target"
  (cd "$target" && npm ci --ignore-scripts --no-audit --no-fund)
  cp "$here/package-lock.json" "$target/installed-lock.json"
fi

sed -n 's/^ *"version": "\(.*\)",$/azurite \1/p' "$target/node_modules/azurite/package.json"
