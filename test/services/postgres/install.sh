#!/bin/sh
# PostgreSQL's server and programs for the tests of catalogs and sources. Debian 12, as root.
#
# The tests start servers of their own, with data of their own, on free ports of the loopback
# interface. The system's server is neither made nor started.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"

cluster=/etc/postgresql-common/createcluster.conf
if [ -n "$(missing_of postgresql)" ] && [ ! -e "$cluster" ]; then
  # Its package would make a cluster for the whole system.
  mkdir -p "$(dirname "$cluster")"
  echo 'create_main_cluster = false' >"$cluster"
fi
install_packages postgresql

psql --version
