#!/bin/sh
# OpenSSH's server, client and agent for the tests of repositories on SFTP. Debian 12, as root.
#
# The tests start servers of their own, with keys and settings of their own, on free ports of the
# loopback interface. The system's server is not started.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"

install_packages openssh-client openssh-server

ssh -V
