#!/bin/sh
# SPDX-License-Identifier: MIT
# The WireGuard example with other peers: itself, wireguard-go and boringtun-cli, in private network namespaces joined
# by a veth. Either of the two begins. Witnesses are sockets in the tunnel and below it (tests/wireguard/traffic.py).
#
# Our program is built with AddressSanitizer and UndefinedBehaviorSanitizer, and once run by valgrind. Its parsers are
# fuzzed for FUZZ_SECONDS (20) each.
# SCENARIO... as arguments run only these.
# boringtun-cli is used where it is installed: `cargo install boringtun-cli`, or BORINGTUN=/path/to/it.
# shellcheck disable=SC2086 # some variables are lists of words
set -u
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/background.sh"
cd "$(dirname "$0")/.." || exit 1
out=$PWD/build/wireguard
source=examples-c/wireguard
boringtun=${BORINGTUN:-boringtun-cli}
python=${PYTHON:-python3}
libdir=$(pkg-config --variable=libdir tuntap)
near_port=5001 far_port=5002

# --- Runs inside the private network namespace: near is this one, with our program; a process keeps far. ---

end() {
    status=$?
    set +ex
    [ -z "$pids" ] || kill $pids 2>/dev/null
    wait
    if [ "$status" = 0 ] && grep -h 'ERROR: AddressSanitizer\|runtime error:\|ERROR: LeakSanitizer' "$work"/*.log; then
        status=1
    fi
    [ "$status" = 0 ] || tail -v -n 30 "$work"/*.log
    rm -rf "$work"
    exit "$status"
}

other_network() {
    test "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)"
}

prepare() {
    mount -t tmpfs none /run # where wireguard-go and boringtun have their sockets
    mkdir /run/wireguard
    start host unshare -n sleep 1000
    far=$pid
    until_ok other_network "$far"
    there="nsenter --net=/proc/$far/ns/net"
    ip link add name veth0 type veth peer name veth0 netns "$far"
    ip addr add 192.0.2.1/24 dev veth0
    $there ip addr add 192.0.2.2/24 dev veth0
    ip link set lo up
    ip link set veth0 up
    $there ip link set lo up
    $there ip link set veth0 up
    for end in near far; do
        wg genkey >"$work/$end.key"
        wg pubkey <"$work/$end.key" >"$work/$end.public"
    done
    wg genpsk >"$work/psk"
}

# config END: the configuration of near or far. Only the peer that begins has an endpoint.
config() {
    case $1 in
    near) other=far port=$near_port allowed="10.9.0.2/32, fd09::2/128" endpoint=192.0.2.2:$far_port ;;
    far) other=near port=$far_port allowed="10.9.0.1/32, fd09::1/128" endpoint=192.0.2.1:$near_port ;;
    esac
    printf '[Interface]\nPrivateKey = %s\nListenPort = %s\n' "$(cat "$work/$1.key")" "$port"
    printf '[Peer]\nPublicKey = %s\nPresharedKey = %s\nAllowedIPs = %s\n' "$(cat "$work/$other.public")" \
        "$(cat "$work/psk")" "$allowed"
    if [ "$begins" = "$1" ]; then
        echo "Endpoint = ${relay:-$endpoint}"
        [ -z "$persistent" ] || echo "PersistentKeepalive = $persistent"
    fi
}

# start_near [PROGRAM]: our program.
start_near() {
    config near >"$work/near.conf"
    start near $under "$out/${1:-wireguard}" -a 10.9.0.1/24 -a fd09::1/64 wg0 "$work/near.conf"
    near=$pid
    says near 'wg0 is up'
}

# start_far [PROGRAM]: the other peer, as wg1. Our program in its place has the name of its build.
start_far() {
    config far >"$work/far.conf"
    case $peer in
    ours) start far $there "$out/${1:-wireguard}" -a 10.9.0.2/24 -a fd09::2/64 wg1 "$work/far.conf" ;;
    wireguard-go) start far $there env WG_PROCESS_FOREGROUND=1 LOG_LEVEL=verbose wireguard-go -f wg1 ;;
    boringtun) start far $there env WG_LOG_LEVEL=debug "$boringtun" -f --disable-drop-privileges \
        --disable-connected-udp wg1 ;;
    esac
    if [ "$peer" = ours ]; then
        says far 'wg1 is up'
        return
    fi
    until_ok wg show wg1
    $there wg setconf wg1 "$work/far.conf"
    $there ip addr add 10.9.0.2/24 dev wg1
    $there ip addr add fd09::2/64 dev wg1 nodad
    $there ip link set wg1 mtu 1420 up
    $there ip link show wg1 >/dev/null
}

start_both() {
    start_near
    start_far
}

# tcp FROM ADDRESS KILOBYTES: from near or far to the address, by TCP. What arrives has the checksum of what was sent.
tcp() {
    to=$there from=
    [ "$1" = near ] || to='' from=$there
    ports=$((${ports:-7000} + 1))
    start "received-$ports" $to "$python" tests/wireguard/traffic.py receive "$2" "$ports"
    receiver=$pid
    says "received-$ports" listening
    $from "$python" tests/wireguard/traffic.py send "$2" "$ports" "$3" >"$work/sent"
    wait "$receiver"
    test "$(cat "$work/sent")" = "$(tail -n 1 "$work/received-$ports.log")"
}

# The one that begins sends first: before that, the other one does not know where to.
greet() {
    if [ "$begins" = near ]; then tcp near 10.9.0.2 1; else tcp far 10.9.0.1 1; fi
}

# watch: what crosses from now on goes to the log.
watch() {
    start watch "$python" tests/wireguard/traffic.py watch veth0
    says watch listening
}

# seen ADDRESS MESSAGE: how many such messages came from there.
seen() {
    grep -c "^$1 $2\$" "$work/watch.log"
}

inside_traffic() {
    start_both
    greet
    tcp near 10.9.0.2 4096
    tcp far 10.9.0.1 4096
    tcp near fd09::2 1024
    tcp far fd09::1 1024
    kill -INT "$near"
    wait "$near" # no failure, and no leak
    fails ip link show wg0 2>/dev/null
}

# The sessions of our program are used for 2 seconds, but initiations are 5 seconds apart. Those of the others are used
# for 120 seconds: where they begin, they are configured again.
inside_rekey() {
    start_near wireguard-short
    start_far wireguard-short
    watch
    greet
    for _ in 1 2 3; do
        sleep 5
        [ "$begins" = near ] || [ "$peer" = ours ] || $there wg setconf wg1 "$work/far.conf"
        greet
        tcp far 10.9.0.1 64
        tcp near 10.9.0.2 64
    done
    test "$(seen '[0-9.]*' response)" -ge 3
}

# A session is also replaced after 1000 messages.
inside_rekey_by_count() {
    start_near wireguard-count
    start_far wireguard-count
    greet
    sleep 6
    watch
    tcp "$begins" "$([ "$begins" = near ] && echo 10.9.0.2 || echo 10.9.0.1)" 64
    fails seen '[0-9.]*' initiation
    tcp "$begins" "$([ "$begins" = near ] && echo 10.9.0.2 || echo 10.9.0.1)" 4096
    until_ok seen 192.0.2.1 initiation || until_ok seen 192.0.2.2 initiation
    tcp near 10.9.0.2 64
    tcp far 10.9.0.1 64
}

# start_relay HOW: both peers are connected by a relay in between.
start_relay() {
    relay=192.0.2.2:6000
    start relay $there "$python" tests/wireguard/traffic.py relay 6000 192.0.2.1:$near_port 192.0.2.2:$far_port "$1"
    relay_pid=$pid
    says relay listening
}

inside_loss() {
    start_relay lossy
    start_both
    greet
    tcp near 10.9.0.2 1024
    tcp far 10.9.0.1 1024
}

# Each message comes twice, and each datagram in the tunnel once.
inside_replay() {
    start_relay twice
    start_both
    greet
    start count "$python" tests/wireguard/traffic.py count 10.9.0.1 7000
    says count listening
    $there "$python" tests/wireguard/traffic.py datagrams 10.9.0.1 7000 500
    sleep 0.5
    kill "$pid"
    wait "$pid"
    grep -q '^500 500$' "$work/count.log"
}

# An initiation that is sent again gets no response, and ends no session.
inside_replayed_initiation() {
    start_relay plain
    start_both
    greet
    kill -USR1 "$relay_pid"
    says relay '^answers'
    grep -q '^answers 0$' "$work/relay.log"
    greet
}

# silence: the one that begins can send nothing to the other one.
silence() {
    if [ "$begins" = near ]; then
        fails timeout 8 "$python" tests/wireguard/traffic.py send 10.9.0.2 7000 1
    else
        fails timeout 8 $there "$python" tests/wireguard/traffic.py send 10.9.0.1 7000 1
    fi
    says watch initiation
    fails grep 'keepalive' "$work/watch.log"
}

# There is no session with another preshared key, and no response to another private key.
inside_wrong_preshared_key() {
    start_near
    wg genpsk >"$work/psk"
    start_far
    watch
    silence
}
inside_wrong_private_key() {
    start_near
    wg genkey >"$work/far.key"
    start_far
    watch
    silence
    fails grep response "$work/watch.log"
}

# Both change their addresses, one after the other. Each is found again by what it sends: by its data, without a new
# session, because our program waits for 100 seconds before it misses something.
inside_roaming() {
    start_near wireguard-long-keepalive
    start_far wireguard-long-keepalive
    greet
    ip addr add 192.0.2.11/24 dev veth0
    ip addr del 192.0.2.1/24 dev veth0
    ip addr add 192.0.2.11/24 dev veth0 2>/dev/null || true
    tcp near 10.9.0.2 64
    tcp far 10.9.0.1 64
    [ "$peer" = ours ] || wg show wg1 endpoints | grep -q "192.0.2.11:$near_port"
    $there ip addr add 192.0.2.12/24 dev veth0
    $there ip addr del 192.0.2.2/24 dev veth0
    $there ip addr add 192.0.2.12/24 dev veth0 2>/dev/null || true
    tcp far 10.9.0.1 64
    tcp near 10.9.0.2 64
}

# Ten seconds after data that nobody answers, the peer learns that it came. Before that data, we send some: boringtun
# begins a new session 15 seconds after it last received something, not 15 seconds after it sent something.
inside_keepalive() {
    start_both
    greet
    sleep 20 # until this is acknowledged; boringtun does not, which makes us begin a new session after 15 seconds
    for address in 10.9.0.1 10.9.0.2; do
        network=
        [ "$address" = 10.9.0.1 ] || network=$there
        start "count-$address" $network "$python" tests/wireguard/traffic.py count "$address" 7000
        says "count-$address" listening
    done
    watch
    "$python" tests/wireguard/traffic.py datagrams 10.9.0.2 7000 1
    $there "$python" tests/wireguard/traffic.py datagrams 10.9.0.1 7000 1
    sleep 8
    fails seen 192.0.2.1 keepalive
    until_ok seen 192.0.2.1 keepalive
    sleep 3
    test "$(seen 192.0.2.1 keepalive)" = 1
}

# The one that begins keeps a way through NAT open, without any data.
inside_persistent() {
    persistent=1
    watch
    start_both
    says watch response
    sleep 5
    if [ "$begins" = near ]; then from=192.0.2.1; else from=192.0.2.2; fi
    test "$(seen $from keepalive)" -ge 3
}

# Our program demands a cookie from everybody.
inside_cookie_sent() {
    start_near wireguard-load
    start_far
    watch
    greet
    says watch '192.0.2.1 cookie'
}

# The other peer demands one: our own program always, boringtun in a flood.
inside_cookie_answered() {
    start_far wireguard-load
    if [ "$peer" != ours ]; then
        start flood "$python" tests/wireguard/traffic.py flood 192.0.2.2 $far_port "$(cat "$work/far.public")"
        sleep 1
    fi
    watch
    start_near
    greet
    says watch '192.0.2.2 cookie'
}

# A peer may send only from its own addresses.
inside_allowed() {
    start_both
    greet
    $there ip addr add 10.9.0.77/32 dev wg1
    start count "$python" tests/wireguard/traffic.py count 10.9.0.1 7000
    says count listening
    $there "$python" tests/wireguard/traffic.py datagrams 10.9.0.1 7000 20 10.9.0.77
    $there "$python" tests/wireguard/traffic.py datagrams 10.9.0.1 7000 5 10.9.0.2
    sleep 0.5
    kill "$pid"
    wait "$pid"
    grep -q '^5 5$' "$work/count.log"
}

# Everything goes into the tunnel, but its own datagrams, also when the uplink changes. Nothing is left at the end.
inside_default_route() {
    peer=ours begins=near
    $there ip addr add 198.18.0.1/32 dev lo
    ip link add name veth1 type veth peer name veth1 netns "$far"
    ip addr add 192.0.3.1/24 dev veth1
    $there ip addr add 192.0.3.2/24 dev veth1
    ip link set veth1 up
    $there ip link set veth1 up
    ip route add default via 192.0.2.2 metric 10
    ip route add default via 192.0.3.2 metric 20
    $there ip addr add 203.0.113.1/32 dev lo
    config near | sed "s|^AllowedIPs.*|AllowedIPs = 0.0.0.0/0, ::/0|; s|^Endpoint.*|Endpoint = 203.0.113.1:$far_port|" \
        >"$work/near.conf"
    start near "$out/wireguard" -a 10.9.0.1/24 -a fd09::1/64 wg0 "$work/near.conf"
    near=$pid
    says near 'wg0 is up'
    config far >"$work/far.conf"
    start far $there "$out/wireguard" -a 10.9.0.2/24 -a fd09::2/64 wg1 "$work/far.conf"
    says far 'wg1 is up'
    ip route get 198.18.0.1 | grep -q 'dev wg0'
    ip -6 route get 2001:db8::1 | grep -q 'dev wg0'
    ip route get 203.0.113.1 mark 51820 | grep -q 'dev veth0'
    tcp near 198.18.0.1 1024
    ip link set veth0 down
    ip route get 203.0.113.1 mark 51820 | grep -q 'dev veth1'
    tcp near 198.18.0.1 1024
    kill -INT "$near"
    wait "$near"
    fails sh -c "{ ip rule; ip -6 rule; } | grep 3000"
    ip route get 198.18.0.1 | grep -q 'dev veth1'
}

# The commands of the example's README, in its folder, with our program.
inside_readme() {
    mkdir "$work/wireguard"
    cp -r "$source/try" "$out/wireguard" "$work/wireguard"
    # shellcheck disable=SC2016 # no command in these backquotes
    sed -n '/^```sh$/,/^```$/{/^```/d;p}' "$source/README.md" >"$work/commands"
    test "$(grep -c . "$work/commands")" = 5
    umount /run # they make what prepare made
    ip link delete veth0
    cd "$work/wireguard"
    start readme sh -ex "$work/commands"
    until_ok grep -q ' 0% packet loss' "$work/readme.log"
    # They end by a signal, as the user would end them.
    for program in /proc/[0-9]*; do
        if [ "$(readlink "$program/cwd")" = "$work/wireguard" ] && grep -qx wireguard "$program/comm"; then
            kill -INT "${program#/proc/}"
        fi
    done
    sleep 1
}

if [ "${1:-}" = inside ]; then
    peer=$2 begins=$3 under=${UNDER:-} relay='' persistent=''
    work=$(mktemp -d) pids=
    trap end EXIT
    trap 'exit 1' INT TERM
    set -ex
    prepare
    "inside_$4"
    exit 0
fi

# --- Runs outside. ---

# build NAME [DEFINITION]: our program, with sanitizers.
build() {
    make -s -C $source OUT="$out/$1.d" CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all" \
        LDFLAGS="-Wl,-rpath,$libdir" DEFINES="${2:-}" && mv "$out/$1.d/wireguard" "$out/$1" && rmdir "$out/$1.d"
}

build_all() {
    build wireguard &&
        build wireguard-short "-DREKEY_AFTER_TIME='(2*SECOND)'" &&
        build wireguard-long-keepalive "-DKEEPALIVE_TIMEOUT='(100*SECOND)'" &&
        build wireguard-count -DREKEY_AFTER_MESSAGES=1000 &&
        build wireguard-load -DHANDSHAKES_UNTIL_LOAD=0
}

# scenarios PEER BEGINS: those that fit, of the chosen ones. A peer that begins has its own times for a new session, and
# wireguard-go answers a flood without a cookie: it is fast enough.
scenarios() {
    [ -z "$chosen" ] || { echo "$chosen"; return; }
    echo traffic rekey loss replay replayed_initiation wrong_preshared_key wrong_private_key roaming keepalive \
        persistent cookie_sent allowed
    [ "$1 $2" != "wireguard-go far" ] && [ "$1 $2" != "boringtun far" ] && echo rekey_by_count
    [ "$2" = near ] && [ "$1" != wireguard-go ] && echo cookie_answered
}

# column PEER BEGINS: all scenarios of a column. Each leaves its log, and its status.
column() {
    # shellcheck disable=SC2046 # a list of words
    for scenario in $(scenarios "$1" "$2"); do
        log=$out/$1-$2-$scenario
        timeout -k 5 300 $enter sh tests/wireguard.sh inside "$1" "$2" "$scenario" >"$log.log" 2>&1
        echo $? >"$log.status"
    done
}

# core NAME PARTS COMMAND...: a program of tests/wireguard with parts of ours. COMMAND compiles.
core() {
    name=$1 files=
    for part in $2; do files="$files $source/$part.c"; done
    shift 2
    # shellcheck disable=SC2046 # a list of words
    "$@" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-function -g -O1 -fno-sanitize-recover=all -I$source \
        -o "$out/$name" $files $(pkg-config --cflags tuntap) $(pkg-config --libs libcrypto libsodium) -pthread
}
parts="crypto noise cookie transport allowed config"

unit() {
    core unit "$parts" "${CC:-cc}" -fsanitize=address,undefined tests/wireguard/unit.c && "$out/unit"
}

fuzz() {
    target=$(echo "$1" | tr '[:lower:]' '[:upper:]')
    core "fuzz-$1" "$parts tunnel timers handshake" clang "-DFUZZ_$target" -fsanitize=fuzzer,address,undefined \
        tests/wireguard/fuzz.c && "$out/fuzz-$1" -max_total_time="${FUZZ_SECONDS:-20}" -max_len=1600 \
            -error_exitcode=1 -timeout_exitcode=1 -artifact_prefix="$out/fuzz-$1-"
}

# cell PEER BEGINS SCENARIO: how it ended, as a word of the table.
cell() {
    case $(cat "$out/$1-$2-$3.status" 2>/dev/null) in
    0) echo ok ;;
    '') echo - ;;
    *) echo FAILED ;;
    esac
}

# table: what works with whom, and who begins.
table() {
    printf '%-24s' ""
    for peer in $peers; do printf '%-20s' "$peer"; done
    printf '\n%-24s' begins:
    for peer in $peers; do printf '%-10s%-10s' we they; done
    echo
    for scenario in $(scenarios ours near); do
        printf '%-24s' "$scenario"
        for peer in $peers; do
            printf '%-10s%-10s' "$(cell "$peer" near "$scenario")" "$(cell "$peer" far "$scenario")"
        done
        echo
    done
}

chosen=$*
rm -rf "$out"
mkdir -p "$out"
enter="unshare -nm"
[ "$(id -u)" = 0 ] || enter="unshare -rnm"
for tool in wg wireguard-go ip "$python"; do
    have wireguard "$tool" || finish
done
if ! pkg-config --exists 'libcrypto >= 3' libsodium; then
    skip wireguard "libcrypto 3 or libsodium is not installed"
    finish
fi
try "wireguard: build" build_all
[ "$failed" -eq 0 ] || finish

peers="ours wireguard-go"
if command -v "$boringtun" >/dev/null; then peers="$peers boringtun"; fi
running=
for peer in $peers; do
    for begins in near far; do
        column "$peer" "$begins" &
        running="$running $!"
    done
done
wait $running
for status in "$out"/*.status; do
    name=$(basename "$status" .status)
    if [ "$(cat "$status")" = 0 ]; then ok "wireguard $name"; else failure "wireguard $name" "$out/$name.log"; fi
done
table
[ -n "$chosen" ] && finish

try "wireguard: default route" timeout -k 5 100 $enter sh tests/wireguard.sh inside ours near default_route
try "wireguard: unit tests" unit
if [ "$(id -u)" != 0 ]; then
    skip "wireguard README" "needs root"
elif have "wireguard README" ping; then
    try "wireguard README" timeout -k 5 100 $enter sh tests/wireguard.sh inside ours near readme
fi
if have "wireguard, valgrind" valgrind; then
    make -s -C $source OUT="$out/plain" LDFLAGS="-Wl,-rpath,$libdir" CFLAGS="-O1 -g"
    cp "$out/plain/wireguard" "$out/wireguard"
    UNDER="valgrind -q --leak-check=full --error-exitcode=9" \
        try "wireguard, valgrind" timeout -k 5 300 $enter sh tests/wireguard.sh inside wireguard-go near traffic
fi
if have "wireguard: fuzz" clang; then
    for target in config handshake data; do
        try "wireguard: fuzz $target" fuzz "$target"
    done
fi
finish
