#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs into an empty prefix, links a program with it in each usual way, and runs the program. Then uninstalls, and
# checks that nothing is left.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
export PKG_CONFIG_PATH="$prefix/lib64/pkgconfig"

strict="-Wall -Wextra -Wpedantic -Werror"
program=tests/links/program.c

# build_and_run COMPILER FLAGS...: the flags end with the libraries.
build_and_run() {
    "$@" -o "$work/program" || return 1
    LD_LIBRARY_PATH="$prefix/lib64" "$work/program"
}

try "links: install" make -s install PREFIX="$prefix" LIBDIR="$prefix/lib64"
try "links: the library, its links, header and .pc are there" sh -c "
    cd '$prefix' && test -L lib64/libtuntap.so && test -L lib64/libtuntap.so.0 && test -f lib64/libtuntap.a &&
    test -f include/tuntap.h && test -f include/tuntap.hpp && test -f include/tuntap.cdef.h && test \"\$(readlink lib64/libtuntap.so)\" = \"\$(readlink lib64/libtuntap.so.0)\""

if have "links: manual pages" "${PYTHON:-python3}"; then
    try "links: the manual pages are there" sh -c "
        cd '$prefix/share/man' && test -f man7/tuntap.7 && test -f man3/tuntap_open.3 && grep -q '^.so' man3/tuntap_set_mtu.3"
fi

# The first example is a whole program. The others are parts of a function, which has `dev`, `other` and so on.
readme_examples() {
    # shellcheck disable=SC2016 # the backquotes are Markdown's
    awk '/^```c$/ { n++; inside = 1; next } /^```$/ { inside = 0 } inside { print > file n ".c" }' \
        file="$work/readme" README.md
    # shellcheck disable=SC2086 # lists of words
    "${CC:-cc}" -std=c99 $strict -o "$work/readme" "$work/readme1.c" $dynamic || return 1
    rm "$work/readme1.c"
    for part in "$work"/readme[0-9]*.c; do
        given='tuntap *dev, tuntap *other, tuntap_error err, pthread_t thread'
        uses='(void)dev, (void)other, (void)err, (void)thread;'
        if ! grep -q '^tuntap_reader \*reader' "$part"; then
            given="$given, tuntap_reader *reader, tuntap_writer *writer" uses="$uses (void)reader, (void)writer;"
        fi
        {
            echo '#include <pthread.h>'
            echo '#include <stdio.h>'
            echo '#include <tuntap.h>'
            echo "void part($given);"
            echo "void part($given) { $uses"
            cat "$part"
            echo '}'
        } >"$work/part.c"
        # shellcheck disable=SC2086
        "${CC:-cc}" -std=c99 $strict -c -o "$work/part.o" "$work/part.c" $dynamic || return 1
    done
}

# with_cmake OPTION...: finds the library by its CMake package, links both forms of it, and runs them.
with_cmake() {
    rm -rf "$work/cmake"
    cmake -S tests/links -B "$work/cmake" "$@" && cmake --build "$work/cmake" && "$work/cmake/dynamic" && "$work/cmake/static"
}

# with_lld: the library and programs with both forms of it, linked by lld.
with_lld() {
    CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/build/cargo}" make -s library BUILD="$work/lld" LDFLAGS=-fuse-ld=lld || return
    tests/abi.sh "$work/lld/libtuntap.so" "$work/lld/libtuntap.a" || return
    "${CC:-cc}" -fuse-ld=lld -std=c99 -Iinclude -o "$work/program" "$program" "$work/lld/libtuntap.so" || return
    LD_LIBRARY_PATH="$work/lld" "$work/program" || return
    "${CC:-cc}" -fuse-ld=lld -std=c99 -Iinclude -static -Wl,--fatal-warnings -o "$work/program" "$program" \
        "$work/lld/libtuntap.a" -lpthread -ldl -lm || return
    "$work/program"
}

# A version that is too new is not found.
refuses_another_version() {
    ! cmake -S tests/links -B "$work/another" -Dtuntap_DIR="$prefix/lib64/cmake/tuntap" -DWANTED="$1" >"$work/refused" 2>&1 &&
        grep -q 'considered but not accepted' "$work/refused"
}

# NOTICE names each crate that is linked.
notice() {
    make -s all && readelf --debug-dump=info build/libtuntap.so | sed -n 's/.*DW_AT_name.*@\/\([a-z_]*\)\..*/\1/p' | sort -u >"$work/crates"
    grep -qx core "$work/crates" && tr -c '[:alnum:]_' '\n' <NOTICE | sort -u >"$work/named" &&
        ! grep -vx tuntap "$work/crates" | comm -23 - "$work/named" | grep .
}

dynamic=$(pkg-config --cflags --libs tuntap) static=$(pkg-config --cflags --libs --static tuntap)
# shellcheck disable=SC2086 # lists of words
{
    try "links: C99, dynamic" build_and_run "${CC:-cc}" -std=c99 $strict $program $dynamic
    try "links: C11, dynamic" build_and_run "${CC:-cc}" -std=c11 $strict $program $dynamic
    try "links: C99, wholly static" build_and_run "${CC:-cc}" -std=c99 $strict -static -Wl,--fatal-warnings $program $static
    try "links: C99, only libtuntap static" build_and_run "${CC:-cc}" -std=c99 $strict $program \
        -I"$prefix/include" "$prefix/lib64/libtuntap.a" -lpthread -ldl -lm
    if have "links: C++" g++; then
        try "links: C++11, dynamic" build_and_run g++ -x c++ -std=c++11 $strict $program $dynamic
        try "links: C++20, dynamic" build_and_run g++ -x c++ -std=c++20 $strict $program $dynamic
        try "links: C++11, wholly static" build_and_run g++ -x c++ -std=c++11 $strict -static -Wl,--fatal-warnings $program $static
    fi
}

if have "links: lld" ld.lld; then
    try "links: lld, dynamic and wholly static" with_lld
fi
if have "links: CMake" cmake; then
    try "links: CMake" with_cmake -Dtuntap_DIR="$prefix/lib64/cmake/tuntap"
    mv "$prefix" "$work/moved"
    try "links: CMake, of a folder that was moved" with_cmake -Dtuntap_DIR="$work/moved/lib64/cmake/tuntap"
    mv "$work/moved" "$prefix"
    try "links: CMake, an older version is wanted" with_cmake -Dtuntap_DIR="$prefix/lib64/cmake/tuntap" -DWANTED=0.0.1
    try "links: CMake, a newer version is wanted" refuses_another_version 0.99
    try "links: CMake, another major version is wanted" refuses_another_version 1
fi
try "links: NOTICE names the crates" notice
try "links: the README's examples compile" readme_examples
try "links: staged install" make -s install PREFIX=/usr DESTDIR="$work/staged"
try "links: a staged .pc names the prefix" grep -q '^prefix=/usr$' "$work/staged/usr/lib/pkgconfig/tuntap.pc"
try "links: uninstall" make -s uninstall PREFIX="$prefix" LIBDIR="$prefix/lib64"
try "links: nothing is left" sh -c "test -z \"\$(find '$prefix' ! -type d)\""
finish
