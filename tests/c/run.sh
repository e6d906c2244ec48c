#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the C tests against an installed libtuntap (found with pkg-config) and runs each, in namespaces of its
# own. Usage: run.sh plain|valgrind|asan|faults [TEST.c ...]
set -u
cd "$(dirname "$0")" || exit 1
. ../common.sh

how=$1
shift
if [ $# -eq 0 ] && [ "$how" = faults ]; then
    set -- faults/*.c
elif [ $# -eq 0 ]; then
    set -- function/*.c pytun/*.c stress/*.c
fi

out=../../build/tests/$how
mkdir -p "$out"
warnings="-std=c99 -Wall -Wextra -Wpedantic -Wshadow -Werror -g -O1 -pthread"
seconds=120

case $how in
plain)
    flags="$(pkg-config --cflags --libs tuntap) -Wl,-rpath,$(pkg-config --variable=libdir tuntap)"
    under= ;;
faults)
    # Each system call fails in turn: TUNTAP_FAULTS=all with every errno.
    flags="$(pkg-config --cflags --libs tuntap) -Wl,-rpath,$(pkg-config --variable=libdir tuntap)"
    under=
    seconds=600 ;;
valgrind)
    have "$how" valgrind || finish
    flags="$(pkg-config --cflags --libs tuntap) -Wl,-rpath,$(pkg-config --variable=libdir tuntap)"
    under="valgrind --quiet --vgdb=no --error-exitcode=9 --leak-check=full --show-leak-kinds=all
        --errors-for-leak-kinds=all --track-fds=yes --child-silent-after-fork=yes" ;;
asan)
    # An archive in which the library is instrumented too: `make check-asan` builds it.
    flags="$(pkg-config --cflags tuntap) $TUNTAP_ASAN_LIBRARY -lpthread -ldl -lm"
    flags="-fsanitize=address,undefined -fno-sanitize-recover=undefined $flags"
    under= ;;
*)
    echo "run.sh: plain, valgrind, asan or faults" >&2
    exit 2 ;;
esac

build_and_run() {
    program=$out/$(echo "${1%.c}" | tr / -)
    # shellcheck disable=SC2086 # lists of words
    ${CC:-cc} $warnings -I. -o "$program" "$1" $flags || return 1
    # shellcheck disable=SC2086
    TEST_HOW=$how timeout -k 5 "$seconds" $under "$program" || return
    [ "$how" != faults ] || sed -n '$s/^/      /p' "$log" >&3
    [ "$how" != valgrind ] || no_descriptor_is_open
}

# valgrind tells of descriptors that are open at the end, but does not fail for them.
no_descriptor_is_open() {
    awk '/Open file descriptor/ { open++ } /<inherited from parent>/ { open-- } END { exit open > 0 }' "$log"
}

# What the log of a test that passed still tells goes past it.
exec 3>&1
for test; do
    try "$how ${test%.c}" build_and_run "$test"
done
finish
