#!/bin/sh
# rsync, for the tests of `replicate`. Debian 12, as root.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"

install_packages rsync

rsync --version | head -n 1
