#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks macOS and the BSDs without a machine of either. The Darwin backend runs over a simulated kernel. Its constants are
# compared with Darwin's own headers. The Makefile's own recipe links a real Mach-O library, and the C examples are linked
# with it. The BSDs and iOS are type-checked.
#
# Needs std's source (rustup component add rust-src, or a distribution's package; CROSS_CARGO and CROSS_RUSTC name another
# toolchain), zig with the headers and stubs of macOS (ziglang of PyPI), and LLVM's linker and tools.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
out=$PWD/build/darwin
cargo=${CARGO:-cargo} cross_cargo=${CROSS_CARGO:-${CARGO:-cargo}}
cross_rustc=${CROSS_RUSTC:-$(command -v rustc)}
python=$(command -v "${PYTHON:-python3}")
warnings="-std=c99 -Wall -Wextra -Wpedantic -Werror"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

# simulated: runs the backend's tests, which also write its constants as C.
simulated() {
    TUNTAP_LAYOUT=$out/layout.c RUSTFLAGS="--cfg tuntap_simulated" \
        "$cargo" test --quiet --locked --lib --target-dir "$out/simulated" -- --test-threads=1
}

simulated_lint() {
    RUSTFLAGS="--cfg tuntap_simulated" \
        "$cargo" clippy --quiet --locked --lib --tests --target-dir "$out/simulated" -- -D warnings
}

# cross COMMAND ARGUMENT...: RUSTC_BOOTSTRAP allows build-std, which is unstable, with a stable toolchain. Each target builds
# its own std, so several targets at once use all processors.
cross() {
    command=$1
    shift
    RUSTC=$cross_rustc RUSTC_BOOTSTRAP=1 CARGO_PROFILE_RELEASE_STRIP=none CARGO_TARGET_DIR="$out/target" \
        "$cross_cargo" "$command" --quiet --locked --lib -Zbuild-std=std,panic_abort "$@"
}

# compiler ARCH: creates a C compiler for macOS on ARCH, as one word.
compiler() {
    printf '#!/bin/sh\nexec %s cc -target %s-macos "$@"\n' "$zig" "$1" >"$out/cc-$1"
    chmod +x "$out/cc-$1"
}

# linker ARCH: creates a C compiler that only links, with LLVM's linker, because zig's does not support a list of exported
# symbols. It uses zig's stubs of libSystem, which are for arm64e: its symbols are the same as those of arm64.
linker() {
    sed 's/arm64e\.x1-/arm64-/g; s/arm64e-/arm64-/g' "$stubs" >"$out/libSystem.tbd"
    cat >"$out/ld-$1" <<EOF
#!/bin/sh
for word; do
    shift
    case \$word in
    -dynamiclib) set -- "\$@" -dylib ;;
    -Wl,*,*) set -- "\$@" "\$(echo "\${word#-Wl,}" | cut -d, -f1)" "\${word##*,}" ;;
    -Wl,*) set -- "\$@" "\${word#-Wl,}" ;;
    *) set -- "\$@" "\$word" ;;
    esac
done
exec $lld -arch $(echo "$1" | sed 's/aarch64/arm64/') -platform_version macos 11.0 11.0 "\$@" "$out/libSystem.tbd"
EOF
    chmod +x "$out/ld-$1"
}

# link ARCH: links the library as make does on a Mac.
link() {
    cross rustc --target "$1-apple-darwin" --release --crate-type staticlib || return
    rm -rf "${out:?}/$1"
    make -s SYSTEM=Darwin CARGO=true CC="$out/ld-$1" BUILD="build/darwin/$1" \
        RUST_LIB="build/darwin/target/$1-apple-darwin/release/libtuntap.a" "build/darwin/$1/libtuntap.0.dylib"
}

# identity ARCH: checks the names and versions that the dynamic linker uses.
identity() {
    llvm-objdump --macho --dylib-id --dylibs-used "$out/$1/libtuntap.0.dylib" | tee "$out/$1/identity"
    grep -q '^@rpath/libtuntap\.0\.dylib$' "$out/$1/identity" &&
        grep -q 'libtuntap\.0\.dylib (compatibility version 0\.0\.0, current version '"$version"')' "$out/$1/identity" &&
        ! grep -v 'libtuntap\|libSystem\.B\.dylib' "$out/$1/identity"
}

# symbols ARCH: the library exports exactly the functions of the header.
symbols() {
    grep -v '^ \*' include/tuntap.h | grep -o '\btuntap_[a-z0-9_]*(' | sed 's/^/_/; s/($//' | sort -u >"$out/wanted"
    llvm-nm --extern-only --defined-only --just-symbol-name "$out/$1/libtuntap.0.dylib" | sort >"$out/$1/found"
    test -s "$out/wanted" && diff "$out/wanted" "$out/$1/found"
}

# layout ARCH: the backend's constants equal those of the headers, and a wrong constant is detected.
layout() {
    "$out/cc-$1" -std=c11 -c -o "$out/layout.o" "$out/layout.c" || return
    sed 's/== 100ULL/== 101ULL/' "$out/layout.c" >"$out/wrong.c"
    ! cmp -s "$out/layout.c" "$out/wrong.c" && ! "$out/cc-$1" -std=c11 -c -o "$out/layout.o" "$out/wrong.c" 2>/dev/null
}

# program ARCH FILE: compiles and links with the header and the library.
program() {
    # shellcheck disable=SC2086 # a list of words
    "$out/cc-$1" $warnings -D_DARWIN_C_SOURCE -Iinclude -o "$out/$1/$(basename "$2" .c)" "$2" -L"$out/$1" -ltuntap \
        -Wl,-rpath,@loader_path
}

# Programs that include <sched.h> use unshare(), which only Linux has.
programs() {
    grep -L '#include <sched.h>' examples-c/*.c
    echo tests/darwin/check.c
}

mkdir -p "$out"
try "darwin, simulated: tests" simulated
try "darwin, simulated: lint" simulated_lint

if ! test -d "$("$cross_rustc" --print sysroot)/lib/rustlib/src/rust/library"; then
    skip "darwin, ios, bsd" "std's source is not installed (rustup component add rust-src)"
    finish
fi
try "freebsd, netbsd, openbsd, ios: type-check" cross check --target x86_64-unknown-freebsd \
    --target x86_64-unknown-netbsd --target x86_64-unknown-openbsd --target aarch64-apple-ios

zig="$python -m ziglang"
stubs=$("$python" -c 'import ziglang; print(ziglang.__path__[0])' 2>/dev/null)/lib/libc/darwin/libSystem.tbd
lld=$(command -v ld64.lld || command -v ld64.lld-14)
if ! test -f "$stubs"; then
    skip "darwin" "ziglang is not installed"
    finish
elif ! [ "$lld" ]; then
    skip "darwin" "LLVM's linker is not installed"
    finish
fi
for arch in aarch64 x86_64; do
    compiler "$arch" && linker "$arch"
    try "$arch-apple-darwin: the backend's numbers are Darwin's" layout "$arch"
    try "$arch-apple-darwin: links" link "$arch"
    if have "$arch-apple-darwin: identity" llvm-objdump; then
        try "$arch-apple-darwin: identity" identity "$arch"
        try "$arch-apple-darwin: exports the header's functions" symbols "$arch"
    fi
    for file in $(programs); do
        try "$arch-apple-darwin: $file" program "$arch" "$file"
    done
done
finish
