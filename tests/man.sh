#!/bin/sh
# SPDX-License-Identifier: MIT
# The reference: manual pages and HTML, which docs/reference makes from include/tuntap.h.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-python3}
export PYTHONDONTWRITEBYTECODE=1

# All pages but links to them.
pages() {
    find "$work/man/man3" "$work/man/man7" -type f ! -exec grep -q '^\.so ' {} \; -print
}

# mandoc finds the pages that others refer to with the index of makewhatis.
mandoc_lint() {
    # shellcheck disable=SC2046 # a list of words
    makewhatis "$work/man" &&
        MANPATH=$work/man mandoc -T lint -W style $(pages) >"$work/lint" 2>&1
    cat "$work/lint"
    test ! -s "$work/lint"
}

# No line is too long for a terminal.
fits() {
    # shellcheck disable=SC2046 # a list of words
    mandoc -T ascii $(pages) | sed 's/.\x08//g' | awk 'length > 80 { print; wrong = 1 } END { exit wrong || !NR }'
}

examples_compile() {
    for example in docs/reference/examples/*.c; do
        ${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Wshadow -Werror -Iinclude -c -o "$work/example.o" "$example" ||
            return
    done
}

# The same sources give the same bytes in another folder and on another day: the time zones are 26 hours apart.
reproducible() {
    mkdir -p "$work/elsewhere/docs" && cp -R docs/reference "$work/elsewhere/docs/" &&
        cp -R include Cargo.toml README.md CHANGELOG.md "$work/elsewhere/" &&
        TZ=EAST-14 "$python" "$work/elsewhere/docs/reference/man.py" "$work/again" &&
        diff -r "$work/man" "$work/again" &&
        SOURCE_DATE_EPOCH=86400 "$python" docs/reference/man.py "$work/dated" &&
        grep -qx '.Dd January 2, 1970' "$work/dated/man3/tuntap_open.3"
}

have "man" "$python" || finish
unset SOURCE_DATE_EPOCH
try "man: the pages are made" env TZ=WEST12 "$python" docs/reference/man.py "$work/man"
try "man: the HTML is made" "$python" docs/reference/web.py "$work/html"
[ "$failed" -eq 0 ] || finish
try "man: every function, constant and member; no empty section; no dead reference" \
    "$python" tests/man/pages.py "$work/man" abi/libtuntap.map include/tuntap.h
try "man: the same bytes elsewhere" reproducible
try "man: the examples compile" examples_compile
try "man: no dead link in the HTML; every page and function is found" \
    "$python" tests/man/links.py "$work/html" abi/libtuntap.map
if have "man: mandoc" mandoc; then
    try "man: mandoc -T lint" mandoc_lint
    try "man: fits into 80 columns" fits
fi
finish
