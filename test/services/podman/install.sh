#!/bin/sh
# Podman with runc, and busybox to make images of: for the tests of container actions. Debian 12, as
# root. No registry is asked for anything.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"

install_packages podman runc busybox-static

podman --version
