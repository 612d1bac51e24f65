#!/bin/sh
# Installs what `npm run test:all` needs beyond npm. Debian 12, as root; quick when all is there.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)

for service in "$here"/*/install.sh; do
  name=$(basename "$(dirname "$service")")
  echo "== $name"
  "$service"
done
