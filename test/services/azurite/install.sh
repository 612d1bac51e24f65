#!/bin/sh
# Azurite, Microsoft's emulator of Azure Blob Storage, in a place of its own (.services/azurite): a
# program to test against, with many dependencies of its own, and none of the project's packages.
# Which they are is pinned by the lockfile beside this script, each with its hash; none runs a
# script when it is installed. And openssl, which makes the certificates it serves.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
root=$(CDPATH='' cd -P -- "$here/../../.." && pwd -P)
target=$root/.services/azurite

command -v npm >/dev/null || {
  echo "install azurite: npm is missing (install Node.js with npm)" >&2
  exit 1
}

if ! command -v openssl >/dev/null; then
  command -v apt-get >/dev/null || {
    echo "install azurite: this script knows Debian's apt-get only; install openssl by hand" >&2
    exit 1
  }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q -o Acquire::Retries=3 update
  apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install -y --no-install-recommends openssl
fi

mkdir -p "$target"
if ! cmp -s "$here/package-lock.json" "$target/installed-lock.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$target"
  (cd "$target" && npm ci --ignore-scripts --no-audit --no-fund)
  cp "$here/package-lock.json" "$target/installed-lock.json"
fi

sed -n 's/^ *"version": "\(.*\)",$/azurite \1/p' "$target/node_modules/azurite/package.json"
