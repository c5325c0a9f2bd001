#!/usr/bin/env bash
# Makes this machine able to build and test Countersign.
#
#   deploy/setup.sh             what building and running need, and the tests of all but pages
#   deploy/setup.sh --browser   that, and a browser with what drives it
#   deploy/setup.sh --clients   that, and what the clients' tests need
#   deploy/setup.sh --lint      that, and rustfmt and clippy (all may be given)
#
# Looks first and installs only what is missing, so a second run changes nothing and needs no
# network. Installs through apt-get alone; on other systems it names what is missing and stops.
# Never touches the Rust toolchain: it says what to run instead.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: error: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf 'setup:        %s\n' "$line" >&2; done
    exit 1
}

lint=no
browser=no
clients=no
for argument in "$@"; do
    case "$argument" in
        --lint) lint=yes ;;
        --browser) browser=yes ;;
        --clients) clients=yes ;;
        -h | --help)
            sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) fail "unknown argument '$argument'" "usage: deploy/setup.sh [--browser] [--clients] [--lint]" ;;
    esac
done

[ "$(uname -s)" = Linux ] || fail "Countersign is built and run on Linux; this is $(uname -s)" \
    "Use a Linux machine, a virtual machine, or the container of deploy/Dockerfile."

# mkfs and losetup live in sbin, which the PATH of an ordinary user may leave out.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# ---- the system's packages ---------------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

