#!/bin/sh
# SPDX-License-Identifier: MIT
# dist.sh VERSION FOLDER: writes to FOLDER
#     libtuntap-VERSION.tar.xz          the files of the last commit
#     libtuntap-VERSION-vendor.tar.xz   the folder vendor/, with the crates that are linked into the library
#     SHA256SUMS                        the sums of both
# The same commit gives the same bytes, whoever runs this and when. SOURCE_DATE_EPOCH is the time of all files, or else the
# time of the commit. Needs GNU tar (TAR), and a network if cargo has not fetched the crates yet.
set -eu
cd "$(dirname "$0")/.."
name=libtuntap-$1 folder=$2
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
[ -z "$(git status --porcelain)" ] || echo "dist.sh: uncommitted changes are not part of it" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# pack NAME FOLDER
pack() {
    LC_ALL=C "${TAR:-tar}" --create --format=ustar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner \
        --mode=u=rwX,go=rX --directory "$work" "$2" | xz -T1 -6 >"$folder/$1.tar.xz"
}

mkdir -p "$folder" "$work/$name"
git archive HEAD | "${TAR:-tar}" --extract --directory "$work/$name"
"${CARGO:-cargo}" vendor --quiet --locked --manifest-path "$work/$name/Cargo.toml" "$work/vendor" >/dev/null
pack "$name" "$name"
pack "$name-vendor" vendor
(cd "$folder" && sha256sum "$name.tar.xz" "$name-vendor.tar.xz" >SHA256SUMS)
