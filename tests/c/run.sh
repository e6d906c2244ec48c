#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the C tests with an installed libtuntap (found by pkg-config) and runs each in its own namespaces: JOBS at a time
# (default: the number of processors), and then, one by one, those that load the machine. Shows the output of each test in
# the order of the list. Usage: run.sh plain|valgrind|asan|tsan|coverage|faults|build [TEST.c ...]; `build` runs
# nothing. OUT is another folder for the programs.
set -u
cd "$(dirname "$0")" || exit 1
. ../common.sh

how=$1
shift
if [ "${1:-}" = --one ]; then
    one=$2
elif [ $# -eq 0 ] && [ "$how" = faults ]; then
    set -- faults/*.c
elif [ $# -eq 0 ]; then
    set -- function/*.c pytun/*.c programs/*.c stress/*.c
fi

out=${OUT:-../../build/tests/$how}
mkdir -p "$out"
warnings="-std=c99 -Wall -Wextra -Wpedantic -Wshadow -Werror -g -O1 -pthread"
seconds=${TEST_SECONDS:-120}

case $how in
plain | build)
    flags="$(${PKG_CONFIG:-pkg-config} --cflags --libs tuntap) -Wl,-rpath,$(${PKG_CONFIG:-pkg-config} --variable=libdir tuntap)"
    under= ;;
faults)
    flags="$(${PKG_CONFIG:-pkg-config} --cflags --libs tuntap) -Wl,-rpath,$(${PKG_CONFIG:-pkg-config} --variable=libdir tuntap)"
    under=
    seconds=900 ;;
valgrind)
    have "$how" valgrind || finish
    flags="$(${PKG_CONFIG:-pkg-config} --cflags --libs tuntap) -Wl,-rpath,$(${PKG_CONFIG:-pkg-config} --variable=libdir tuntap)"
    under="valgrind --quiet --vgdb=no --error-exitcode=9 --leak-check=full --show-leak-kinds=all
        --errors-for-leak-kinds=all --track-fds=yes --child-silent-after-fork=yes --suppressions=valgrind.supp" ;;
asan)
    # A static library that is instrumented too: `make check-asan` builds it.
    flags="$(${PKG_CONFIG:-pkg-config} --cflags tuntap) $TUNTAP_ASAN_LIBRARY -lpthread -ldl -lm"
    flags="-fsanitize=address,undefined -fno-sanitize-recover=undefined $flags"
    under= ;;
tsan)
    # The same for threads: `make check-tsan`. Older runtimes do not support the address randomization of newer kernels.
    flags="$(${PKG_CONFIG:-pkg-config} --cflags tuntap) ../tsan/memory.c $TUNTAP_TSAN_LIBRARY -lpthread -ldl -lm"
    flags="-fsanitize=thread -Wno-psabi $flags"
    under="setarch -R" ;;
coverage)
    # The same with coverage counters: `make coverage` builds it. LLVM's runtime writes the counters.
    flags="$(${PKG_CONFIG:-pkg-config} --cflags tuntap) -Wl,-u,__llvm_profile_runtime $TUNTAP_COVERAGE_LIBRARY -lpthread -ldl -lm"
    under= ;;
*)
    echo "run.sh: plain, valgrind, asan, tsan, coverage, faults or build" >&2
    exit 2 ;;
esac

# build_and_run TEST.c PROGRAM: writes the output to PROGRAM.log.
build_and_run() {
    # shellcheck disable=SC2086 # lists of words
    ${CC:-cc} $warnings -I. -o "$2" "$1" $flags || return 1
    [ "$how" != build ] || return 0
    # shellcheck disable=SC2086
    TEST_HOW=$how timeout -k 5 "$seconds" $under "$2" || return
    [ "$how" != valgrind ] || no_descriptor_is_open "$2.log"
}

# valgrind reports descriptors that are open at the end, but does not fail for them.
no_descriptor_is_open() {
    awk '/Open file descriptor/ { open++ } /<inherited from parent>/ { open-- } END { exit open > 0 }' "$1"
}

# program_of TEST.c: the path of its program. NAME.log is beside it, and after its end NAME.status.
program_of() {
    echo "$out/$(echo "${1%.c}" | tr / -)"
}

if [ "${one:-}" ]; then
    program=$(program_of "$one")
    build_and_run "$one" "$program" >"$program.log" 2>&1
    status=$?
    # With the static library a program has 20 MB or more. It stays only if it failed.
    case $how-$status in asan-0 | tsan-0) rm "$program" ;; esac
    echo $status >"$program.ended" && mv "$program.ended" "$program.status"
    exit
fi

# report TEST.c: waits until the test ends, or the process that runs the tests is gone.
report() {
    program=$(program_of "$1")
    until [ -e "$program.status" ]; do
        kill -0 "$runner" 2>/dev/null || [ -e "$program.status" ] || echo 1 >"$program.status"
        sleep 0.1
    done
    try "$how ${1%.c}" sh -c "cat '$program.log'; exit $(cat "$program.status")"
    [ "$how" != faults ] || sed -n '$s/^/      /p' "$program.log"
}

# run_all JOBS TEST.c ...
run_all() {
    jobs=$1
    shift
    [ $# -gt 0 ] || return 0
    for test; do rm -f "$(program_of "$test").status"; done
    printf '%s\0' "$@" | xargs -0 -r -n 1 -P "$jobs" "./${0##*/}" "$how" --one &
    runner=$!
    trap 'kill "$runner"; exit 1' INT TERM HUP
    for test; do report "$test"; done
    wait "$runner"
}

# The tests of stress/ run alone.
together='' alone=''
for test; do
    case $test in
    stress/*) alone="$alone $test" ;;
    *) together="$together $test" ;;
    esac
done
# shellcheck disable=SC2086 # lists of words
{
    run_all "${JOBS:-$(nproc)}" $together
    run_all 1 $alone
}
finish
