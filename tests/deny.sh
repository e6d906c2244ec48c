#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the dependencies against deny.toml: licences, sources, duplicate versions. CARGO_DENY is the program.
# Usage: deny.sh [advisories]: with that word, also published vulnerabilities, from RustSec's git repository.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
deny=${CARGO_DENY:-cargo-deny}

# check MANIFEST WHAT...
check() {
    manifest=$1
    shift
    "$deny" --config deny.toml --manifest-path "$manifest" --locked --color never check --hide-inclusion-graph "$@"
}

have "deny" "$deny" || finish
try "deny: Cargo.toml, duplicates" check Cargo.toml bans
for manifest in Cargo.toml fuzz/Cargo.toml tests/header/Cargo.toml; do
    try "deny: $manifest, licences, sources" check "$manifest" licenses sources
    [ "${1:-}" != advisories ] || try "deny: $manifest, advisories" check "$manifest" advisories
done
[ "${1:-}" = advisories ] ||
    echo "note  deny: advisories were not checked, because that needs a network: run \`make check-advisories\`"
finish
