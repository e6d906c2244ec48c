#!/bin/sh
# SPDX-License-Identifier: MIT
# tuntap.hpp wraps every function and constant of tuntap.h, compiles without a warning, adds no call to a loop over
# packets, and works on real devices, also with AddressSanitizer and UndefinedBehaviorSanitizer. clang++ is tried if it
# is installed.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
out=build/tests/cpp
mkdir -p "$out"
cxx=${CXX:-g++} python=${PYTHON:-python3}
have cpp "$cxx" || finish
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
include=$(pkg-config --variable=includedir tuntap)
flags="$(pkg-config --cflags --libs tuntap) -Wl,-rpath,$(pkg-config --variable=libdir tuntap)"

# wraps SED: tuntap.hpp uses each name that sed finds in tuntap.h. TUNTAP_MESSAGE_SIZE and the numbers of the version
# are for C and for the preprocessor.
wraps() {
    sed -e 's|/\*.*\*/||' -e '/^ *\/\*/,/\*\//d' "$include/tuntap.hpp" >"$out/code"
    sed -n "$1" "$include/tuntap.h" | grep -vE '^TUNTAP_(MESSAGE_SIZE|VERSION_.*)$' | sort -u >"$out/names"
    [ "$(wc -l <"$out/names")" -gt 90 ] || { echo "few names in tuntap.h"; return 1; }
    ! while read -r name; do grep -qw "$name" "$out/code" || echo "$name"; done <"$out/names" | grep .
}

# An enumerator has the name of its constant: `busy = TUNTAP_REASON_BUSY`.
same_names() {
    sed -n 's/^    \([a-z0-9_]*\) = \(TUNTAP_[A-Z0-9_]*\),$/\1 \2/p' "$include/tuntap.hpp" |
        awk '{ sub(/_$/, "", $1); if (tolower($2) !~ "_" $1 "$") { print; wrong = 1 } } END { exit wrong || NR < 90 }'
}

# compiles COMPILER OPTION...
compiles() {
    # shellcheck disable=SC2086 # a list of words
    try "cpp: $*" "$@" $warnings -I"$include" -c -o "$out/alone.o" "$out/alone.cc"
}

needs_exceptions() {
    ! "$cxx" -std=c++17 -fno-exceptions -I"$include" -fsyntax-only "$out/alone.cc" 2>"$out/log" || return 1
    cat "$out/log"
    grep -q 'error.*Without exceptions, use tuntap.h' "$out/log"
}

# calls OBJECT: what it calls, without the end of the program at an exception.
calls() {
    nm -u "$1" | awk '$2 !~ /^__gxx_personality_v0$|^__cxa_begin_catch$|terminate/ { print $2 }'
}

# The same loops in C and in C++ call the same functions.
adds_no_call() {
    # shellcheck disable=SC2086
    {
        "${CC:-cc}" -std=c99 $warnings -O2 -I"$include" -c -o "$out/loops-c.o" tests/cpp/loops.c || return 1
        "$cxx" -std=c++17 $warnings -O2 -I"$include" -c -o "$out/loops-cpp.o" tests/cpp/loops.cc || return 1
    }
    calls "$out/loops-c.o" >"$out/calls-c"
    calls "$out/loops-cpp.o" >"$out/calls-cpp"
    grep -q tuntap_reader_next "$out/calls-c" && diff "$out/calls-c" "$out/calls-cpp"
}

# build PROGRAM SOURCE OPTION...
build() {
    program=$1 source=$2
    shift 2
    # shellcheck disable=SC2086
    "$cxx" $warnings -g -pthread "$@" -o "$program" "$source" $flags
}

# run TEST OPTION...
run() {
    test=$1
    shift
    build "$out/$test" "tests/cpp/$test.cc" "$@" && in_private timeout -k 5 120 "$out/$test"
}

# The README's program, on a device that is deleted when it has read a packet.
readme() {
    awk '/^```cpp$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md >"$out/readme.cc"
    build "$out/readme" "$out/readme.cc" -std=c++17 -O1 || return 1
    # shellcheck disable=SC2016 # for the inner shell
    in_private timeout -k 5 120 sh -e -c '
        "$1" >"$1.log" 2>&1 &
        pid=$!
        until ip link show vpn0 up 2>/dev/null | grep -q UP; do kill -0 $pid; sleep 0.1; done
        ip -j address show vpn0 | grep "\"local\":\"10.8.0.1\",\"prefixlen\":24"
        "$2" -c "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b\"x\", (\"10.8.0.2\", 9))"
        until [ "$(ip -s link show vpn0 | awk "/TX:/ { getline; print \$2 }")" -gt 0 ]; do sleep 0.1; done
        ip link delete vpn0
        ! wait $pid || exit 1
        cat "$1.log"
        grep -q "^a packet of [0-9]* bytes$" "$1.log"
        grep -q "device is gone" "$1.log"' sh "$out/readme" "$python"
}

printf '#include <tuntap.hpp>\n#include <tuntap.hpp>\n' >"$out/alone.cc"
try "cpp: every function is wrapped" wraps 's/^[a-z].*[ *]\(tuntap_[a-z0-9_]*\)(.*/\1/p'
try "cpp: every constant is wrapped" wraps 's/^#define \(TUNTAP_[A-Z0-9_]*\) .*/\1/p'
try "cpp: enumerators have the names of constants" same_names
compiler_matrix() {
    for standard in c++17 c++20 c++2b; do compiles "$@" -std=$standard; done
    compiles "$@" -std=c++17 -fno-rtti
}
compiler_matrix "$cxx"
if command -v clang++ >/dev/null; then compiler_matrix clang++; fi
# clang with libc++.
if "$python" -c 'import ziglang' 2>/dev/null; then
    compiles "$python" -m ziglang c++ -std=c++17
    compiles "$python" -m ziglang c++ -std=c++2b
    compiles "$python" -m ziglang c++ -std=c++17 -target aarch64-macos
    compiles "$python" -m ziglang c++ -std=c++17 -target x86_64-windows-gnu
else
    skip "cpp: zig c++" "ziglang is not installed"
fi
try "cpp: -fno-exceptions is refused with a reason" needs_exceptions
try "cpp: a loop over packets has the calls of C" adds_no_call
sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
# shellcheck disable=SC2086
for source in tests/cpp/*.cc; do
    test=$(basename "$source" .cc)
    [ "$test" != loops ] || continue
    try "cpp: $test" run "$test" -std=c++17 -O2
    try "cpp: $test, C++20, sanitizers" run "$test" -std=c++20 -O1 $sanitizers
done
try "cpp: the README's program" readme
finish
