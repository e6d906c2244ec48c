#!/bin/sh
# SPDX-License-Identifier: MIT
# What cargo calls in place of rustc (RUSTC_WRAPPER): the same rustc, whose output names no folder of this machine. A
# crate's sources are said to be in /usr/src/NAME-VERSION, and std's where rustc itself says they were. As a wrapper it
# reaches every crate, and takes the place of no RUSTFLAGS, be they in the environment or in a configuration of cargo.
# TUNTAP_RUSTC_WRAPPER is the packager's own wrapper, where there is one.
set -eu
rustc=$1
hash=$("$rustc" -vV | sed -n 's/^commit-hash: //p')
std=$("$rustc" --print sysroot)/lib/rustlib/src/rust

# cargo asks for the compiler's version and settings before there is any crate. rustc names a folder both as it was given
# and as it is without symbolic links.
if [ "${CARGO_MANIFEST_DIR:-}" ] && [ "${CARGO_PKG_NAME:-}" ]; then
    name=/usr/src/$CARGO_PKG_NAME-$CARGO_PKG_VERSION
    real=$(cd "$CARGO_MANIFEST_DIR" && pwd -P)
    set -- "$@" "--remap-path-prefix=$CARGO_MANIFEST_DIR=$name" "--remap-path-prefix=$real=$name"
fi
exec ${TUNTAP_RUSTC_WRAPPER:+"$TUNTAP_RUSTC_WRAPPER"} "$@" "--remap-path-prefix=$std=/rustc/$hash"