# bindgen loads libclang at build time to read RocksDB's C header.
has_libclang() {
    if [ -n "${LIBCLANG_PATH:-}" ]; then
        compgen -G "$LIBCLANG_PATH/libclang*.so*" >/dev/null && return 0
        [ -f "$LIBCLANG_PATH" ] && return 0
    fi
    local place
    for place in /usr/lib/llvm-*/lib /usr/lib/llvm*/lib64 /usr/lib/*-linux-gnu /usr/lib64 /usr/lib \
        /usr/local/lib; do
        compgen -G "$place/libclang.so*" >/dev/null && return 0
        compgen -G "$place/libclang-[0-9]*.so*" >/dev/null && return 0
    done
    return 1
}

# One line for each need: the check, the Debian package, what it is for.
missing=()
need() {
    local package="$1" reason="$2"
    shift 2
    "$@" && return 0
    say "missing: $package ($reason)"
    missing+=("$package")
}
need build-essential "the C++ compiler that builds RocksDB" has c++
need make "runs the Makefile" has make
need pkg-config "finds system libraries" has pkg-config
need clang "brings the headers that bindgen reads RocksDB's with" has clang
need libclang-dev "bindgen's parser" has_libclang
need e2fsprogs "mkfs.ext4, for the power-loss tests" has mkfs.ext4
need util-linux "small system tools" has setsid
need mount "mount and losetup, for the power-loss tests" has losetup
need curl "the examples of the README" has curl
need ca-certificates "HTTPS to the crate registry" test -e /etc/ssl/certs -o -e /etc/pki/tls/certs

# The tests that use the pages in a browser. Node.js finds test files by itself since 18.19.
has_node() {
    has node || return 1
    local found
    found="$(node --version 2>/dev/null)"
    [ "$(printf 'v18.19.0\n%s\n' "$found" | sort -V | head -n 1)" = v18.19.0 ]
}
has_chromium() { [ -x "${CHROMIUM:-/usr/bin/chromium}" ]; }
if [ "$browser" = yes ]; then
    need nodejs "runs the tests in a browser" has_node
    need npm "installs what these tests need" has npm
    need chromium "the browser of these tests" has_chromium
fi

# The clients' tests. Debian's python3 comes without what makes virtual environments.
has_venv() { python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }
if [ "$clients" = yes ]; then
    [ "$browser" = yes ] || {
        need nodejs "runs the tests of the TypeScript client" has_node
        need npm "installs what these tests need" has npm
    }
    need python3 "runs the tests of the Python client" has python3
    need python3-venv "keeps what these tests need apart" has_venv
fi

# The tests that part nodes from each other, and those that send to a real mail server, are left out,
# and say so, where these are missing.
wished=()
wish() {
    local package="$1" reason="$2"
    shift 2
    "$@" && return 0
    say "missing, and not needed by the rest: $package ($reason)"
    wished+=("$package")
}
wish iproute2 "network namespaces, for tests of parted nodes" has ip
wish nftables "cuts single links in these tests" has nft
# A version manager's own Python does not see what the system installs.
has_aiosmtpd() {
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import aiosmtpd' >/dev/null 2>&1 && return 0
    done
    return 1
}
wish python3-aiosmtpd "a real mail server, for tests of email" has_aiosmtpd


# The clients that others' generators make are compiled and tried for the languages that are here.
has_php() { php -r "exit((int) !($1));" >/dev/null 2>&1; }
has_guzzle() { has_php 'stream_resolve_include_path("GuzzleHttp/autoload.php") !== false'; }
if [ "$clients" = yes ]; then
    wish default-jdk-headless "makes clients from the OpenAPI document, and compiles Java's" has javac
    wish maven "fetches what Java's client needs" has mvn
    wish php-cli "tries PHP's client" has php
    wish php-curl "tries PHP's client" has_php 'extension_loaded("curl")'
    wish php-mbstring "tries PHP's client" has_php 'extension_loaded("mbstring")'
    wish php-guzzlehttp-guzzle "tries PHP's client" has_guzzle
fi

if [ "${#missing[@]}" -eq 0 ] && [ "${#wished[@]}" -eq 0 ]; then
    say "system packages: all there"
elif has apt-get; then
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || fail "need root to install: ${missing[*]} ${wished[*]}" \
            "Run as root: apt-get update && apt-get install -y ${missing[*]} ${wished[*]}"
        as_root=(sudo)
    fi
    say "installing with apt-get: ${missing[*]} ${wished[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
        say "apt-get update failed; trying with the package lists that are there"
    install() {
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 \
            "$@" </dev/null
    }
    [ "${#missing[@]}" -eq 0 ] || install "${missing[@]}" ||
        fail "apt-get could not install: ${missing[*]}" \
            "Its message is above. Check the network and /etc/apt/sources.list, then run this again."
    [ "${#wished[@]}" -eq 0 ] || install "${wished[@]}" ||
        say "not installed: ${wished[*]}; some tests will be left out, and say so"
    if [ "$browser" = yes ] && ! { has_node && has npm && has_chromium; }; then
        fail "apt-get ran, but Node.js 18.19 or newer, npm or /usr/bin/chromium is still not found" \
            "CHROMIUM names another Chromium or Chrome."
    fi
    if ! { has c++ && has make && has clang && has_libclang; }; then
        fail "apt-get ran, but the compiler or libclang is still not found" \
            "If libclang lies in an unusual place, name its folder in LIBCLANG_PATH."
    fi
    say "system packages: installed"
elif [ "${#missing[@]}" -gt 0 ]; then
    fail "missing: ${missing[*]} (names as in Debian), and there is no apt-get here" \
        "Fedora:  dnf install gcc-c++ make pkgconf clang clang-devel e2fsprogs util-linux curl nodejs npm chromium" \
        "Arch:    pacman -S base-devel pkgconf clang e2fsprogs util-linux curl nodejs npm chromium" \
        "openSUSE: zypper install gcc-c++ make pkgconf clang clang-devel e2fsprogs util-linux curl nodejs npm chromium" \
        "Alpine (musl) is not supported: bindgen must load libclang at build time."
fi

# ---- the Rust toolchain ------------------------------------------------------------------------

how_to_get_rust=(
    "With rustup (https://rustup.rs):  rustup toolchain install stable && rustup default stable"
    "Debian's and Ubuntu's own rustc is often older than needed."
)

# A shell that has not read rustup's profile yet.
if ! has cargo && [ -x "${HOME:-}/.cargo/bin/cargo" ]; then
    fail "cargo is installed in ~/.cargo/bin but is not in PATH" \
        "Run: . \"\$HOME/.cargo/env\"    then try again."
fi
if ! { has cargo && has rustc; }; then
    fail "there is no Rust toolchain" "${how_to_get_rust[@]}"
fi

wanted="$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "$root/Cargo.toml" | head -n 1)"
[ -n "$wanted" ] || fail "no rust-version in $root/Cargo.toml"
found="$(rustc --version 2>&1 | sed -n 's/^rustc \([0-9][0-9.]*\).*/\1/p')"
[ -n "$found" ] || fail "rustc does not run: $(rustc --version 2>&1 | head -n 1)" "${how_to_get_rust[@]}"
oldest="$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)"
[ "$oldest" = "$wanted" ] ||
    fail "Rust $found is too old: Countersign needs $wanted or newer" "${how_to_get_rust[@]}"
say "Rust $found (needs $wanted or newer)"

if [ "$lint" = yes ]; then
    for tool in fmt clippy; do
        cargo "$tool" --version >/dev/null 2>&1 || fail "cargo $tool does not run" \
            "With rustup: rustup component add rustfmt clippy" \
            "Debian, Ubuntu packages: rustfmt, rust-clippy"
    done
    say "rustfmt and clippy: there"
fi
