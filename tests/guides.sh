#!/bin/sh
# SPDX-License-Identifier: MIT
# Follows each guide of docs/guides as a reader does, in private namespaces, and checks the links of all Markdown files.
# Needs an installed libtuntap, which pkg-config finds.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
out=$PWD/build/guides
python=$(command -v "${PYTHON:-python3}")
libdir=$(pkg-config --variable=libdir tuntap)

# private COMMAND...: runs it in its own network, mount and PID namespaces, which end with it.
private() {
    [ "$(id -u)" = 0 ] || set -- --user --map-root-user "$@"
    unshare --net --mount --pid --fork --kill-child --mount-proc "$@"
}

# The Python package, from its sources: the installed library needs no wheel.
package() {
    rm -rf "$out"
    mkdir -p "$out/python" && cp -r bindings/python/src/tuntap "$out/python/" &&
        PYTHONPATH=docs/reference PYTHONDONTWRITEBYTECODE=1 "$python" bindings/python/generate.py include/tuntap.h >"$out/python/tuntap/_abi.py"
}

# guide NAME: follows a guide in an empty folder.
guide() {
    mkdir -p "$out/$1"
    PYTHONPATH=/mnt/python PYTHONDONTWRITEBYTECODE=1 LD_LIBRARY_PATH=/mnt/lib private \
        timeout -k 5 60 tests/guides.sh --inside "$1"
    result=$?
    [ "$result" != 124 ] || echo "still running after 60 seconds"
    return "$result"
}

# Everything is below /mnt, because other users may have no access to the build tree. As on most systems, everybody may
# open the device node. `ip netns` writes to /run.
inside() {
    mount -t tmpfs -o mode=0755 none /mnt
    mkdir /mnt/lib /mnt/python /mnt/guide
    mount --bind "$libdir" /mnt/lib
    mount --bind "$out/python" /mnt/python
    # The virtual environment of docs/guides/first-device.md.
    mkdir -p /mnt/guide/venv/bin
    ln -s "$python" /mnt/guide/venv/bin/python3
    mount -t tmpfs none /run
    if mknod -m 0666 /mnt/tun c 10 200 2>/dev/null; then mount --bind /mnt/tun /dev/net/tun; fi
    "$python" tests/guides/run.py "docs/guides/$1.md" /mnt/guide
}

# The unit of docs/guides/privileges.md allows every system call of docs/seccomp.md.
unit_allows_all() {
    sed -n 's/^SystemCallFilter=//p' docs/guides/privileges.md | tr ' ' '\n' | sort -u >"$out/allowed"
    awk -F '|' 'NF == 5 && $4 ~ /`/ { gsub(/[ `]+/, "\n", $4); print $4 }' docs/seccomp.md | sed '/^$/d' | sort -u \
        >"$out/listed"
    test -z "$(comm -13 "$out/allowed" "$out/listed" | tee /dev/stderr)"
}

if [ "${1:-}" = --inside ]; then
    set -e
    inside "$2"
    exit
fi

have "guides" "$python" || finish
if in_git "guides: links of all Markdown files"; then
    # shellcheck disable=SC2046 # a list of words
    try "guides: links of all Markdown files" "$python" tests/guides/links.py $(git ls-files '*.md')
fi
try "guides: the Python package" package
[ "$failed" -eq 0 ] || finish
try "guides: the system calls of the unit" unit_allows_all
for file in docs/guides/*.md; do
    name=$(basename "$file" .md)
    if ! private test -w /dev/net/tun 2>/dev/null; then
        skip "guides: $name" "needs root, or user namespaces and a device node for everybody"
    elif [ "$(id -u)" != 0 ] && grep -q '^<!-- needs root -->$' "$file"; then
        skip "guides: $name" "needs root"
    else
        try "guides: $name" guide "$name"
    fi
done
finish
