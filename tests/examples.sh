#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the C examples against an installed libtuntap (found with pkg-config), and runs each in a private network.
# The witness is never the library: sockets of the programs in tests/examples, and ip(8).
# UNDER, such as "valgrind -q --error-exitcode=9", is what the examples run under.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
out=$PWD/build/examples
libdir=$(pkg-config --variable=libdir tuntap)

# The examples that become another user take copies: he may not be let into the build tree.
as_user="setpriv --reuid 65534 --regid 65534 --clear-groups env LD_LIBRARY_PATH=/mnt"

build() {
    make -s -C examples-c OUT="$out" LDFLAGS="-Wl,-rpath,$libdir" || return 1
    for source in tests/examples/*.c; do
        program=${source##*/}
        ${CC:-cc} -std=c99 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Werror -O1 -g \
            -o "$out/test-${program%.c}" "$source" || return 1
    done
}

# --- What runs inside of the private network, where set -e makes the first failure the last. ---

# start NAME COMMAND...: in the background, with its output in $work/NAME, and until this script ends.
start() {
    output=$work/$1
    shift
    "$@" >"$output" 2>&1 &
    pid=$!
    pids="$pids $pid"
}

# until_ok COMMAND...: waits until the command succeeds, and 30 seconds at most.
until_ok() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { echo "in vain: $*"; return 1; }
        sleep 0.1
    done
}

fails() {
    if "$@"; then
        echo "succeeded: $*"
        return 1
    fi
}

skip_inside() {
    echo "SKIP: $1"
    exit 77
}

# A /mnt of our own, with a device node that everybody may open.
prepare_user() {
    mount -t tmpfs -o mode=0755 none /mnt
    mknod -m 0666 /mnt/tun c 10 200 || skip_inside "root may not make device nodes here"
    cp "$out/demo" "$out/owner" "$libdir/libtuntap.so.0" /mnt
}

inside_demo() {
    ip -o link >"$work/before"
    # shellcheck disable=SC2086 # $UNDER is a list of words
    $UNDER "$out/demo" >"$work/demo"
    grep -q '^5 packets sent, 5 answered, min/avg/max = ' "$work/demo"
    test "$(grep -c '^10.8.0.1 > 10.8.0.2  ICMP echo request, seq [1-5], 84 bytes$' "$work/demo")" = 5
    test "$(grep -c '^10.8.0.2 > 10.8.0.1  ICMP echo reply, seq [1-5], 84 bytes$' "$work/demo")" = 5
    ip -o link | diff "$work/before" -
}

inside_demo_user() {
    prepare_user
    $as_user unshare -rn true || skip_inside "ordinary users get no user namespace here"
    fails $as_user /mnt/demo 2>"$work/refused" # the node is not for this user yet
    grep -q '^demo: .*/dev/net/tun' "$work/refused"
    mount --bind /mnt/tun /dev/net/tun
    $as_user /mnt/demo >"$work/demo"
    grep -q '^5 packets sent, 5 answered, min/avg/max = ' "$work/demo"
}

inside_responder() {
    # shellcheck disable=SC2086
    start responder $UNDER "$out/responder" rsp0 10.8.0.1/24
    until_ok grep 'is up with 10.8.0.1/24' "$work/responder"
    "$out/test-ping" 10.8.0.2 200
    "$out/test-ping" 10.8.0.254 1
    until_ok grep '^10.8.0.1 > 10.8.0.2  ICMP echo request, seq 1, 84 bytes$' "$work/responder"
    until_ok grep '^10.8.0.254 > 10.8.0.1  ICMP echo reply, seq 1, 84 bytes$' "$work/responder"

    # What is no ping does not disturb it, nor does being down for a while.
    "$out/test-frames" rsp0 ip
    ip link set rsp0 down
    ip link set rsp0 up
    "$out/test-ping" 10.8.0.3 1

    # When somebody removes the device, it says so and ends.
    ip link delete rsp0
    fails wait "$pid"
    grep -q '^responder: .' "$work/responder"
}

