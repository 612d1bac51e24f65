#!/bin/sh
# A mail server (aiosmtpd) and Apprise for the tests of notifications, and openssl, which makes the
# certificates of test servers. Debian 12, as root. Nothing of it is started here.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"

install_packages apprise openssl python3-aiosmtpd

apprise --version | head -n 1
