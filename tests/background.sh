# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # the script that sources this file sets work, a folder for logs, and pids
# Programs in the background of a test, whose logs are in the folder $work. The test ends those in $pids.

# start NAME COMMAND...: runs it in the background until this script ends, with its output in a log.
start() {
    log=$work/$1.log
    shift
    "$@" >"$log" 2>&1 &
    pid=$!
    pids="$pids $pid"
}

# until_ok COMMAND...: waits until the command succeeds, at most 30 seconds.
until_ok() (
    { set +x; } 2>/dev/null
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { echo "timed out: $*"; exit 1; }
        sleep 0.1
    done
)

# says NAME PATTERN: waits until a line of the log matches.
says() {
    until_ok grep "$2" "$work/$1.log"
}

fails() {
    if "$@"; then
        echo "succeeded: $*"
        return 1
    fi
}
