#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh [TARGET ...]: fuzzes these targets, or all of fuzz/targets, with AddressSanitizer and overflow checks, for
# FUZZ_SECONDS each (20), starting from fuzz/corpus/TARGET.tar.gz. FUZZ_KEEP=1 adds the new inputs to that archive, and
# removes inputs that cover nothing more than others.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
cargo=${CARGO:-cargo}
seconds=${FUZZ_SECONDS:-20}
host=$(rustc -vV | sed -n 's/^host: //p')
out=$PWD/build/fuzz

# shellcheck disable=SC2046 # a list of words
[ $# -gt 0 ] || set -- $(basename -s .rs fuzz/targets/*.rs)

# RUSTC_BOOTSTRAP allows -Z options with a stable toolchain.
build() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
        -Cdebug-assertions -Coverflow-checks --cfg fuzzing -Ccodegen-units=1" \
        "$cargo" build --quiet --locked --release --manifest-path fuzz/Cargo.toml --target "$host" --target-dir "$out"
}

# run TARGET ARGUMENT...: returns 1 for a finding, because libFuzzer's own 77 would count as a skipped test.
run() {
    target=$1
    shift
    ASAN_OPTIONS=detect_odr_violation=0 "$out/$host/release/$target" -max_len=4096 -timeout=10 -error_exitcode=1 \
        -timeout_exitcode=1 -artifact_prefix="$out/$target-" "$@"
}

# pack FOLDER ARCHIVE: the same files always give the same bytes.
pack() {
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$1" -cf - . | gzip -9n >"$2"
}

# fuzz TARGET: writes new inputs to a separate folder, and a failing input to build/fuzz.
fuzz() {
    folder=$work/$1
    mkdir -p "$folder/known" "$folder/found" "$folder/least"
    [ ! -e "fuzz/corpus/$1.tar.gz" ] || tar -xzf "fuzz/corpus/$1.tar.gz" -C "$folder/known" || return
    run "$1" -max_total_time="$seconds" -print_final_stats=1 "$folder/found" "$folder/known" || return
    [ -n "${FUZZ_KEEP-}" ] || return 0
    run "$1" -merge=1 "$folder/least" "$folder/known" "$folder/found" && pack "$folder/least" "fuzz/corpus/$1.tar.gz"
}

if have "fuzz" "${CXX:-c++}"; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    try "fuzz: build" build
    for target; do
        try "fuzz: $target" fuzz "$target"
    done
fi
finish
