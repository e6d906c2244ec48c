#!/bin/sh
# SPDX-License-Identifier: MIT
# Two builds in two folders, with two cargo homes, install the same bytes, and no installed file names either folder.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo_home=${CARGO_HOME:-$HOME/.cargo}
export RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"

# install_into FOLDER: builds and installs the current folder.
install_into() {
    make -s all && make -s install PREFIX=/usr DESTDIR="$work/$1"
}

# A copy of the sources under a longer name, and a cargo home with the downloads.
elsewhere() {
    there=$work/another-folder/with-a-longer-name/libtuntap
    mkdir -p "$there" "$work/home/cargo" &&
        tar --exclude=./build --exclude=./target --exclude=./.git -cf - . | tar -xf - -C "$there" || return
    [ ! -d "$cargo_home" ] || ln -s "$cargo_home"/* "$work/home/cargo" || return
    (
        cd "$there" || exit
        unset CARGO_TARGET_DIR
        HOME=$work/home CARGO_HOME=$work/home/cargo install_into second
    )
}

the_same() {
    test -s "$work/first/usr/lib/libtuntap.a" && diff -r "$work/first" "$work/second"
}

# names_no_folder FOLDER...: Debian's rustc is in /usr, which the files name for good reason.
names_no_folder() {
    for folder; do
        case $folder in /usr | /usr/bin) continue ;; esac
        [ "${#folder}" -lt 3 ] || ! grep -raF "$folder/" "$work/first" "$work/second" | tr -c '[:print:]\n' '\n' |
            grep -F "$folder/" | head -n 5 | grep . || return 1
    done
}

try "reproducible: a build here" install_into first
try "reproducible: a build elsewhere, of another user" elsewhere
try "reproducible: they are the same, byte for byte" the_same
try "reproducible: no folder of the build is named" names_no_folder "$PWD" "$work" "$HOME" "$cargo_home" \
    "$(rustc --print sysroot)" "$(dirname "$(command -v rustc)")"
finish
