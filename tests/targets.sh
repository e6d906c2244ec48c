#!/bin/sh
# SPDX-License-Identifier: MIT
# The C tests on other processors and C libraries: builds the library and the tests with a cross compiler, and runs them as
# root of a Debian kernel on an emulated machine. i386 and musl need no emulation: they run on this machine's kernel, and are
# the usual targets. TARGETS chooses others ("all": each one below), TESTS the tests, and JOBS how many machines run at a
# time. The second table of docs/platforms.md is made from build/targets/table.md.
#
# Needs a cross compiler for each target with its C library (Debian: gcc-i686-linux-gnu and lib32gcc-s1, gcc-s390x-linux-gnu,
# musl-tools), QEMU for its machine (qemu-system-arm, -mips, -misc, -ppc), and std for each target: rustup target add, or its
# source (rust-src), from which it is built. CROSS_CARGO and CROSS_RUSTC name another toolchain.
set -u
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/guest.sh"
cd "$(dirname "$0")/.." || exit 1
export CARGO="${CROSS_CARGO:-${CARGO:-cargo}}" RUSTC="${CROSS_RUSTC:-rustc}"

all="i386 musl musl-static aarch64 armhf mips64el ppc64el riscv64 s390x"
targets=${TARGETS:-i386 musl}
[ "$targets" != all ] || targets=$all
tests=${TESTS:-function/*.c programs/*.c pytun/*.c stress/*.c}
out=$PWD/build/targets
emulated=''
# shellcheck disable=SC1091
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

# describe TARGET: sets rust and gnu, its triples. A target that is emulated has in addition
#   architecture                Debian's name
#   kernel_suite, image         the suite of the kernel, and a pattern for its package
#   suite                       that of the tools: this system's, whose C library the tests are linked with
#   terminal, machine           the console of the kernel, and the command of QEMU
describe() {
    machine="" flags="" libraries="" kernel_suite=trixie suite=$codename
    case $1 in
    i386) rust=i686-unknown-linux-gnu gnu=i686-linux-gnu ;;
    musl | musl-static)
        rust=x86_64-unknown-linux-musl gnu=musl
        # musl declares the request of ioctl(2) as int.
        flags="-L$out/musl-system -isystem $out/musl-system -Wno-overflow"
        [ "$1" = musl ] || flags="-static $flags" libraries=static
        ;;
    aarch64)
        rust=aarch64-unknown-linux-gnu gnu=aarch64-linux-gnu architecture=arm64 terminal=ttyAMA0
        image='linux-image-6[^-]*-cloud-arm64' machine="qemu-system-aarch64 -M virt -cpu cortex-a72 -m 2048"
        ;;
    armhf)
        rust=armv7-unknown-linux-gnueabihf gnu=arm-linux-gnueabihf architecture=armhf terminal=ttyAMA0
        image='linux-image-6[^-]*-armmp' machine="qemu-system-arm -M virt -cpu cortex-a15 -m 2048"
        ;;
    mips64el)
        rust=mips64el-unknown-linux-gnuabi64 gnu=mips64el-linux-gnuabi64 architecture=mips64el terminal=ttyS0
        suite=bookworm kernel_suite=bookworm image='linux-image-6[-.0-9]*-loongson-3' machine="qemu-system-mips64el -M loongson3-virt -cpu Loongson-3A1000 -m 2048"
        ;;
    ppc64el)
        rust=powerpc64le-unknown-linux-gnu gnu=powerpc64le-linux-gnu architecture=ppc64el terminal=hvc0
        image='linux-image-6[^-]*-powerpc64le' machine="qemu-system-ppc64 -M pseries,usb=off -cpu power9 -vga none -m 2048"
        ;;
    riscv64)
        rust=riscv64gc-unknown-linux-gnu gnu=riscv64-linux-gnu architecture=riscv64 terminal=ttyS0
        [ "$suite" != bookworm ] || suite=trixie
        image='linux-image-6[^-]*-riscv64' machine="qemu-system-riscv64 -M virt -m 2048"
        ;;
    s390x)
        rust=s390x-unknown-linux-gnu gnu=s390x-linux-gnu architecture=s390x terminal=ttysclp0
        # QEMU 7.2 emulates the kernel's checksum with vector instructions wrongly.
        image='linux-image-6[^-]*-s390x' machine="qemu-system-s390x -M s390-ccw-virtio -cpu max,vx=off -m 2048"
        ;;
    *)
        echo "targets: $all" >&2
        exit 2
        ;;
    esac
}

# musl_system: what Debian's musl-gcc lacks: the kernel's headers without those of the system's C library, and an unwinder,
# because that of libgcc is for glibc. Rust brings one.
musl_system() {
    mkdir -p "$out/musl-system" || return
    for name in linux asm asm-generic; do
        for path in "/usr/include/$name" "/usr/include/$(uname -m)-linux-gnu/$name"; do
            [ ! -d "$path" ] || ln -sfn "$path" "$out/musl-system/$name"
        done
    done
    ln -sf "$("$RUSTC" --print target-libdir --target "$rust")/self-contained/libunwind.a" "$out/musl-system/"
}

# library TARGET: installs it to build/targets/TARGET/stage.
library() {
    options=
    if [ ! -d "$("$RUSTC" --print target-libdir --target "$rust")" ]; then
        options="-Zbuild-std=std,panic_abort"
        export RUSTC_BOOTSTRAP=1
    fi
    case $1 in
    musl*)
        # Otherwise musl's std is for static programs.
        export RUSTFLAGS="${RUSTFLAGS:-} -Ctarget-feature=-crt-static"
        musl_system || return
        set -- "$1" CC="musl-gcc -L$out/musl-system" LIBS="-lunwind -lpthread -ldl -lm"
        ;;
    *) set -- "$1" CC="$gnu-gcc" AR="$gnu-ar" LD="$gnu-ld" OBJCOPY="$gnu-objcopy" READELF="$gnu-readelf" STRIP="$gnu-strip" ;;
    esac
    folder=build/targets/$1
    shift
    CARGO_TARGET_DIR='' CARGO_BUILD_TARGET=$rust "${MAKE:-make}" -s stage BUILD="$folder" CARGO="$CARGO" CARGOFLAGS="$options" "$@"
}

# c_tests TARGET HOW: builds the C tests, and runs them unless HOW is build.
c_tests() {
    # shellcheck disable=SC2086 # a list of words
    (cd tests/c && CC="$gnu-gcc $flags" PKG_CONFIG="pkg-config${libraries:+ --static}" PKG_CONFIG_PATH="$out/$1/stage/lib/pkgconfig" OUT="$out/$1/tests" ./run.sh "$2" $tests)
}

# run_here TARGET: runs the C tests of a target that is not emulated, and adds a row to the table.
run_here() {
    results=$out/$1/results
    { c_tests "$1" plain; echo $? >"$out/$1/status"; } | tee "$results"
    count "$results"
    echo "| $1 | Linux $(uname -r | sed 's/-.*//') | run on $(uname -m) | $good | $bad | $no |" >>"$out/table.md"
    case $(cat "$out/$1/status") in
    0) ok "$1: $good passed, $no skipped" ;;
    *) failure "$1: $bad tests failed, $no skipped" ;;
    esac
}

