#!/bin/sh
# SPDX-License-Identifier: MIT
# The C tests that use threads, with ThreadSanitizer in the library and in std. Needs std's source (rustup component add
# rust-src, or a distribution's package; CROSS_CARGO and CROSS_RUSTC name another toolchain), and the C compiler's runtime
# (libtsan of gcc).
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
cargo=${CROSS_CARGO:-${CARGO:-cargo}} rustc=${CROSS_RUSTC:-$(command -v rustc)}
host=$("$rustc" -vV | sed -n 's/^host: //p')
out=$PWD/build/tsan

has_runtime() {
    echo 'int main(void) { return 0; }' | ${CC:-cc} -fsanitize=thread -x c -o "$out/empty" - 2>/dev/null
}

# RUSTC_BOOTSTRAP allows -Z options with a stable toolchain. std is built too, so that its locks are instrumented.
build() {
    RUSTC=$rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR=$out "$cargo" rustc --quiet --locked \
        --lib --crate-type staticlib -Zbuild-std=std,panic_abort --target "$host"
}

mkdir -p "$out"
have "tsan" setarch || finish
if ! test -d "$("$rustc" --print sysroot)/lib/rustlib/src/rust/library"; then
    skip "tsan" "std's source is not installed (rustup component add rust-src)"
    finish
elif ! has_runtime; then
    skip "tsan" "the C compiler has no runtime of ThreadSanitizer"
    finish
fi
try "tsan: the library builds" build
[ "$failed" -eq 0 ] || finish
cd tests/c || exit 1
# The tests that create threads.
# shellcheck disable=SC2046 # a list of words
TUNTAP_TSAN_LIBRARY=$out/$host/debug/libtuntap.a exec ./run.sh tsan $(grep -l pthread_create function/*.c stress/*.c)
