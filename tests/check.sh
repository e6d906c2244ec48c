#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the parts of `make check` or `make check-all` that are given, one after the other, after a failure too. Shows the
# output of each, and an estimate of the time left. Ends with the time of each part and the sum of the tests:
# "N passed, N failed, N skipped". Usage: check.sh TITLE PART...
set -u
cd "$(dirname "$0")/.." || exit 1
title=$1
shift

# Usual seconds of the parts on two processors; of any other part: 30. An estimate needs no more.
declare -A usual=(
    [lint]=40 [check-core]=40 [check-abi]=30 [check-header]=5 [check-c]=130 [check-valgrind]=330 [check-asan]=220
    [check-api]=25 [check-tsan]=200 [check-faults]=25 [check-strace]=2 [check-seccomp]=10 [check-fuzz]=160
    [check-links]=5 [check-man]=8 [check-reproducible]=15 [check-dist]=45 [check-deny]=2 [check-bindings]=5 [check-cpp]=60
    [check-go]=35 [check-python]=90 [check-examples]=10 [check-benches]=25 [check-go-race]=50
    [check-wireguard-go]=60 [check-wireguard]=240 [check-darwin]=330 [check-targets]=300
)

seconds_of() {
    local part sum=0
    for part in "$@"; do sum=$((sum + ${usual[$part]:-30})); done
    echo "$sum"
}

minutes() {
    if [ "$1" -lt 60 ]; then echo "less than a minute"; else echo "about $((($1 + 30) / 60)) min"; fi
}

# Adds the results that the scripts (tests/common.sh) and cargo print.
count() {
    sed -n -e 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' \
        -e 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed; \([0-9]*\) ignored.*/\1 \2 \3/p' "$1" |
        awk '{ passed += $1; failed += $2; skipped += $3 } END { print passed + 0, failed + 0, skipped + 0 }'
}

mkdir -p build/check
: >build/times
total=$# number=0 begin=$SECONDS before=0 passed=0 failed=0 skipped=0 broken=''
for part in "$@"; do
    number=$((number + 1)) left=$(seconds_of "${@:number}") elapsed=$((SECONDS - begin))
    # A slow machine is slow for all parts.
    [ "$before" -lt 60 ] || left=$((left * elapsed / before))
    echo "== $title, part $number of $total: $part ($(minutes "$left") left)"
    part_begin=$SECONDS result=ok log=build/check/$part.log
    "${MAKE:-make}" --no-print-directory "$part" 2>&1 | tee "$log"
    if [ "${PIPESTATUS[0]}" -ne 0 ]; then
        result=FAILED broken="$broken, $part"
    fi
    read -r a b c <<<"$(count "$log")"
    passed=$((passed + a)) failed=$((failed + b)) skipped=$((skipped + c))
    spent=$((SECONDS - part_begin)) before=$((before + ${usual[$part]:-30}))
    printf '%-22s %3d:%02d  %-6s  %4d passed, %d failed, %d skipped\n' "$part" $((spent / 60)) $((spent % 60)) \
        "$result" "$a" "$b" "$c" >>build/times
done

echo "== $title: $(((SECONDS - begin) / 60)) min $(((SECONDS - begin) % 60)) s"
cat build/times
[ -z "$broken" ] || echo "failed: ${broken#, }"
echo "$passed passed, $failed failed, $skipped skipped"
[ -z "$broken" ]
