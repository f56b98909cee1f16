#!/usr/bin/env bash
# Builds wirehook and installs it. `./install.sh --help` says how.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

prefix=/usr/local
sysconfdir=/etc
destdir=${DESTDIR:-}
action=install
demo_dir=/var/lib/wirehook-demo
demo_name="wirehook-demo"

# What the build and the hook need; what only the demo needs.
readonly packages=(libmnl-dev libnftnl-dev libjson-c-dev libsqlite3-dev pkg-config g++ git iproute2 ca-certificates)
readonly demo_packages=(runc busybox-static curl)
readonly swift_at_least=6.2

usage() {
  cat <<'TEXT'
Usage: ./install.sh [OPTION]...

Builds wirehook from this folder and installs it. It changes no container engine:
that is `wirehook install docker` and its siblings.

  (nothing)           packages, release build, installation
  --deps-only         install the packages that the build needs, then stop
  --build-only        build the release executables in .build/release, then stop
  --no-build          install what --build-only built
  --uninstall         take wirehook out of all engines, then remove what an installation
                      put there; /etc/wirehook stays
  --demo              install, then start a container with runc whose web server
                      answers on port 8080 of this host
  --demo-stop         stop that container and remove its files
  --prefix DIR        install below DIR (/usr/local)
  --sysconfdir DIR    the folder that holds wirehook/ with its configuration (/etc)
  --which-swift       print the Swift toolchain that would build it
  --help              this text

DESTDIR=DIR, for those who build packages, is put before every installed path.
TEXT
}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
# Shows a command as it could be typed, then runs it.
run() {
  printf '$'
  printf ' %q' "$@"
  printf '\n'
  "$@"
}
need_root() { [ "$(id -u)" -eq 0 ] || fail "$1 needs root; try: sudo ./install.sh${2:+ $2}"; }

# --- packages ---------------------------------------------------------------------------------------------------------

missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || say "$name"
  done
}

install_packages() {
  command -v dpkg-query >/dev/null ||
    fail "only Debian and Ubuntu packages are known here; install the like of: $*"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" -eq 0 ] || fail "these packages are missing: ${missing[*]}; try: sudo ./install.sh --deps-only"
  export DEBIAN_FRONTEND=noninteractive
  run apt-get install -y --no-install-recommends "${missing[@]}" || {
    run apt-get update
    run apt-get install -y --no-install-recommends "${missing[@]}"
  }
}

# --- the Swift toolchain ----------------------------------------------------------------------------------------------

# Prints every swift there may be: sudo drops the caller's PATH, so the usual folders are tried too.
swift_candidates() {
  local homes=("$HOME") home
  command -v swift || true
  say /opt/swift/usr/bin/swift
  say /usr/local/swift/usr/bin/swift
  say /usr/share/swift/usr/bin/swift
  say /usr/libexec/swift/bin/swift
  [ -z "${SUDO_USER:-}" ] || homes+=("$(getent passwd "$SUDO_USER" | cut -d: -f6)")
  for home in "${homes[@]}"; do
    find "$home/.local/share/swiftly/toolchains" -maxdepth 4 -path '*/usr/bin/swift' 2>/dev/null | sort -rV || true
  done
}

