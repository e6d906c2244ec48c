#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the C tests against an installed libtuntap (found with pkg-config) and runs each in namespaces of its
# own. Usage: run.sh plain|valgrind|asan [TEST.c ...]. Ends with a line "N passed, N failed, N skipped"; with
# CI=true a skipped test is a failed one.
set -u
cd "$(dirname "$0")" || exit 1
how=$1
shift
[ $# -gt 0 ] || set -- function/*.c pytun/*.c stress/*.c

out=../../build/tests/$how
mkdir -p "$out"
warnings="-std=c99 -Wall -Wextra -Wpedantic -Wshadow -Werror -g -O1"
passed=0 failed=0 skipped=0

# What to compile with, and what to run under.
flags="$(pkg-config --cflags --libs tuntap) -Wl,-rpath,$(pkg-config --variable=libdir tuntap)" || exit 1
limit=120
under=
case $how in
plain) ;;
valgrind)
    under="valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all
        --track-fds=yes --child-silent-after-fork=yes --suppressions=valgrind.supp" ;;
asan)
    # The library comes instrumented too, as an archive: see `make check-asan`.
    flags="-fsanitize=address,undefined -fno-sanitize-recover=undefined $(pkg-config --cflags tuntap) $TUNTAP_ASAN_LIBRARY -lpthread -ldl -lm" ;;
*)
    echo "run.sh: plain, valgrind or asan" >&2
    exit 2 ;;
esac

run() {
    name=${1%.c}
    program=$out/$(echo "$name" | tr / -)
    log=$program.log
    # shellcheck disable=SC2086 # lists of words
    if ! ${CC:-cc} $warnings -I. -o "$program" "$1" $flags -pthread >"$log" 2>&1; then
        status=1
    else
        # shellcheck disable=SC2086
        timeout "$limit" $under "$program" >"$log" 2>&1
        status=$?
    fi
    case $status in
    0) passed=$((passed + 1)); echo "ok    $how $name" ;;
    77) skipped=$((skipped + 1)); echo "SKIP  $how $name: $(grep '^SKIP' "$log" | cut -d' ' -f2-)" ;;
    *) failed=$((failed + 1)); echo "FAIL  $how $name (status $status)"; sed 's/^/      /' "$log" ;;
    esac
}

for test; do
    run "$test"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] || exit 1
[ "${CI:-}" != true ] || [ "$skipped" -eq 0 ]
