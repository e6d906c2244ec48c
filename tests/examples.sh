#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the C examples with an installed libtuntap (found by pkg-config), and runs each in a private network namespace.
# The witnesses are ip(8) and sockets of the programs in tests/examples, never the library.
# UNDER is a command to run the examples with, such as "valgrind -q --error-exitcode=9".
set -u
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/background.sh"
cd "$(dirname "$0")/.." || exit 1
out=$PWD/build/examples
libdir=$(pkg-config --variable=libdir tuntap)

# Other users run copies, because they may have no access to the build tree.
as_user="setpriv --reuid 65534 --regid 65534 --clear-groups env LD_LIBRARY_PATH=/mnt"
as_other="setpriv --reuid 65533 --regid 65533 --clear-groups env LD_LIBRARY_PATH=/mnt"

build() {
    make -s -B -C examples-c OUT="$out" LDFLAGS="-Wl,-rpath,$libdir" || return 1
    for helper in bounds frames ping tcp udp; do
        more=
        [ "$helper" != bounds ] || more="-fsanitize=address,undefined -fno-sanitize-recover=all -Wl,-rpath,$libdir
            $(pkg-config --cflags --libs tuntap)"
        # shellcheck disable=SC2086 # a list of words
        ${CC:-cc} -std=c99 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Werror -O1 -g \
            -o "$out/test-$helper" "tests/examples/$helper.c" $more || return 1
    done
}

# --- Runs inside the private network namespace, where set -e ends a test at its first failure. ---

# Ends the background programs, and shows their output after a failure.
end() {
    status=$?
    set +ex
    # shellcheck disable=SC2086 # a list of words
    [ -z "$pids" ] || kill $pids 2>/dev/null
    wait
    [ "$status" = 0 ] || [ "$status" = 77 ] || tail -v -n 20 "$work"/*.log
    rm -rf "$work"
    exit "$status"
}

skip_inside() {
    echo "SKIP: $1"
    exit 77
}

# A private /mnt, with a device node that everybody may open.
prepare_user() {
    mount -t tmpfs -o mode=0755 none /mnt
    mknod -m 0666 /mnt/tun c 10 200 || skip_inside "root may not make device nodes here"
    cp "$out/demo" "$out/owner" "$libdir/libtuntap.so.0" /mnt
}

inside_demo() {
    ip -o link >"$work/before"
    # shellcheck disable=SC2086 # $UNDER is a list of words
    $UNDER "$out/demo" >"$work/demo.log"
    grep -q '^5 packets sent, 5 answered, min/avg/max = ' "$work/demo.log"
    test "$(grep -c '^10.8.0.1 > 10.8.0.2  ICMP echo request, seq [1-5], 84 bytes$' "$work/demo.log")" = 5
    test "$(grep -c '^10.8.0.2 > 10.8.0.1  ICMP echo reply, seq [1-5], 84 bytes$' "$work/demo.log")" = 5
    ip -o link | diff "$work/before" -
}

inside_demo_user() {
    prepare_user
    $as_user unshare -rn true || skip_inside "ordinary users get no user namespace here"
    # shellcheck disable=SC2086
    fails $as_user /mnt/demo 2>"$work/refused.log" # this user may not open the node yet
    grep -q '^demo: .*/dev/net/tun' "$work/refused.log"
    mount --bind /mnt/tun /dev/net/tun
    $as_user /mnt/demo >"$work/demo.log"
    grep -q '^5 packets sent, 5 answered, min/avg/max = ' "$work/demo.log"
}

