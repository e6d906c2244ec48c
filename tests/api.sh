#!/bin/sh
# SPDX-License-Identifier: MIT
# Calls every exported function with good and bad arguments, under AddressSanitizer. `make check-api` builds the library,
# TUNTAP_ASAN_LIBRARY. TUNTAP_API_VERBOSE=1 lists each function.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
out=build/tests/api
mkdir -p "$out"

generate() {
    PYTHONPATH=docs/reference PYTHONDONTWRITEBYTECODE=1 "${PYTHON:-python3}" tests/api/generate.py "${1:-include/tuntap.h}" abi/libtuntap.map
}

# refuses TEXT SED: the generator must fail with this text for a header that sed has changed.
refuses() {
    sed "$2" include/tuntap.h >"$out/changed.h"
    ! generate "$out/changed.h" 2>"$out/said" >/dev/null && grep -q "$1" "$out/said"
}

build() {
    # shellcheck disable=SC2086 # a list of words
    ${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Wshadow -Werror -g -O1 -pthread -fsanitize=address,undefined \
        -fno-sanitize-recover=undefined -Iinclude -Itests/api -o "$out/api" tests/api/*.c "$out/calls.c" \
        "$TUNTAP_ASAN_LIBRARY" -lpthread -ldl -lm
}

generate >"$out/calls.c" || exit 1
try "api: a function that is not in the map is an error" refuses tuntap_later 's/tuntap_wake(/tuntap_later(/'
try "api: a parameter of an unknown type is an error" refuses 'double' 's/int32_t milliseconds,/double milliseconds,/'
try "api: builds" build
[ "$failed" -gt 0 ] || try "api: every function" "$out/api"
finish
