#!/bin/sh
# SPDX-License-Identifier: MIT
# Measures how much of the library the Rust tests and the C tests run: a table of files, and the functions that no test
# calls. LLVM_COV and LLVM_PROFDATA are LLVM's tools, at least of the version of rustc's own LLVM.
set -u
cd "$(dirname "$0")/.." || exit 1
cargo=${CARGO:-cargo}
host=$(rustc -vV | sed -n 's/^host: //p')
major=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
out=$PWD/build/coverage

# tool NAME: prints the tool with the version in its name, or rustup's, or the one in PATH.
tool() {
    for place in "$(command -v "$1-$major")" "$(rustc --print sysroot)/lib/rustlib/$host/bin/$1" "$(command -v "$1")"; do
        if [ -x "$place" ]; then
            echo "$place"
            return
        fi
    done
    echo "$1 is not installed (Debian: llvm-$major; rustup: llvm-tools)" >&2
    return 1
}
cov=${LLVM_COV:-$(tool llvm-cov)} && profdata=${LLVM_PROFDATA:-$(tool llvm-profdata)} || exit 1

rm -rf "$out/profiles"
export RUSTFLAGS="${RUSTFLAGS:-} -Cinstrument-coverage"

# instrumented COMMAND...: with optimization, because tests of packets would otherwise take minutes.
instrumented() {
    "$cargo" --config profile.dev.package.libtuntap.opt-level=1 "$@" --locked --quiet --target-dir "$out/target"
}

# Runs the Rust tests, and lists their programs.
export LLVM_PROFILE_FILE="$out/profiles/rust/%p-%m.profraw"
instrumented test >"$out/core.log" 2>&1 || { cat "$out/core.log"; exit 1; }
instrumented test --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' >"$out/rust"
tail -n 4 "$out/core.log"

# Runs the C tests with an instrumented static library. A test that ends by _exit or a signal writes no counters, and is not
# included.
instrumented rustc --lib --crate-type staticlib || exit
export LLVM_PROFILE_FILE="$out/profiles/c/%p-%m.profraw"
TUNTAP_COVERAGE_LIBRARY="$out/target/debug/libtuntap.a" tests/c/run.sh coverage "$@" | grep -v '^ok '
find build/tests/coverage -type f ! -name '*.log' ! -name '*.status' >"$out/c"

# export_of PROGRAMS: separate for each language, because LLVM merges functions of the same name.
export_of() {
    "$profdata" merge -sparse -o "$out/$1.profdata" "$out/profiles/$1"/*.profraw || return
    first=$(head -n 1 "$out/$1")
    rest=$(tail -n +2 "$out/$1" | sed 's/^/-object=/')
    for format in text lcov; do
        # shellcheck disable=SC2086 # a list of words
        "$cov" export "$first" $rest -instr-profile="$out/$1.profdata" --skip-expansions --format=$format \
            --sources src >"$out/$1.$format" || return
    done
}
export_of rust && export_of c && "${PYTHON:-python3}" tests/coverage.py "$out" rust c | tee "$out/report"
