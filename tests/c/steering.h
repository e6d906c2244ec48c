/* SPDX-License-Identifier: MIT
 *
 * eBPF programs for the kernel, and packets to see their effect. */
#ifndef STEERING_H
#define STEERING_H

#include "packet.h"

#include <linux/bpf.h>

/** Loads an eBPF program that only returns a number. Returns its descriptor, or -1 if bpf(2) is not permitted. */
UNUSED static int program_if_permitted(int number, unsigned kind)
{
    struct bpf_insn instructions[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = number},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr load;
    memset(&load, 0, sizeof load);
    load.prog_type = kind;
    load.insns = (uint64_t)(uintptr_t)instructions;
    load.insn_cnt = 2;
    load.license = (uint64_t)(uintptr_t) "MIT";
    int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
    if (fd < 0 && (errno == EPERM || errno == ENOSYS))
        return -1;
    CHECK(fd >= 0);
    return fd;
}

UNUSED static int program_returning(int number, unsigned kind)
{
    int fd = program_if_permitted(number, kind);
    if (fd < 0)
        skip("bpf() is not permitted here");
    return fd;
}

/** A nonblocking device that is up and has 10.8.0.1/24. */
UNUSED static tuntap *device_up(const char *name, uint64_t flags)
{
    tuntap *dev;
    OK(tuntap_open(name, flags | TUNTAP_NONBLOCK, &dev, &err));
    IP("address add 10.8.0.1/24 dev %s", name);
    IP("link set %s up", name);
    return dev;
}

/** Reads all packets from a queue. Returns their number. */
UNUSED static int drain(tuntap *dev)
{
    static uint8_t buf[70000];
    int packets = 0;
    while (tuntap_read(dev, buf, sizeof buf, NULL) > 0)
        packets++;
    return packets;
}

/** Sends datagrams through a TUN, each of a flow of its own. */
UNUSED static void send_flows(int flows)
{
    for (int i = 0; i < flows; i++) {
        int sock = udp_socket("10.8.0.1", 0);
        udp_send(sock, "10.8.0.2", (unsigned)(PORT + i), "hello", 5);
        close(sock);
    }
}

/** Arguments that every function that sets a program refuses. */
#define WRONG_PROGRAMS(set, dev)                                                                     \
    do {                                                                                             \
        int other_ = open("/dev/null", O_RDONLY | O_CLOEXEC);                                        \
        int kind_ = program_returning(0, BPF_PROG_TYPE_XDP);                                         \
        FAILS(set(dev, other_, &err), EINVAL, TUNTAP_REASON_ARGUMENT);                               \
        MESSAGE_HAS("BPF_PROG_TYPE_SOCKET_FILTER");                                                  \
        FAILS(set(dev, kind_, &err), EINVAL, TUNTAP_REASON_ARGUMENT);                                \
        close(other_);                                                                               \
        close(kind_);                                                                                \
        FAILS(set(dev, other_, &err), EBADF, TUNTAP_REASON_ARGUMENT);                                \
        FAILS(set(NULL, -1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);                                  \
        IP("link delete t0");                                                                        \
        FAILS(set(dev, -1, &err), ENODEV, TUNTAP_REASON_REMOVED);                                    \
    } while (0)

#endif