# Puts a Swift toolchain that is new enough first on PATH.
find_swift() {
  local candidate version found=""
  while read -r candidate; do
    [ -x "$candidate" ] || continue
    version=$("$candidate" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
    [ -n "$version" ] || continue
    if [ "$(printf '%s\n' "$swift_at_least" "$version" | sort -V | head -n 1)" = "$swift_at_least" ]; then
      PATH="$(dirname "$candidate"):$PATH"
      export PATH
      return 0
    fi
    found="$found $candidate ($version)"
  done < <(swift_candidates)
  fail "no Swift toolchain of version $swift_at_least or newer${found:+; found only:$found}
  Get one from https://www.swift.org/install/linux/ : its installer, swiftly, puts it into your home folder, and
  \`sudo ./install.sh\` finds it there. A toolchain unpacked to /opt/swift is found as well."
}

# --- the build --------------------------------------------------------------------------------------------------------

# The folder of links that makes the linker take archives: libraries of which an archive is there are linked
# statically, the C library and libmnl (of which Debian has none) are not. Each library that the loader need not map
# saves about 0.05 ms of every container's start; libstdc++ 0.3 ms.
readonly link_dir=$PWD/.build/link

prepare_link_dir() {
  local library archive
  mkdir -p "$link_dir"
  rm -f "$link_dir"/*
  for library in libstdc++ libgcc_eh libgcc; do
    archive=$(g++ -print-file-name="$library.a")
    [ ! -f "$archive" ] || ln -s "$archive" "$link_dir/$library.a"
  done
  archive_of libmnl mnl
  archive_of libnftnl nftnl
  archive_of json-c json-c
  archive_of sqlite3 sqlite3
  # See Sources/CLinux/arguments.c. The crash reporter's initializer looks for a program that is not installed.
  cat >"$link_dir/startup.ld" <<'TEXT'
SECTIONS {
  /DISCARD/ : {
    *CommandLine.cpp.o(.init_array .init_array.*)
    *Backtrace.cpp.o(.init_array .init_array.*)
  }
} INSERT BEFORE .init_array;
TEXT
}

# archive_of PACKAGE LIBRARY: links the archive, and writes a pkg-config file that puts this folder first.
archive_of() {
  local folder
  folder=$(pkg-config --variable=libdir "$1") || fail "pkg-config does not know $1; try: sudo ./install.sh --deps-only"
  [ ! -f "$folder/lib$2.a" ] || ln -s "$folder/lib$2.a" "$link_dir/lib$2.a"
  cat >"$link_dir/$1.pc" <<TEXT
Name: $1
Description: $1, its archive if there is one
Version: $(pkg-config --modversion "$1")
Cflags: $(pkg-config --cflags "$1")
Libs: -L$link_dir -l$2
TEXT
}

# The one place for the flags of the release build; README and CI come here as well.
build() {
  # Nothing is looked for in the folder of the executable, which every start would otherwise search for libraries.
  local flags=(--configuration release --static-swift-stdlib --disable-local-rpath -Xswiftc -use-ld=lld) option product
  # clang's options: archives first, and libgcc without its shared half. Not position-independent: 20,000 relocations of
  # the Swift runtime's data, in each start of a container, are an eighth of an attach (docs/performance.md weighs it).
  for option in "-L$link_dir" -static-libgcc -no-pie; do
    flags+=(-Xswiftc -Xclang-linker -Xswiftc "$option")
  done
  # The compiler's: each function can be placed, or left out, by itself; generic types are named by calls, not by text
  # that the runtime would parse in every start.
  for option in -function-sections -disable-concrete-type-metadata-mangled-name-accessors; do
    flags+=(-Xswiftc -Xfrontend -Xswiftc "$option")
  done
  # The linker's: nothing unused, nothing exported (Swift asks for all), all bound and sealed before main.
  # bench/order.txt puts the functions of an attach side by side (see bench/order): a twentieth of its time.
  for option in --gc-sections --no-export-dynamic --as-needed --hash-style=gnu --strip-debug \
    -z relro -z now -T "$link_dir/startup.ld" \
    --symbol-ordering-file="$PWD/bench/order.txt" --no-warn-symbol-ordering; do
    flags+=(-Xlinker "$option")
  done
  prepare_link_dir
  for product in wirehook-oci wirehook-runc wirehook; do
    PKG_CONFIG_PATH="$link_dir${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}" \
      run swift build "${flags[@]}" --product "$product"
    # Written in one piece: the linker's many small writes leave the file in single pages of the page cache, and each
    # start then takes a tenth longer.
    cp -p ".build/release/$product" ".build/release/$product.whole"
    mv ".build/release/$product.whole" ".build/release/$product"
  done
  # With sudo the folder would stay root's, and the next `swift build` of its owner would fail.
  [ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" .build
}

# --- installation -----------------------------------------------------------------------------------------------------

share_dir() { printf '%s%s/share' "$destdir" "$prefix"; }
config_dir() { printf '%s%s/wirehook' "$destdir" "$sysconfdir"; }
# Where systemd looks for the units of software below /usr and /usr/local.
unit_dir() { printf '%s%s/lib/systemd/system' "$destdir" "$prefix"; }
# What an installation below DESTDIR says to systemd is the business of who installs that folder.
has_systemd() { [ -z "$destdir" ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null; }

install_files() {
  local bin="$destdir$prefix/bin" share config file
  share=$(share_dir)
  config=$(config_dir)
  for file in wirehook wirehook-oci wirehook-runc; do
    [ -x ".build/release/$file" ] || fail "$file is not built; try: ./install.sh --build-only"
  done
  install -d "$bin" "$share/wirehook/hooks" "$share/wirehook/schema" "$config/networks.d"
  # `install` replaces by unlinking, so that a hook which runs just now keeps its file; -s strips the symbols.
  install -s -m 755 .build/release/wirehook{-oci,-runc,} "$bin"
  for file in man/*.[1-9]; do
    install -D -m 644 "$file" "$share/man/man${file##*.}/${file##*/}"
  done
  for file in hooks/*.json; do
    with_prefix "$file" "$share/wirehook/$file"
  done
  install -m 644 docs/schema/*.json "$share/wirehook/schema"
  install -m 644 etc/wirehook.json.example "$config"
  install -m 644 etc/networks.d/front.json.example "$config/networks.d"
  install_completion "$bin" bash "$share/bash-completion/completions" wirehook
  install_completion "$bin" zsh "$share/zsh/site-functions" _wirehook
  install_completion "$bin" fish "$share/fish/vendor_completions.d" wirehook.fish
  install_units
  say "installed below $destdir$prefix; examples of the configuration are in $config"
}

# with_prefix FILE TARGET: installs a file that names a program of ours below /usr/local.
with_prefix() {
  install -d "${2%/*}"
  sed "s|/usr/local/bin/|$prefix/bin/|" "$1" >"$2"
  chmod 644 "$2"
}

# The units, and the drop-ins that start them: the files that `wirehook install systemd` would write, as a test compares.
units() { (cd systemd && find . -type f ! -name README.md -printf '%P\n' | sort); }

install_units() {
  local unit
  while read -r unit; do
    with_prefix "systemd/$unit" "$(unit_dir)/$unit"
  done < <(units)
  ! has_systemd || { systemctl daemon-reload && systemctl --no-block start wirehook-repair.timer; } ||
    say "systemd did not take up wirehook-repair.timer; it will at the next boot"
}

remove_units() {
  local unit
  ! has_systemd || systemctl stop wirehook-repair.timer || true
  while read -r unit; do
    rm -f "$(unit_dir)/$unit"
    case $unit in */*) rmdir "$(unit_dir)/${unit%/*}" 2>/dev/null || true ;; esac
  done < <(units)
  ! has_systemd || systemctl daemon-reload || true
}

# install_completion BIN SHELL FOLDER FILE
install_completion() {
  install -d "$3"
  # Without the first line that bash's begins with: it is read, never run.
  "$1/wirehook" --generate-completion-script "$2" | sed '1{/^#!/d}' >"$3/$4.new" ||
    fail "wirehook printed no completions for $2"
  mv "$3/$4.new" "$3/$4"
}

uninstall_files() {
  local share file wirehook="$destdir$prefix/bin/wirehook" part
  share=$(share_dir)
  # An engine whose configuration names a program that is gone starts no container.
  if [ -x "$wirehook" ]; then
    for part in docker podman crio containerd cdi firewalld systemd; do
      "$wirehook" uninstall "$part" ${destdir:+--root "$destdir"} | grep -v '^nothing to change' || true
    done
  fi
  remove_units
  rm -f "$destdir$prefix/bin"/wirehook{-oci,-runc,} \
    "$share/bash-completion/completions/wirehook" "$share/zsh/site-functions/_wirehook" \
    "$share/fish/vendor_completions.d/wirehook.fish"
  for file in man/*.[1-9]; do
    rm -f "$share/man/man${file##*.}/${file##*/}"
  done
  rm -rf "$share/wirehook"
  say "removed from $destdir$prefix; the configuration in $(config_dir) stays"
}

# --- the demonstration ------------------------------------------------------------------------------------------------

# The first port from 8080 on that neither a program of the host nor a wired container has.
free_port() {
  local port published
  published=$("$prefix/bin/wirehook" ls --json) || fail "wirehook ls failed; the line above says why"
  for port in $(seq 8080 8180); do
    [ -z "$(ss -Hltn "sport = :$port")" ] || continue
    grep -Eq "\"hostPort\" *: *$port\b" <<<"$published" || {
      say "$port"
      return 0
    }
  done
  fail "every port from 8080 to 8180 is taken"
}

# A bundle by hand: busybox, one page, and a config.json without rlimits, which a restricted host may refuse to raise.
make_bundle() {
  local bundle=$1 port=$2 applet
  mkdir -p "$bundle"/rootfs/{bin,dev,etc,proc,tmp,www}
  cp "$(command -v busybox)" "$bundle/rootfs/bin/busybox"
  for applet in sh httpd ip ping sleep cat ls; do
    ln -sf busybox "$bundle/rootfs/bin/$applet"
  done
  say "Hello from a container that wirehook wired." >"$bundle/rootfs/www/index.html"
  cat >"$bundle/config.json" <<TEXT
{
  "ociVersion": "1.0.2",
  "process": {
    "terminal": false,
    "user": { "uid": 0, "gid": 0 },
    "args": ["httpd", "-f", "-p", "80", "-h", "/www"],
    "env": ["PATH=/bin"],
    "cwd": "/",
    "capabilities": {
      "bounding": ["CAP_NET_BIND_SERVICE", "CAP_NET_RAW"],
      "effective": ["CAP_NET_BIND_SERVICE", "CAP_NET_RAW"],
      "permitted": ["CAP_NET_BIND_SERVICE", "CAP_NET_RAW"]
    },
    "noNewPrivileges": true
  },
  "root": { "path": "rootfs", "readonly": true },
  "hostname": "$demo_name",
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "annotations": { "wirehook.ports": "$port:80" },
  "linux": {
    "namespaces": [
      { "type": "pid" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }, { "type": "network" }
    ]
  }
}
TEXT
}

demo() {
  local port wirehook="$prefix/bin/wirehook"
  demo_stop >/dev/null
  port=$(free_port)
  [ "$port" = 8080 ] || say "port 8080 is taken on this host; the demonstration uses $port"
  say
  say "# A container of its own, without a network: a bundle with the annotation wirehook.ports=$port:80 ..."
  make_bundle "$demo_dir" "$port"
  run grep annotations "$demo_dir/config.json"
  say "# ... gets wirehook's hooks ..."
  run "$wirehook" inject "$demo_dir"
  say "# ... and starts. (A detached container keeps its caller's output open, so that goes to a file.)"
  say "\$ runc run -d --bundle $demo_dir $demo_name > $demo_dir/log 2>&1"
  runc run -d --bundle "$demo_dir" "$demo_name" </dev/null >"$demo_dir/log" 2>&1 || {
    cat "$demo_dir/log" >&2
    fail "the container did not start; the lines above say why. ./install.sh --demo-stop cleans up"
  }
  say "# Its web server answers on this host's port:"
  # The server inside needs a moment to listen; --retry-connrefused waits for that alone.
  run curl --silent --show-error --max-time 10 --retry 20 --retry-delay 1 --retry-connrefused \
    "http://127.0.0.1:$port" || fail "no answer; ./install.sh --demo-stop cleans up"
  say "# What wirehook knows of it:"
  run "$wirehook" ls
  say
  say "It goes on running. To look inside:  sudo runc exec $demo_name ip addr"
  say "To stop it and remove its files:     sudo ./install.sh --demo-stop"
}

demo_stop() {
  if command -v runc >/dev/null && runc state "$demo_name" >/dev/null 2>&1; then
    run runc delete --force "$demo_name"
  fi
  [ ! -d "$demo_dir" ] || run rm -r "$demo_dir"
}

# --- the command line -------------------------------------------------------------------------------------------------

while [ $# -gt 0 ]; do
  case $1 in
    --deps-only | --build-only | --no-build | --uninstall | --demo | --demo-stop | --which-swift) action=${1#--} ;;
    --prefix | --sysconfdir)
      [ $# -ge 2 ] || fail "$1 needs a folder"
      declare "${1#--}=$2"
      shift
      ;;
    --prefix=* | --sysconfdir=*)
      option=${1%%=*}
      declare "${option#--}=${1#*=}"
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      usage >&2
      printf '\ninstall.sh: unknown option %q\n' "$1" >&2
      exit 2
      ;;
  esac
  shift
done
for folder in "$prefix" "$sysconfdir"; do
  case $folder in /*) ;; *) fail "\"$folder\" is not an absolute path" ;; esac
done

case $action in
  which-swift)
    find_swift
    command -v swift
    ;;
  deps-only) install_packages "${packages[@]}" ;;
  build-only)
    find_swift
    build
    ;;
  install)
    [ -n "$destdir" ] || need_root "an installation below $prefix" ""
    find_swift
    install_packages "${packages[@]}"
    build
    install_files
    ;;
  no-build)
    [ -n "$destdir" ] || need_root "an installation below $prefix" --no-build
    install_files
    ;;
  uninstall)
    [ -n "$destdir" ] || need_root "--uninstall" --uninstall
    uninstall_files
    ;;
  demo)
    need_root "--demo" --demo
    [ -z "$destdir" ] || fail "--demo runs what it installs: leave DESTDIR unset"
    find_swift
    install_packages "${packages[@]}" "${demo_packages[@]}"
    build
    install_files
    demo
    ;;
  demo-stop)
    need_root "--demo-stop" --demo-stop
    demo_stop
    ;;
esac
