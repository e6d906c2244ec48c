#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds this project's own programs of `make bench`, and measures each once: whether they work, not how fast.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
programs="libtuntap;libtuntap, batch;libtuntap, trusted;libtuntap, super-packets;libtuntap, one by one"
programs="$programs;libtuntap, no cipher;read and write in C;bare super-packets;1 queue;2 queues"

# measure SECTIONS LOADS: skipped if a program is missing.
measure() {
    output=$("${PYTHON:-python3}" -B benches/run.py --sections "$1" --loads "$2" --only "$programs" --rounds 1 --seconds 1)
    status=$?
    echo "$output" | sed 's/^SKIP  /SKIP: /'
    case $output in *"SKIP  "*) [ "$status" -ne 0 ] || return 77 ;; esac
    return "$status"
}

try "benches build" benches/build.sh own
[ "$failed" -eq 0 ] || finish
if [ "$(id -u)" != 0 ]; then
    skip "benches run" "named network namespaces need root"
elif have "benches run" ip && have "benches run" "${PYTHON:-python3}"; then
    try "benches packet" measure packet none
    try "benches memory, drain, queues" measure memory,drain,queues memory,tcp44,udp64,queues-udp64
    try "benches iperf, vpn" measure iperf,vpn iperf-tcp,vpn-udp64
fi
finish
