#!/bin/sh
# SPDX-License-Identifier: MIT
# The archives of `make dist` have the same bytes in every folder and time zone, their sums are right, and the library is built
# of them without a network and without what cargo has fetched before, into a folder of the packager's.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
release=libtuntap-$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
rustup=${RUSTUP_HOME:-$HOME/.rustup}

# The second one in a clone, with another time zone and mask.
twice() {
    make -s dist BUILD="$work/first" && git clone --quiet . "$work/clone" &&
        (cd "$work/clone" && umask 077 && TZ=Asia/Tokyo make -s dist BUILD="$work/second") &&
        diff -r "$work/first/dist" "$work/second/dist" && test -s "$work/first/dist/$release.tar.xz"
}

# Every file is root's, and has the time that was asked for.
owned() {
    SOURCE_DATE_EPOCH=1234567890 make -s dist BUILD="$work/third" || return
    for archive in "$work"/third/dist/*.tar.xz; do
        TZ=UTC tar --numeric-owner -tvJf "$archive" >"$work/list" && test -s "$work/list" &&
            ! grep -v ' 0/0 .* 2009-02-13 23:31 ' "$work/list" || return 1
    done
}

sums() {
    cd "$work/first/dist" && sha256sum --check --strict SHA256SUMS && test "$(wc -l <SHA256SUMS)" -eq 2
}

# alone COMMAND...: with no network.
alone() {
    if [ "$(id -u)" = 0 ]; then unshare -n "$@"; else unshare --user --map-root-user --net "$@"; fi
}

# The build keeps to the folder that CARGO_TARGET_DIR names, and to --frozen, which it is given by CARGOFLAGS.
builds() {
    tar -xf "$work/first/dist/$release.tar.xz" -C "$work" && tar -xf "$work/first/dist/$release-vendor.tar.xz" -C "$work/$release" ||
        return
    (
        cd "$work/$release" && unset CARGO_HOME
        alone env HOME="$work/home" RUSTUP_HOME="$rustup" CARGO_TARGET_DIR="$work/target" \
            make CARGOFLAGS=--frozen CARGO_BUILD_TARGET="$(rustc -vV | sed -n 's/^host: //p')"
    ) && test -f "$work/$release/build/libtuntap.a" && test ! -e "$work/$release/build/cargo" && test ! -e "$work/$release/target"
}

if ! git rev-parse --verify --quiet HEAD >/dev/null 2>&1; then
    skip "dist" "this is not a git repository"
    finish
fi
try "dist: twice the same bytes" twice
[ "$failed" -eq 0 ] || finish
try "dist: owner and time of the files" owned
try "dist: sums" sums
if alone true 2>/dev/null; then
    try "dist: builds without a network" builds
else
    skip "dist: builds without a network" "needs root, or user namespaces"
fi
finish
