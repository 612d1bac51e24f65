#!/bin/sh
# What reads archives beside us: unzip, GNU tar, and Python's tarfile and zipfile.
set -eu

missing=
for program in unzip tar python3; do
  command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null || {
    echo "install archives: this script knows Debian's apt-get only; install$missing by hand" >&2
    exit 1
  }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q -o Acquire::Retries=3 update
  # shellcheck disable=SC2086
  apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install -y --no-install-recommends $missing
fi

unzip -v | head -n 1
tar --version | head -n 1
python3 --version
