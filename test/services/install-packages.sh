# Sourced by the install.sh of a service, which has set `here`: packages of Debian 12.
# shellcheck shell=sh

fail() {
  echo "install $(basename "$here"): $1" >&2
  exit 1
}

apt() {
  [ "$(id -u)" = 0 ] || fail "must run as root"
  # Packages start no service in this runlevel. One attempt to reach a mirror is sometimes not enough.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
}

# Prints those of the packages that are not there.
missing_of() {
  for package in "$@"; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || status=
    [ "$status" = 'install ok installed' ] || printf ' %s' "$package"
  done
}

# Installs those of the packages that are not there.
install_packages() {
  missing=$(missing_of "$@")
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || fail "this script knows Debian's apt-get only; install$missing by hand"
  apt update
  # shellcheck disable=SC2086
  apt install -y --no-install-recommends -o Dpkg::Options::=--force-confold $missing
}
