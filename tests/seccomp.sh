#!/bin/sh
# SPDX-License-Identifier: MIT
# Verifies the table of docs/seccomp.md: every function works with these system calls only, each row is enough for its
# purpose, and each call is needed, except those of the C library.
# Needs an installed libtuntap, which pkg-config finds.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
out=$PWD/build/seccomp

# listed: prints the row and the name of each call of the table.
listed() {
    awk -F '|' 'NF == 5 && $4 ~ /`/ { gsub(/[ `]+/, " ", $4); n = split($4, calls, " ")
        for (i = 1; i <= n; i++) print row($2), calls[i] }
        function row(text) { gsub(/ /, "", text); return text }' docs/seccomp.md
}

build() {
    mkdir -p "$out"
    listed | while read -r row call; do
        echo "{\"$call\", SYS_$call, $(echo "$row" | tr '[:lower:]' '[:upper:]')},"
    done >"$out/calls.h"
    # shellcheck disable=SC2046 # lists of words
    ${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Wshadow -Werror -O1 -g -Itests/c -I"$out" -o "$out/sandboxed" \
        tests/seccomp/sandboxed.c $(pkg-config --cflags --libs tuntap) \
        -Wl,-rpath,"$(pkg-config --variable=libdir tuntap)"
}

# sandboxed WHAT [CALL]
sandboxed() {
    timeout -k 5 60 "$out/sandboxed" "$@"
}

every_function() {
    sandboxed all >"$out/called"
    result=$?
    [ "$result" = 0 ] || { tail -n 1 "$out/called"; return "$result"; }
    sed -n 's/^\(tuntap_[a-z0-9_]*\)(.*/\1/p' "$out/called" | sort -u >"$out/functions"
    sed -n 's/^ *\(tuntap_[a-z0-9_]*\);/\1/p' abi/libtuntap.map | sort | diff - "$out/functions"
}

# each_is_needed ROW: without any call of the row, the filter ends sandboxed, which returns 3 then. Each run creates one
# filter: do not run it thousands of times.
each_is_needed() {
    not_needed=
    for call in $(listed | awk -v row="$1" '$1 == row { print $2 }'); do
        sandboxed "$1" "$call" >"$out/needed" 2>&1
        case $? in
        3) ;;
        77) cat "$out/needed" && return 77 ;;
        *) not_needed="$not_needed $call" ;;
        esac
    done
    echo "not needed:$not_needed"
    test -z "$not_needed"
}

if [ "$(uname -m)" != x86_64 ]; then
    skip "seccomp" "the list is for x86-64 only"
    finish
fi
try "seccomp: build" build
[ "$failed" -eq 0 ] || finish
try "seccomp: every function, with only the listed calls" every_function
for row in opening configuring packets monitors namespaces oldkernels; do
    try "seccomp: $row, with the calls of its row" sandboxed "$row"
    try "seccomp: $row, each call of its row is needed" each_is_needed "$row"
done
finish