# has_std: whether there is std for the target, or its source. musl's needs files that only the first one has.
has_std() {
    [ -d "$("$RUSTC" --print target-libdir --target "$rust")" ] ||
        { [ "$gnu" != musl ] && [ -d "$("$RUSTC" --print sysroot)/lib/rustlib/src/rust/library" ]; }
}

# runs_here: whether this machine runs programs of the target.
runs_here() {
    program=$(mktemp)
    # shellcheck disable=SC2086 # a list of words
    [ "$(uname -m)" = x86_64 ] && echo 'int main(void) { return 0; }' | "$gnu-gcc" $flags -x c -o "$program" - && "$program"
    result=$?
    rm -f "$program"
    return "$result"
}

# can_test TARGET: whether what it needs is installed; if not, skips it.
can_test() {
    have "$1" "$gnu-gcc" || return
    if ! has_std; then
        skip "$1" "std for $rust is not installed"
    elif [ -n "$machine" ]; then
        guest_tools "$1" "${machine%% *}" && return
    elif ! runs_here 2>/dev/null; then
        skip "$1" "programs for $gnu do not run here"
    else
        return 0
    fi
    return 1
}

# fetch TARGET: the kernel and the tools of its architecture.
fetch() {
    fetch_kernel "$out/$1" debian "$kernel_suite" "$image" && fetch_system "$out/$1" "$suite"
}

if [ "${1:-}" = --one ]; then
    describe "$2"
    # shellcheck disable=SC2086 # a command
    run_guest "$out/$2" "$out/$2/userland" "$terminal" $machine
    exit
fi

mkdir -p "$out"
: >"$out/table.md"
for target in $targets; do
    describe "$target"
    can_test "$target" || continue
    before=$passed
    try "$target: the library" library "$target"
    [ "$passed" -gt "$before" ] || continue
    if [ -z "$machine" ]; then
        run_here "$target"
        continue
    fi
    try "$target: the tests" c_tests "$target" build
    try "$target: fetch the kernel and the tools" fetch "$target"
    try "$target: the RAM disk" userland "$out/$target/system" "$gnu" "$out/$target/userland" \
        "$out/$target/libtuntap.so.0" "$tests" "$out/$target/tests"
    clear_guest "$out/$target"
    [ "$passed" -lt $((before + 4)) ] || emulated="$emulated $target"
done
# shellcheck disable=SC2086 # a list of words
printf '%s\0' $emulated | xargs -0 -r -n 1 -P "${JOBS:-$(nproc)}" "tests/${0##*/}" --one &
runner=$!
trap 'kill "$runner"; exit 1' INT TERM HUP
for target in $emulated; do
    describe "$target"
    report "$target" "$out/$target" "$target | Linux $(cat "$out/$target/kernel/version") | emulated by ${machine%% *}"
done
finish