inside_responder() {
    # shellcheck disable=SC2086
    start responder $UNDER "$out/responder" rsp0 10.8.0.1/24
    says responder 'is up with 10.8.0.1/24'
    "$out/test-ping" 10.8.0.2 200
    "$out/test-ping" 10.8.0.254 1
    says responder '^10.8.0.1 > 10.8.0.2  ICMP echo request, seq 1, 84 bytes$'
    says responder '^10.8.0.254 > 10.8.0.1  ICMP echo reply, seq 1, 84 bytes$'

    # It ignores packets other than pings, and continues after the device was down.
    "$out/test-frames" rsp0 ip
    ip link set rsp0 down
    ip link set rsp0 up
    "$out/test-ping" 10.8.0.3 1

    # If the device is deleted, it prints the error and ends.
    ip link delete rsp0
    fails wait "$pid"
    grep -q '^responder: .' "$work/responder.log"
}

inside_printer_tun() {
    # shellcheck disable=SC2086
    start printer $UNDER "$out/printer" tun prt0 10.8.0.1/24
    says printer 'is up'
    "$out/test-udp" 10.8.0.2 9 4000 1 1
    says printer '^10.8.0.1 > 10.8.0.2  UDP port 4000 > 9, 33 bytes$'
    start tcp "$out/test-tcp" send 10.8.0.2 7000 /dev/null # nobody answers
    says printer '^10.8.0.1 > 10.8.0.2  TCP port [0-9]* > 7000, [0-9]* bytes$'
    if [ -e /proc/net/if_inet6 ]; then
        ip addr add fd08::1/64 dev prt0 nodad
        "$out/test-udp" fd08::2 9 4000 1 1
        says printer '^fd08::1 > fd08::2  UDP port 4000 > 9, 53 bytes$'
    fi
    "$out/test-frames" prt0 ip
    says printer '^fd00::1 > fd00::2  ICMPv6 echo request, seq 1, 64 bytes$'
    says printer '^malformed packet, '
    until_ok still_prints

    # It ends after the given number of packets.
    # shellcheck disable=SC2086
    start counter $UNDER "$out/printer" tun prt1 10.8.1.1/24 5
    says counter 'is up'
    "$out/test-udp" 10.8.1.2 9 4000 1 10
    wait "$pid"
    test "$(grep -c ' bytes$' "$work/counter.log")" = 5
}

# Repeats, because earlier packets can have filled the queue.
still_prints() {
    "$out/test-udp" 10.8.0.2 9 5000 1 1
    grep '10.8.0.1 > 10.8.0.2  UDP port 5000 > 9, 33 bytes$' "$work/printer.log"
}

inside_printer_tap() {
    # shellcheck disable=SC2086
    start printer $UNDER "$out/printer" tap prt0 10.8.0.1/24
    says printer 'is up'
    mac=$(ip -o link show prt0 | sed -n 's|.* link/ether \([0-9a-f:]*\) .*|\1|p')
    "$out/test-udp" 10.8.0.2 9 4000 1 1
    says printer "^$mac > ff:ff:ff:ff:ff:ff  ARP who has 10.8.0.2? tell 10.8.0.1$"
    ip neigh replace 10.8.0.2 lladdr 02:00:00:00:00:02 dev prt0
    "$out/test-udp" 10.8.0.2 9 4001 1 1
    says printer "^$mac > 02:00:00:00:00:02  10.8.0.1 > 10.8.0.2  UDP port 4001 > 9, 33 bytes$"
    "$out/test-frames" prt0 ethernet
    says printer '  VLAN 5  10.8.0.1 > 10.8.0.2  ICMP cut short, 20 bytes$'
    says printer '  malformed packet, '
    until_ok still_prints
}

# The far host is a process that only keeps a network namespace.
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

    # The near end starts first, and must continue without the far end.
    # shellcheck disable=SC2086
    start near $UNDER "$out/udp-tunnel" tun0 10.9.0.1/24 192.0.2.1:5000 192.0.2.2:5000
    says near 'is up'
    "$out/test-udp" 10.9.0.2 9 4000 1 5
    # shellcheck disable=SC2086
    start far $there $UNDER "$out/udp-tunnel" tun0 10.9.0.2/24 192.0.2.2:5000 192.0.2.1:5000
    says far 'is up'
    ip -j link show tun0 | grep -q '"mtu":1472,'
    "$out/test-ping" 10.9.0.2 20

    a_file_arrives 64

    # It continues after the device was down, and every datagram fitted.
    ip link set tun0 down
    $there "$out/test-udp" 10.9.0.1 9 4000 1 5
    ip link set tun0 up
    "$out/test-ping" 10.9.0.2 1
    fails grep 'do not fit' "$work/near.log" "$work/far.log"
}