inside_printer_tun() {
    # shellcheck disable=SC2086
    start printer $UNDER "$out/printer" tun prt0 10.8.0.1/24
    until_ok grep 'is up' "$work/printer"
    "$out/test-udp" 10.8.0.2 9 4000 1 1
    until_ok grep '^10.8.0.1 > 10.8.0.2  UDP port 4000 > 9, 33 bytes$' "$work/printer"
    start tcp "$out/test-tcp" send 10.8.0.2 7000 /dev/null # nobody answers
    until_ok grep '^10.8.0.1 > 10.8.0.2  TCP port [0-9]* > 7000, [0-9]* bytes$' "$work/printer"
    if [ -e /proc/net/if_inet6 ]; then
        ip addr add fd08::1/64 dev prt0 nodad
        "$out/test-udp" fd08::2 9 4000 1 1
        until_ok grep '^fd08::1 > fd08::2  UDP port 4000 > 9, 53 bytes$' "$work/printer"
    fi
    "$out/test-frames" prt0 ip
    until_ok grep '^fd00::1 > fd00::2  ICMPv6 echo request, seq 1, 64 bytes$' "$work/printer"
    until_ok grep '^malformed packet, ' "$work/printer"
    until_ok still_prints

    # And it ends after as many packets as it was told.
    # shellcheck disable=SC2086
    start counter $UNDER "$out/printer" tun prt1 10.8.1.1/24 5
    until_ok grep 'is up' "$work/counter"
    "$out/test-udp" 10.8.1.2 9 4000 1 10
    wait "$pid"
    test "$(grep -c ' bytes$' "$work/counter")" = 5
}

# Again and again, because what came before can have filled the queue.
still_prints() {
    "$out/test-udp" 10.8.0.2 9 5000 1 1
    grep '10.8.0.1 > 10.8.0.2  UDP port 5000 > 9, 33 bytes$' "$work/printer"
}

inside_printer_tap() {
    # shellcheck disable=SC2086
    start printer $UNDER "$out/printer" tap prt0 10.8.0.1/24
    until_ok grep 'is up' "$work/printer"
    mac=$(ip -o link show prt0 | sed -n 's|.* link/ether \([0-9a-f:]*\) .*|\1|p')
    "$out/test-udp" 10.8.0.2 9 4000 1 1
    until_ok grep "^$mac > ff:ff:ff:ff:ff:ff  ARP who has 10.8.0.2? tell 10.8.0.1$" "$work/printer"
    ip neigh replace 10.8.0.2 lladdr 02:00:00:00:00:02 dev prt0
    "$out/test-udp" 10.8.0.2 9 4001 1 1
    until_ok grep "^$mac > 02:00:00:00:00:02  10.8.0.1 > 10.8.0.2  UDP port 4001 > 9, 33 bytes$" "$work/printer"
    "$out/test-frames" prt0 ethernet
    until_ok grep '  VLAN 5  10.8.0.1 > 10.8.0.2  ICMP cut short, 20 bytes$' "$work/printer"
    until_ok grep '  malformed packet, ' "$work/printer"
    until_ok still_prints
}

# The far host is a process that does nothing but have a network.
inside_udp_tunnel() {
    start host unshare -n sleep 100
    far=$pid
    until_ok other_network "$far"
    there="nsenter --net=/proc/$far/ns/net"
    ip link add name veth0 type veth peer name veth0 netns "$far"
    ip addr add 192.0.2.1/24 dev veth0
    ip link set veth0 up
    $there ip addr add 192.0.2.2/24 dev veth0
    $there ip link set veth0 up

    # The near end has to bear that the far end is not there yet.
    # shellcheck disable=SC2086
    start near $UNDER "$out/udp-tunnel" tun0 10.9.0.1/24 192.0.2.1:5000 192.0.2.2:5000
    until_ok grep 'is up' "$work/near"
    "$out/test-udp" 10.9.0.2 9 4000 1 5
    # shellcheck disable=SC2086
    start far $there $UNDER "$out/udp-tunnel" tun0 10.9.0.2/24 192.0.2.2:5000 192.0.2.1:5000
    until_ok grep 'is up' "$work/far"
    ip -j link show tun0 | grep -q '"mtu":1472,'
    "$out/test-ping" 10.9.0.2 20

    dd if=/dev/urandom of="$work/sent" bs=65536 count=64 2>/dev/null
    # shellcheck disable=SC2086
    start receiver $there "$out/test-tcp" receive 10.9.0.2 7000 "$work/received"
    receiver=$pid
    until_ok grep listening "$work/receiver"
    "$out/test-tcp" send 10.9.0.2 7000 "$work/sent"
    wait "$receiver"
    test "$(sha256sum <"$work/sent")" = "$(sha256sum <"$work/received")"

    # Being down for a while does not end it, and every datagram fitted.
    ip link set tun0 down
    $there "$out/test-udp" 10.9.0.1 9 4000 1 5
    ip link set tun0 up
    "$out/test-ping" 10.9.0.2 1
    fails grep 'do not fit' "$work/near" "$work/far"
}

