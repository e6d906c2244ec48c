#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a test in qemu's user-mode emulation. Usage: emulate.sh QEMU [OPTION ...] PROGRAM, whose output goes to PROGRAM.log.
# A failed test for which qemu cannot translate a request is skipped, with these requests as the reason.
set -u
for program; do :; done

# ioctl NUMBER: the name of an ioctl of the driver, from the kernel's header.
ioctl_of() {
    number=${1#"${1%??}"}
    sed -n "s/^#define \(TUN[A-Z]*\)[[:space:]]*_IO.*'T', $((0x$number))[,)].*/\1/p" /usr/include/linux/if_tun.h | grep . ||
        echo "ioctl $1"
}

# other_byte_order: what fails only because the kernel's byte order is not the program's. qemu swaps no attribute of netlink
# that it does not know, no constant of a socket filter, with which the library finds its own answers, and no virtio header.
other_byte_order() {
    sed -n -e 's/^Unknown target \(QEMU_\)\{0,1\}\(.*\) type: .*/netlink \2_*/p' \
        -e 's/^Unknown host \([RI][TF]A\) type: .*/netlink \1_*/p' "$program.qemu" | sort -u
    ! grep -q 'No buffer space available' "$program.log" || echo "socket filters"
    ! grep -qE 'errno [0-9]{6}' "$program.log" || echo "the errno in an answer of netlink"
    ! grep -q TUNTAP_OFFLOAD "$source" || echo "virtio headers"
}

# lacks QEMU: what qemu does not translate, as it says, or as the test shows.
lacks() {
    sed -n 's/^Unsupported ioctl: cmd=//p' "$program.qemu" | sort -u | while read -r number; do ioctl_of "$number"; done
    sed -n 's/^Unsupported \(.etsockopt .*\)/\1/p' "$program.qemu" | sort -u
    ! grep -qE 'no policy routing|FEATURE_DEFAULT_ROUTE|left rules|no_policy_routing.c:45' "$program.log" || echo "netlink RTM_*RULE"
    ! grep -q 'receive notifications.*Invalid argument' "$program.log" || echo "netlink RTM_*NEXTHOP"
    [ "$source" != function/open_fd.c ] || echo "a write from unreadable memory"
    ! grep -q 'Function not implemented' "$program.log" || echo "a system call (ENOSYS)"
    case $1 in
    *s390x*) other_byte_order ;;
    esac
}

# The test's source, and what it uses to see that a thread waits.
source=$(basename "$program" | sed 's|-|/|').c
if grep -q wait_for_reader "$source"; then
    echo "SKIP: qemu does not translate /proc/self/task/*/syscall"
    exit 77
fi
rm -f "$program.qemu"
QEMU_LOG=unimp QEMU_LOG_FILENAME=$program.qemu "$@"
status=$?
case $status in
0 | 77) exit $status ;;
esac
reasons=$(lacks "$1" | paste -s -d , | sed 's/,/, /g')
[ "$reasons" ] || exit $status
echo "SKIP: qemu does not translate $reasons"
exit 77
