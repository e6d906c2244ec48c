# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# How every test script counts and reports: a line for each test, and "N passed, N failed, N skipped" at the
# end. With CI=true a skipped test is a failed one: there a missing tool is a mistake.

passed=0 failed=0 skipped=0

ok() {
    passed=$((passed + 1))
    echo "ok    $1"
}

# failure NAME [FILE]: with what it printed, when there is a file of that.
failure() {
    failed=$((failed + 1))
    echo "FAIL  $1"
    [ -z "${2:-}" ] || sed 's/^/      /' "$2"
}

skip() {
    skipped=$((skipped + 1))
    echo "SKIP  $1: $2"
}

# try NAME COMMAND...: passes when the command does.
try() {
    name=$1
    shift
    log=$(mktemp)
    "$@" >"$log" 2>&1
    case $? in
    0) ok "$name" ;;
    77) skip "$name" "$(sed -n 's/^SKIP: //p' "$log")" ;;
    *) failure "$name" "$log" ;;
    esac
    rm -f "$log"
}

# have NAME TOOL: whether the tool that this test needs is there; says so when it is not.
have() {
    command -v "$2" >/dev/null && return
    skip "$1" "$2 is not installed"
    return 1
}

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] || exit 1
    [ "${CI:-}" != true ] || [ "$skipped" -eq 0 ] || exit 1
    exit 0
}
