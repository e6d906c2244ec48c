#!/bin/sh
# SPDX-License-Identifier: MIT
# The header is what cbindgen generates, and programs that were compiled with the header of abi/libtuntap.abi still run:
# no constant, member or function that they rely on is different. `make abi` records new ones.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

current() {
    "${CARGO:-cargo}" fetch --quiet --locked --manifest-path tests/header/Cargo.toml >"$work/fetched" 2>&1 || {
        echo "SKIP: cargo cannot fetch cbindgen: $(tail -n 1 "$work/fetched" | sed 's/^ *//')"
        return 77
    }
    make -s generated-header || return
    diff build/tuntap.h include/tuntap.h && return
    echo "include/tuntap.h is not what is generated from src/capi: run \`make header\`"
    return 1
}

# facts HEADER: what programs rely on.
facts() {
    PYTHONPATH=docs/reference "$python" -B abi/describe.py "$1" | sort
}

# keeps HEADER: whether it has all that abi/libtuntap.abi has.
keeps() {
    facts "$1" >"$work/new" && [ -s "$work/new" ] && sort abi/libtuntap.abi | comm -23 - "$work/new" >"$work/lost" || return
    [ -s "$work/lost" ] || return 0
    echo "compiled programs rely on the following, which is gone or has changed:"
    cat "$work/lost"
    return 1
}

recorded() {
    facts include/tuntap.h >"$work/new" && sort abi/libtuntap.abi | comm -13 - "$work/new" >"$work/added" || return
    [ -s "$work/added" ] || return 0
    echo "abi/libtuntap.abi does not have this: run \`make abi\`"
    cat "$work/added"
    return 1
}

# notices SED: whether a header that is changed so fails.
notices() {
    sed "$1" include/tuntap.h >"$work/changed.h"
    ! cmp -s include/tuntap.h "$work/changed.h" && ! keeps "$work/changed.h" && [ -s "$work/lost" ]
}

try "compatible: tuntap.h is current" current
if ! have "compatible" "$python"; then
    finish
fi
try "compatible: compiled programs still run" keeps include/tuntap.h
try "compatible: everything is recorded" recorded
try "compatible: notices a wider member" notices '/^typedef struct tuntap_addr {/,/^}/s/uint32_t scope;/uint64_t scope;/'
try "compatible: notices two swapped members" notices '/^typedef struct tuntap_addr {/,/^}/{s/ valid;/ other;/;s/ preferred;/ valid;/;s/ other;/ preferred;/}'
try "compatible: notices another type of a parameter" notices 's/^int tuntap_set_mtu(tuntap \*dev, uint32_t/int tuntap_set_mtu(tuntap *dev, uint64_t/'
try "compatible: notices another number" notices 's/^\(#define TUNTAP_OFFLOAD\) .*/\1 0x40000000/'
try "compatible: notices a function that is gone" notices '/^const char \*tuntap_version(void);/d'
finish
