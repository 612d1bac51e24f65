#!/bin/sh
# What reads archives beside us: unzip, GNU tar, and Python's tarfile and zipfile.
set -eu
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
. "$here/../install-packages.sh"

install_packages unzip tar python3

unzip -v | head -n 1
tar --version | head -n 1
python3 --version