# a_file_arrives BLOCKS: sends this many blocks of 64 KiB by TCP to 10.9.0.2, in the network that $there enters, and
# compares them.
a_file_arrives() {
    dd if=/dev/urandom of="$work/sent" bs=65536 count="$1" 2>/dev/null
    # shellcheck disable=SC2086
    start receiver $there "$out/test-tcp" receive 10.9.0.2 7000 "$work/received"
    receiver=$pid
    says receiver listening
    "$out/test-tcp" send 10.9.0.2 7000 "$work/sent"
    wait "$receiver"
    test "$(sha256sum <"$work/sent")" = "$(sha256sum <"$work/received")"
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
    fails /mnt/owner -d /mnt/tun create own0 65534 # it exists

    # shellcheck disable=SC2086
    start use $as_user /mnt/owner -d /mnt/tun use own0
    user=$pid
    says use 'user 65534 has own0, which is up with 10.8.0.1'
    "$out/test-ping" 10.8.0.2 1
    wait "$user"
    grep -q '^answered$' "$work/use.log"

    # Another user can neither open it nor create one.
    # shellcheck disable=SC2086
    fails $as_other /mnt/owner -d /mnt/tun use own0 >"$work/other.log" 2>&1
    grep '^owner: .*CAP_NET_ADMIN' "$work/other.log"
    # shellcheck disable=SC2086
    fails $as_user /mnt/owner -d /mnt/tun create own1 65534 >"$work/make.log" 2>&1
    grep '^owner: .*CAP_NET_ADMIN' "$work/make.log"
    ip link show own0 >/dev/null
    /mnt/owner -d /mnt/tun delete own0
    fails ip link show own0 2>/dev/null
}

inside_privsep() {
    # shellcheck disable=SC2086
    start privsep $UNDER "$out/privsep" prv0 10.8.0.1/24 65534
    says privsep '^user 65534 answers for prv0$'
    "$out/test-ping" 10.8.0.2 20
    worker=$(tr -d " " <"/proc/$pid/task/$pid/children")
    grep -q '^Uid:.65534.65534.65534.65534$' "/proc/$worker/status"
    grep -q '^CapEff:.0*$' "/proc/$worker/status"
    says privsep '^10.8.0.2 > 10.8.0.1  ICMP echo reply, seq 1, 84 bytes$'

    # The worker ends when the device is deleted, and then the opener ends.
    ip link delete prv0
    fails wait "$pid"
    grep -q '^privsep, worker: .*the device is gone' "$work/privsep.log"
    fails "$out/privsep" prv0 10.8.0.1/33 65534 2>"$work/wrong.log"
    grep -q '^privsep, opener: .*prefix' "$work/wrong.log"
    fails "$out/privsep" prv0 10.8.0.1/24 0 2>"$work/wrong.log"
}

