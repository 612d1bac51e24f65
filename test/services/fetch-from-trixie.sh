# Sourced by scripts that need a program of Debian 13 on Debian 12: fetched with apt, which checks
# Debian's signature, from a sources list of its own: the system's lists stay as they are.
#
# fetch_from_trixie PACKAGE: unpacks it below $unpacked, which is removed at the end. The caller has
# the functions `apt` and `fail`.
fetch_from_trixie() {
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -f "$keyring" ] || fail "$keyring is missing (package debian-archive-keyring)"
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 1' INT TERM
  unpacked=$scratch/unpacked
  mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$unpacked"
  echo "deb [signed-by=$keyring] http://deb.debian.org/debian trixie main" >"$scratch/sources.list"

  trixie() {
    apt -o Dir::Etc::sourcelist="$scratch/sources.list" -o Dir::Etc::sourceparts=/dev/null \
      -o Dir::State::lists="$scratch/lists" -o Dir::Cache="$scratch/cache" \
      -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
  }
  trixie update
  (cd "$scratch" && trixie download "$1")
  dpkg-deb -x "$scratch/$1"_*.deb "$unpacked"
}