other_network() {
    test "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)"
}

inside_owner() {
    prepare_user
    /mnt/owner -d /mnt/tun create own0 65534 10.8.0.1/24
    ip -d -j link show own0 >"$work/link"
    grep -q '"persist":true' "$work/link"
    grep -Eq '"user":("nobody"|"?65534"?)' "$work/link"
    grep -q '"UP"' "$work/link"
    fails /mnt/owner -d /mnt/tun create own0 65534 # not twice

    # shellcheck disable=SC2086
    start use $as_user /mnt/owner -d /mnt/tun use own0
    user=$pid
    until_ok grep 'user 65534 has own0, which is up with 10.8.0.1' "$work/use"
    "$out/test-ping" 10.8.0.2 1
    wait "$user"
    grep -q '^answered$' "$work/use"

    # Not for anybody else, and not to be made by him.
    fails setpriv --reuid 65533 --regid 65533 --clear-groups env LD_LIBRARY_PATH=/mnt /mnt/owner -d /mnt/tun use own0
    fails $as_user /mnt/owner -d /mnt/tun create own1 65534
    ip link show own0 >/dev/null
    /mnt/owner -d /mnt/tun delete own0
    fails ip link show own0 2>/dev/null
}

inside_multi_queue() {
    # Only our own packets shall count.
    ipv6=/proc/sys/net/ipv6/conf/default/disable_ipv6
    [ ! -e $ipv6 ] || echo 1 >$ipv6
    # shellcheck disable=SC2086
    start multi $UNDER "$out/multi-queue" mq0 10.8.0.1/24 4 400 30
    until_ok grep 'is up' "$work/multi"
    ip -d -j link show mq0 | grep -q '"multi_queue":true'
    "$out/test-ping" 10.8.0.2 1
    "$out/test-udp" 10.8.0.2 9 20000 57 7
    wait "$pid"
    cat "$work/multi"
    awk '/^queue/ { sum += $3; used += $3 > 0 } END { exit !(sum == 1 + 57 * 7 && used > 1) }' "$work/multi"
}

if [ "${1:-}" = inside ]; then
    UNDER=${UNDER:-}
    work=$(mktemp -d) pids=
    # shellcheck disable=SC2086
    trap 'kill $pids 2>/dev/null; wait; rm -rf "$work"' EXIT
    trap 'exit 1' INT TERM
    set -ex
    "inside_$2"
    fails grep -h '^==[0-9]*== ' "$work"/* # what valgrind says of those that do not end
    exit 0
fi

# --- What runs outside. ---

# run NAME FUNCTION [OPTION]: the function in a private network, and in what else the option of unshare says.
run() {
    # shellcheck disable=SC2086
    try "examples $1" timeout -k 5 120 $enter ${3:-} sh tests/examples.sh inside "$2"
}

try "examples build" build
[ "$failed" -eq 0 ] || finish

enter=
if ! command -v ip >/dev/null; then
    reason="ip(8) is not installed"
elif ! [ -c /dev/net/tun ]; then
    reason="there is no /dev/net/tun"
elif [ "$(id -u)" = 0 ]; then
    enter="unshare -n" reason="root may not make a network namespace here"
elif [ -r /dev/net/tun ] && [ -w /dev/net/tun ]; then
    enter="unshare -rn" reason="ordinary users get no user namespace here"
else
    reason="/dev/net/tun is for root only here"
fi
if [ -z "$enter" ] || ! $enter true 2>/dev/null; then
    skip "examples, all of them" "$reason"
    finish
fi

run demo demo
run responder responder
run "printer, TUN" printer_tun
run "printer, TAP" printer_tap
run udp-tunnel udp_tunnel
run multi-queue multi_queue
if [ "$(id -u)" = 0 ]; then
    run "demo, as an ordinary user" demo_user -m
    run owner owner -m
else
    skip "examples demo, as an ordinary user" "needs root, to become another user"
    skip "examples owner" "needs root, to become another user"
fi
finish