inside_monitor() {
    ip tuntap add dev mon0 mode tun
    ip link add veth0 type veth peer name veth1 # not a TUN or TAP device
    # shellcheck disable=SC2086
    start monitor $UNDER "$out/monitor"
    says monitor '^mon0 is there, a TUN, down, MTU 1500$'
    says monitor '^that is all for now$'
    ip link set mon0 mtu 1400
    ip address add 10.8.0.1 peer 10.8.0.2/32 dev mon0
    ip link set mon0 up
    says monitor '^mon0 has got the route'
    ip link set mon0 down
    says monitor '^mon0 has lost the route'
    ip link set mon0 name mon1
    ip address del 10.8.0.1 peer 10.8.0.2/32 dev mon1
    ip tuntap add dev mon2 mode tap
    ip link delete mon1
    says monitor '^mon1 is gone$'
    sed -n '/^that is all/,$p' "$work/monitor.log" | grep -v 'fe80:' >"$work/events"
    printf '%s\n' 'that is all for now' 'mon0 has the MTU 1400' 'mon0 has got the address 10.8.0.1/32 peer 10.8.0.2' \
        'mon0 is up' 'mon0 has got the route to 10.8.0.2/32' 'mon0 is down' 'mon0 has lost the route to 10.8.0.2/32' \
        'mon1 is the new name' 'mon1 has lost the address 10.8.0.1/32 peer 10.8.0.2' \
        'mon2 is there, a TAP, down, MTU 1500' 'mon1 is gone' | diff - "$work/events"
}

# Between two networks: a TCP stream that is split and joined arrives unchanged.
inside_forwarder() {
    start far unshare -n sleep 100
    far=$pid
    until_ok other_network "$far"
    there="nsenter --net=/proc/$far/ns/net"
    # shellcheck disable=SC2086
    start forwarder $UNDER "$out/forwarder" tun0 tun1
    says forwarder 'are up'
    ip link set tun1 netns "$far"
    ip addr add 10.9.0.1/24 dev tun0
    $there ip addr add 10.9.0.2/24 dev tun1
    $there ip link set tun1 up
    until_ok "$out/test-ping" 10.9.0.2 1
    a_file_arrives 256
    # The device took super-packets: far fewer packets than 16 MiB need as segments.
    received=$($there ip -s -j link show tun1 | sed 's/.*"rx":{[^}]*"packets":\([0-9]*\).*/\1/')
    test "$received" -lt 6000
}

inside_multi_queue() {
    # Count only the packets of this test.
    ipv6=/proc/sys/net/ipv6/conf/default/disable_ipv6
    [ ! -e "$ipv6" ] || echo 1 >"$ipv6"
    # shellcheck disable=SC2086
    start multi $UNDER "$out/multi-queue" mq0 10.8.0.1/24 4 400 30
    says multi 'is up'
    ip -d -j link show mq0 | grep -q '"multi_queue":true'
    "$out/test-ping" 10.8.0.2 1
    "$out/test-udp" 10.8.0.2 9 20000 57 7
    wait "$pid"
    cat "$work/multi.log"
    awk '/^queue/ { sum += $3; used += $3 > 0 } END { exit !(sum == 1 + 57 * 7 && used > 1) }' "$work/multi.log"
}

if [ "${1:-}" = inside ]; then
    UNDER=${UNDER:-}
    work=$(mktemp -d) pids=
    trap end EXIT
    trap 'exit 1' INT TERM
    set -ex
    "inside_$2"
    fails grep -h '^==[0-9]*== ' "$work"/*.log # valgrind's reports about programs that do not end
    exit 0
fi

# --- Runs outside. ---

# run NAME FUNCTION [OPTION]: runs the function in a private network namespace, with more options of unshare.
run() {
    # shellcheck disable=SC2086
    try "examples $1" timeout -k 5 120 $enter ${3:-} sh tests/examples.sh inside "$2"
}

try "examples build" build
[ "$failed" -eq 0 ] || finish
try "examples printer, no byte beyond a packet" "$out/test-bounds"

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
run monitor monitor
run forwarder forwarder
if [ "$(id -u)" = 0 ]; then
    run "demo, as an ordinary user" demo_user -m
    run owner owner -m
    run privsep privsep
else
    skip "examples demo, as an ordinary user" "needs root, to become another user"
    skip "examples owner" "needs root, to become another user"
    skip "examples privsep" "needs root, to become another user"
fi
finish
