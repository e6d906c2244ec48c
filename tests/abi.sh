#!/bin/sh
# SPDX-License-Identifier: MIT
# The header, the symbol map, the shared library and the static library have the same functions, and each function has a
# C test that calls it.
# Usage: abi.sh LIBTUNTAP.so LIBTUNTAP.a
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
shared=$1 static=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n 's/^[a-z].*[ *]\(tuntap_[a-z0-9_]*\)(.*/\1/p' include/tuntap.h | sort >"$work/header"
sed -n 's/^ *\(tuntap_[a-z0-9_]*\);/\1/p' abi/libtuntap.map | sort >"$work/map"
nm -D --defined-only "$shared" | awk '$2 != "A" { print $3 }' | sort >"$work/shared-versions"
sed 's/@@.*//' "$work/shared-versions" >"$work/shared"
nm -g --defined-only "$static" | awk 'NF == 3 { print $3 }' | sort >"$work/static"

[ "$(wc -l <"$work/header")" -gt 30 ] || failure "abi: the header's functions are found"
for list in map shared static; do
    try "abi: header and $list agree" diff "$work/header" "$work/$list"
done
try "abi: every symbol has a version" sh -c "! grep -v '@@TUNTAP_[0-9.]*$' '$work/shared-versions'"
try "abi: the soname is libtuntap.so.0" sh -c "readelf -d '$shared' | grep -q 'soname: \[libtuntap.so.0\]'"

untested=$(while read -r function; do
    test=tests/c/function/${function#tuntap_}.c
    grep -qs "\b$function(" "$test" || echo "$test does not exist or does not call $function"
done <"$work/map")
try "abi: every function has a C test" test -z "$untested"
[ -z "$untested" ] || echo "$untested"
finish
