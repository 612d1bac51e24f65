#!/bin/sh
# OpenSSH's server, client and agent for the tests of repositories on SFTP. Debian 12, as root.
#
# The tests start servers of their own, with keys and settings of their own, on free ports of the
# loopback interface. The system's server is not started.
set -eu

fail() {
  echo "install openssh: $1" >&2
  exit 1
}

command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; install OpenSSH's server and client by hand"

missing=
for package in openssh-client openssh-server; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
  [ "$status" = 'install ok installed' ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] || fail "must run as root to install$missing"
  apt() {
    # Packages start no service in this runlevel.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"
  }
  apt update
  # shellcheck disable=SC2086
  apt install -y --no-install-recommends $missing
fi

ssh -V
