#!/bin/sh
# SPDX-License-Identifier: MIT
# The C tests on other processors: builds the library and the tests with a cross compiler, and runs them in qemu's user-mode
# emulation, on this machine's kernel. i386 needs no emulation: it is a 32-bit program on a 64-bit kernel. TARGETS chooses
# the targets ("all": each one below), TESTS the tests. The table of docs/platforms.md is made from build/targets/table.md.
#
# Needs a cross compiler for each target and its C library (Debian: gcc-i686-linux-gnu and libc6-i386, gcc-s390x-linux-gnu),
# qemu-user-static, and std's source for each target that the toolchain has no std of (rustup component add rust-src;
# CROSS_CARGO and CROSS_RUSTC name another toolchain).
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
export CARGO="${CROSS_CARGO:-${CARGO:-cargo}}" RUSTC="${CROSS_RUSTC:-rustc}"

all="i386 aarch64 armhf ppc64el riscv64 s390x"
targets=${TARGETS:-i386 aarch64 s390x}
[ "$targets" != all ] || targets=$all
tests=${TESTS:-function/*.c programs/*.c pytun/*.c stress/*.c}
out=$PWD/build/targets

# names_of TARGET: as Rust, binutils and qemu name it. Without the last name it runs as it is.
names_of() {
    case $1 in
    i386) echo i686-unknown-linux-gnu i686-linux-gnu ;;
    aarch64) echo aarch64-unknown-linux-gnu aarch64-linux-gnu aarch64 ;;
    armhf) echo armv7-unknown-linux-gnueabihf arm-linux-gnueabihf arm ;;
    ppc64el) echo powerpc64le-unknown-linux-gnu powerpc64le-linux-gnu ppc64le ;;
    riscv64) echo riscv64gc-unknown-linux-gnu riscv64-linux-gnu riscv64 ;;
    s390x) echo s390x-unknown-linux-gnu s390x-linux-gnu s390x ;;
    *)
        echo "targets: $all" >&2
        return 1
        ;;
    esac
}

# library TARGET: installs it to build/targets/TARGET/stage.
library() {
    options=
    if [ ! -d "$("$RUSTC" --print target-libdir --target "$rust")" ]; then
        options="-Zbuild-std=std,panic_abort"
        export RUSTC_BOOTSTRAP=1
    fi
    CARGO_TARGET_DIR='' CARGO_BUILD_TARGET=$rust "${MAKE:-make}" -s stage BUILD="build/targets/$1" CARGO="$CARGO" \
        CARGOFLAGS="$options" CC="$gnu-gcc" AR="$gnu-ar" OBJCOPY="$gnu-objcopy" READELF="$gnu-readelf" STRIP="$gnu-strip"
}

# run TARGET: the C tests, one line for each.
run() {
    # shellcheck disable=SC2086 # a list of words
    (cd tests/c && CC="$gnu-gcc" EMULATOR="${qemu:+../targets/emulate.sh qemu-$qemu-static -L /usr/$gnu}" \
        PKG_CONFIG_PATH="$out/$1/stage/lib/pkgconfig" ./run.sh "target-$1" $tests)
}

# report TARGET: counts the results, and adds a row to the table.
report() {
    results=$out/$1/results
    good=$(grep -c '^ok ' "$results") bad=$(grep -c '^FAIL ' "$results") no=$(grep -c '^SKIP ' "$results")
    how="run on $(uname -m)"
    [ -z "$qemu" ] || how="emulated by qemu-user"
    echo "| $1 | $how | $good | $bad | $no |" >>"$out/table.md"
    if [ "$bad" -gt 0 ]; then failure "$1: $bad tests failed"; else ok "$1: $good passed, $no skipped"; fi
}

mkdir -p "$out"
: >"$out/table.md"
for target in $targets; do
    names=$(names_of "$target") || exit 2
    # shellcheck disable=SC2086 # two or three words
    set -- $names
    rust=$1 gnu=$2 qemu=${3:-}
    have "$target" "$gnu-gcc" || continue
    [ -z "$qemu" ] || have "$target" "qemu-$qemu-static" || continue
    before=$passed
    try "$target: the library" library "$target"
    [ "$passed" -gt "$before" ] || continue
    run "$target" | tee "$out/$target/results"
    report "$target"
done
finish
