#!/bin/sh
# SPDX-License-Identifier: MIT
# A RUSTC_WRAPPER for cargo: calls rustc so that its output is small, and contains no folder name of this machine. The
# sources of a crate appear as /usr/src/NAME-VERSION, and those of std at the path that rustc reports. A wrapper applies to
# every crate and does not replace RUSTFLAGS from the environment or from a cargo configuration. TUNTAP_RUSTC_WRAPPER is the
# packager's own wrapper, if any.
set -eu
rustc=$1
hash=$("$rustc" -vV | sed -n 's/^commit-hash: //p')
std=$("$rustc" --print sysroot)/lib/rustlib/src/rust

# LLVM inlines a function without a hint up to this cost. Its default is 225, which makes the library 49 KB larger. The
# functions on the path of packets have a hint (#[inline]), for which LLVM has a separate limit.
inlining=-Cllvm-args=-inline-threshold=75

# cargo also queries the compiler's version and settings, without a crate. rustc writes a folder name both as given and with
# symbolic links resolved.
if [ "${CARGO_MANIFEST_DIR:-}" ] && [ "${CARGO_PKG_NAME:-}" ]; then
    name=/usr/src/$CARGO_PKG_NAME-$CARGO_PKG_VERSION
    real=$(cd "$CARGO_MANIFEST_DIR" && pwd -P)
    [ "$CARGO_PKG_NAME" != libtuntap ] || set -- "$@" "$inlining"
    set -- "$@" "--remap-path-prefix=$CARGO_MANIFEST_DIR=$name" "--remap-path-prefix=$real=$name"
fi
exec ${TUNTAP_RUSTC_WRAPPER:+"$TUNTAP_RUSTC_WRAPPER"} "$@" "--remap-path-prefix=$std=/rustc/$hash"
