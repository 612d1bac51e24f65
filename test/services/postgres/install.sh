#!/bin/sh
# PostgreSQL's server and programs for the tests of catalogs and sources. Debian 12, as root.
#
# The tests start servers of their own, with data of their own, on free ports of the loopback
# interface. The system's server is neither made nor started.
set -eu

fail() {
  echo "install postgres: $1" >&2
  exit 1
}

command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; install PostgreSQL's server and client by hand"

missing=
for package in postgresql; do
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
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    # Its package would make a cluster for the whole system.
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  fi
  # shellcheck disable=SC2086
  apt install -y --no-install-recommends -o Dpkg::Options::=--force-confold $missing
fi

psql --version
