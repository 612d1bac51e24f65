#!/bin/sh
# Debian 12's prometheus and promtool, for the tests of metrics, alerts and the dashboard.
#
# They are two programs that need nothing but libc. The package is unpacked, not installed: it would
# leave a server behind that starts with the machine.
set -eu

target=${PROMETHEUS_TARGET_FOLDER:-/usr/local/bin}

fail() {
  echo "install prometheus: $1" >&2
  exit 1
}

if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
  command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; put prometheus and promtool into $target by hand"
  [ "$(id -u)" = 0 ] || fail "must run as root"
  apt() {
    apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root "$@"
  }
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  apt update
  (cd "$scratch" && apt download prometheus && dpkg-deb -x prometheus_*.deb unpacked)
  install -m 755 "$scratch/unpacked/usr/bin/prometheus" "$scratch/unpacked/usr/bin/promtool" "$target"
fi

promtool --version 2>&1 | head -n 1
