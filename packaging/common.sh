# shellcheck shell=bash
# What packaging/deb and packaging/tarball share. They source it; the working directory is then the project's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022
# Sorting, and what tools say, must not depend on who packages.
export LC_ALL=C TZ=UTC

# The one place where the version stands is Sources/WireEngine/Version.swift.
version=$(sed -n 's/.*static let text = "\(.*\)"/\1/p' Sources/WireEngine/Version.swift)
[ -n "$version" ] || {
  printf 'packaging: no version in Sources/WireEngine/Version.swift\n' >&2
  exit 1
}

# Every file is of this time: that of the last commit, if the caller does not say (reproducible-builds.org).
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# stage FOLDER PREFIX: what install.sh installs, into an empty folder; examples go where packages keep them.
stage() {
  local examples="$1$2/share/doc/wirehook/examples"
  DESTDIR=$1 ./install.sh --no-build --prefix "$2" >/dev/null
  strip --remove-section=.comment "$1$2/bin"/*
  install -d "$examples"
  mv "$1/etc/wirehook/wirehook.json.example" "$1/etc/wirehook/networks.d/front.json.example" "$examples"
  install -m 644 README.md "$1$2/share/doc/wirehook"
}

# The newest version of the C library's interface that the programs in a folder ask for.
glibc_needed() { objdump -T "$1"/* | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -Vu | tail -n 1; }

# Gives every file below a folder the one time, which tar and dpkg-deb then record.
same_time() { find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +; }
