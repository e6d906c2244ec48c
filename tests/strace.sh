#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks with strace that the kernel refuses no system call of an unprivileged program that uses a device prepared for it.
# Needs an installed libtuntap, which pkg-config finds.
set -u
. "$(dirname "$0")/common.sh"
cd "$(dirname "$0")/.." || exit 1
out=$PWD/build/strace

build() {
    mkdir -p "$out"
    # shellcheck disable=SC2046 # lists of words
    ${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Wshadow -Werror -O1 -g -Itests/c -o "$out/owner" \
        tests/strace/owner.c $(pkg-config --cflags --libs tuntap) \
        -Wl,-rpath,"$(pkg-config --variable=libdir tuntap)"
}

# Also in a mount namespace, with a device node that everybody may open, and copies that other users may read.
inside_owner() {
    set -ex
    mount -t tmpfs -o mode=0755 none /mnt
    mknod -m 0666 /mnt/tun c 10 200 || { echo "SKIP: root may not make device nodes here"; exit 77; }
    cp "$out/owner" "$(pkg-config --variable=libdir tuntap)/libtuntap.so.0" /mnt
    ip tuntap add dev vpn0 mode tun multi_queue user 1234
    ip link set vpn0 mtu 1400 txqueuelen 77 alias prepared up
    ip address add 10.8.0.1/24 dev vpn0
    ip address add fd00::1/64 dev vpn0 nodad
    ip route add 10.9.0.0/16 dev vpn0
    ip route add fd01::/64 dev vpn0
    mkdir -m 0777 /mnt/log
    setpriv --reuid 1234 --regid 1234 --clear-groups env LD_LIBRARY_PATH=/mnt \
        strace -f -o /mnt/log/trace /mnt/owner /mnt/tun
    test "$(grep -c . /mnt/log/trace)" -gt 100
    ! grep -E '= -1 (EPERM|EACCES)' /mnt/log/trace
}

if [ "${1:-}" = inside-owner ]; then
    inside_owner
    exit
fi

try "strace build" build
[ "$failed" -eq 0 ] || finish
have "strace, an owner without privilege" strace || finish
if [ "$(id -u)" != 0 ] || ! unshare -nm true 2>/dev/null; then
    skip "strace, an owner without privilege" "needs root, and a network namespace"
    finish
fi
try "strace, an owner without privilege" unshare -nm sh tests/strace.sh inside-owner
finish
