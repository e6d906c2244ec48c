#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the format, the lints and the licences of the linked crates.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
cargo=${CARGO:-cargo}

# licences: each linked crate has a licence that is compatible with MIT.
licences() {
    # shellcheck disable=SC2086 # a list of words
    "$cargo" tree --locked ${VENDORED:-} --edges normal --prefix none --format '{p} {l}' --target all |
        sed 's/ (\*)$//' | sort -u | grep -v '^libtuntap ' >"$work"
    test -s "$work" && ! grep -vE ' (MIT|MIT OR Apache-2.0|MIT/Apache-2.0|Apache-2.0 OR MIT)$' "$work"
}

# spdx: every source names its licence in its first three lines.
spdx() {
    missing=$(git ls-files '*.rs' '*.c' '*.h' '*.cc' '*.hpp' '*.lua' '*.sh' '*.py' '*.go' '*.toml' '*.in' Makefile '*/Makefile' .ci/run |
        grep -vE '^(Cargo|clippy|rustfmt)\.toml$|\.in$' |
        while read -r file; do head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file"; done)
    echo "$missing"
    test -z "$missing"
}

# versions: each package has the version of the library.
versions() {
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
    for line in "packaging/debian/changelog libtuntap ($version-" "packaging/rpm/libtuntap.spec Version:        $version" \
        "packaging/alpine/APKBUILD pkgver=$version" "packaging/arch/PKGBUILD pkgver=$version" \
        "packaging/nix/default.nix version = \"$version\";" "packaging/README.md libtuntap-$version.tar.xz"; do
        grep -qF "${line#* }" "${line%% *}" || { echo "${line%% *} does not contain: ${line#* }"; return 1; }
    done
}

work=$(mktemp)
trap 'rm -f "$work"' EXIT
if have "lint: cargo fmt" cargo-fmt; then
    try "lint: cargo fmt" "$cargo" fmt --check
    try "lint: cargo fmt, fuzz targets" "$cargo" fmt --check --manifest-path fuzz/Cargo.toml
    try "lint: cargo fmt, header" "$cargo" fmt --check --manifest-path tests/header/Cargo.toml
    try "lint: cargo fmt, benches" "$cargo" fmt --check --manifest-path benches/forwarder/tunrs/Cargo.toml
fi
if have "lint: cargo clippy" cargo-clippy; then
    # shellcheck disable=SC2086 # a list of words
    try "lint: cargo clippy" "$cargo" clippy --locked ${VENDORED:-} --quiet --all-targets -- -D warnings
    try "lint: cargo clippy, header" "$cargo" clippy --locked --quiet --manifest-path tests/header/Cargo.toml \
        --target-dir build/header -- -D warnings
fi
try "lint: licences" licences
try "lint: versions of the packages" versions
if in_git "lint: SPDX lines"; then
    try "lint: SPDX lines" spdx
fi
if have "lint: shellcheck" shellcheck; then
    # SC2317 mistakes the functions that `try` calls for dead code.
    try "lint: shellcheck" shellcheck -x -P SCRIPTDIR -e SC2317 .ci/run tests/*.sh tests/c/run.sh packaging/*.sh \
        packaging/debian/tests/p* benches/build.sh tests/darwin/check.sh tests/guest/init
fi
zizmor=${ZIZMOR:-zizmor}
if have "lint: zizmor" "$zizmor"; then
    try "lint: zizmor" "$zizmor" --offline --no-progress --quiet .github/workflows
fi
# CI does not have it: no package registry that CI uses has the program.
if command -v actionlint >/dev/null; then
    try "lint: actionlint" actionlint
else
    echo "note  lint: actionlint did not read the workflows, because it is not installed"
fi
finish
