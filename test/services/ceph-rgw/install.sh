#!/bin/sh
# A real object store: Ceph with its S3 gateway, as Debian 12 ships it (16, 66 MB of packages).
# Beside it what makes certificates, for TLS in front of a store.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"

install_packages ceph-base ceph-common ceph-mgr ceph-mon ceph-osd openssl radosgw

radosgw --version
