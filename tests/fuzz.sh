#!/bin/sh
# SPDX-License-Identifier: MIT
# Fuzzes the splitter and the joiner, with AddressSanitizer and overflow checks, for FUZZ_SECONDS each (60), beginning
# with what is in fuzz/corpus. FUZZ_KEEP=1 adds what was found to it.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
cargo=${CARGO:-cargo}
seconds=${FUZZ_SECONDS:-60}
host=$(rustc -vV | sed -n 's/^host: //p')
out=$PWD/build/fuzz

# RUSTC_BOOTSTRAP lets any stable toolchain instrument.
build() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
        -Cdebug-assertions -Coverflow-checks --cfg fuzzing -Ccodegen-units=1" \
        "$cargo" build --quiet --locked --release --manifest-path fuzz/Cargo.toml --target "$host" --target-dir "$out"
}

# fuzz TARGET: what it finds goes to a folder of its own, and a failing input to build/fuzz. A finding ends it with 1: its
# own 77 would be a test that was skipped.
fuzz() {
    mkdir -p "$out/found-$1" "fuzz/corpus/$1"
    ASAN_OPTIONS=detect_odr_violation=0 "$out/$host/release/$1" -max_total_time="$seconds" -max_len=2048 \
        -error_exitcode=1 -artifact_prefix="$out/" -print_final_stats=1 "$out/found-$1" "fuzz/corpus/$1" || return
    [ -z "${FUZZ_KEEP-}" ] || "$out/$host/release/$1" -merge=1 -max_len=2048 "fuzz/corpus/$1" "$out/found-$1"
}

if have "fuzz" "${CXX:-c++}"; then
    try "fuzz: build" build
    for target in split join; do
        try "fuzz: $target" fuzz "$target"
    done
fi
finish
