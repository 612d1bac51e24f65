#!/bin/sh
# The rclone that Debian 12 ships (1.60), and openssl, which makes the certificates of test servers.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"

install_packages openssl rclone

rclone version | head -n 1
