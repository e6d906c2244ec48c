# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Counts and reports for every test script: one line for each test, and "N passed, N failed, N skipped" at the end.
# With CI=true a skipped test is a failure, because CI must have every tool.

passed=0 failed=0 skipped=0
# Debian keeps tc(8) and others where only root finds them.
PATH=$PATH:/usr/sbin:/sbin

ok() {
    passed=$((passed + 1))
    echo "ok    $1"
}

# failure NAME [FILE]: reports a failed test, with its output from FILE.
failure() {
    failed=$((failed + 1))
    echo "FAIL  $1"
    [ -z "${2:-}" ] || sed 's/^/      /' "$2"
}

skip() {
    skipped=$((skipped + 1))
    echo "SKIP  $1: $2"
}

# try NAME COMMAND...: passes if the command succeeds.
try() {
    tried=$1
    shift
    log=$(mktemp)
    "$@" >"$log" 2>&1
    case $? in
    0) ok "$tried" ;;
    77) skip "$tried" "$(sed -n '/^SKIP: /{s///p;q;}' "$log")" ;;
    *) failure "$tried" "$log" ;;
    esac
    rm -f "$log"
}

# have NAME TOOL: whether a tool is installed; if not, skips this test.
have() {
    command -v "$2" >/dev/null && return
    skip "$1" "$2 is not installed"
    return 1
}

# in_git NAME: whether git lists the files of this project; if not, skips this test.
in_git() {
    have "$1" git || return
    [ -z "$(git ls-files Cargo.toml 2>/dev/null)" ] || return 0
    skip "$1" "this is not a git repository"
    return 1
}

# in_private COMMAND...: runs it in a network namespace of its own: as root, or as root of a new user namespace.
in_private() {
    own_network="unshare --net"
    if [ "$(id -u)" != 0 ]; then
        own_network="unshare --user --map-root-user --net"
        if [ ! -r /dev/net/tun ] || [ ! -w /dev/net/tun ]; then
            echo "SKIP: this user may not read and write /dev/net/tun: run as root"
            return 77
        fi
    fi
    $own_network true || { echo "SKIP: no private network namespace"; return 77; }
    $own_network "$@"
}

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] || exit 1
    [ "${CI:-}" != true ] || [ "$skipped" -eq 0 ] || exit 1
    exit 0
}
