/* SPDX-License-Identifier: MIT
 *
 * Combines a filter, several queues, packet information, and the ways to get a handle, and checks which packets come
 * out, with which bytes, and on how many queues. The kernel reports packet information and "no filter" with the same
 * bit, and attaching a queue gives it the filter.
 *
 * Each filter is set only once: some kernels can block forever when very many filters are freed at the same time. */
#include "netns.h"
#include "steering.h"

#include <linux/filter.h>
#include <signal.h>

enum { FLOWS = 16, QUEUES = 3 };

enum origin { OPENED, REOPENED, TAKEN, TAKEN_ATTACHED, BORROWED, ORIGINS };

static const char *const origins[] = {"opened", "opened again", "taken over", "taken over and attached", "borrowed"};

/** Passes only UDP frames to this port, with IPv4 without options. */
static struct sock_filter only_port[] = {
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0800, 0, 3),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 14 + 20 + 2),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PORT, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
};

static int iff_of(uint64_t flags)
{
    return (flags & TUNTAP_TAP ? IFF_TAP : IFF_TUN) | (flags & TUNTAP_PI ? 0 : IFF_NO_PI) |
           (flags & TUNTAP_MULTI_QUEUE ? IFF_MULTI_QUEUE : 0);
}

static void set_filter(tuntap *dev)
{
    OK(tuntap_set_filter_bpf(dev, only_port, sizeof only_port / sizeof *only_port, &err));
}

/** Sets the filter as a program without this library does. The address of the instructions matters. */
static void set_filter_by_hand(int fd)
{
    filter_by_hand(fd, only_port, sizeof only_port / sizeof *only_port);
}

/** Makes a handle, with the filter set if there is one. */
static tuntap *make_handle(enum origin origin, uint64_t flags, int filtered, tuntap **lender)
{
    tuntap *dev = NULL;
    int fd;
    switch (origin) {
    case TAKEN:
    case TAKEN_ATTACHED:
        fd = join_by_hand("t0", iff_of(flags));
        if (filtered)
            set_filter_by_hand(fd);
        OK(tuntap_open_fd(fd, TUNTAP_NONBLOCK, &dev, &err));
        if (origin == TAKEN_ATTACHED && flags & TUNTAP_MULTI_QUEUE) {
            OK(tuntap_detach(dev, &err));
            OK(tuntap_attach(dev, &err));
        } else if (filtered) {
            set_filter(dev);
        }
        return dev;
    case BORROWED:
        OK(tuntap_open("t0", flags, lender, &err));
        OK(tuntap_open_fd(tuntap_get_fd(*lender, NULL), TUNTAP_NONBLOCK | TUNTAP_BORROW, &dev, &err));
        break;
    case REOPENED:
        OK(tuntap_open("t0", flags | TUNTAP_PERSIST, &dev, &err));
        if (filtered)
            set_filter(dev);
        tuntap_close(dev);
        OK(tuntap_open("t0", flags | TUNTAP_NONBLOCK, &dev, &err));
        OK(tuntap_set_persist(dev, 0, &err));
        break;
    default:
        OK(tuntap_open("t0", flags | TUNTAP_NONBLOCK, &dev, &err));
    }
    if (filtered)
        set_filter(dev);
    return dev;
}

/** Sends datagrams of many flows to two ports. */
static void send_both(void)
{
    for (int i = 0; i < FLOWS; i++) {
        int sock = udp_socket("10.8.0.1", 0);
        udp_send(sock, "10.8.0.2", PORT, "passes", 6);
        udp_send(sock, "10.8.0.2", PORT + 1, "or not", 6);
        close(sock);
    }
}

/** Reads and checks all packets of a queue, and counts them by port. */
static void take(tuntap *queue, uint64_t flags, int counts[2])
{
    uint8_t buf[2000];
    ssize_t length;
    size_t header = header_of(flags);
    while ((length = tuntap_read(queue, buf, sizeof buf, &err)) > 0) {
        CHECK(length == (ssize_t)(header + UDP_OVERHEAD + 6));
        int other = buf[header + 23] == (PORT + 1) % 256;
        is_udp_packet(buf + header, (size_t)length - header, "10.8.0.2", other ? "or not" : "passes", 6);
        if (flags & TUNTAP_PI)
            CHECK(memcmp(buf, "\0\0\x08\0", 4) == 0);
        counts[other]++;
    }
    CHECK(length == -EAGAIN);
}

static void run_case(enum origin origin, uint64_t flags, int filtered)
{
    tuntap *lender = NULL, *queues[QUEUES] = {make_handle(origin, flags, filtered, &lender)};
    uint64_t granted = 0;
    int count = 1, counts[2] = {0, 0};
    char text[64];
    close(bring_up("t0", flags));
    if (flags & TUNTAP_MULTI_QUEUE) {
        for (; count < QUEUES; count++)
            OK(tuntap_open_queue(queues[0], TUNTAP_NONBLOCK, &queues[count], &err));
        for (int i = 0; i < 2; i++) {
            OK(tuntap_detach(queues[i], &err));
            OK(tuntap_attach(queues[i], &err));
        }
        snprintf(text, sizeof text, "\"numqueues\":%d,\"numdisabled\":0", QUEUES);
        IP_HAS(text, "link show t0");
    }
    send_both();
    for (int i = 0; i < count; i++) {
        take(queues[i], flags, counts);
        OK(tuntap_get_flags(queues[i], &granted, &err));
        CHECK((granted & ~(uint64_t)TUNTAP_NONBLOCK) == flags);
    }
    if (counts[0] != FLOWS || counts[1] != (filtered ? 0 : FLOWS)) {
        char what[160];
        snprintf(what, sizeof what, "%s, flags %#llx, %s: %d passed, and %d of those that %s", origins[origin],
                 (unsigned long long)flags, filtered ? "filter" : "no filter", counts[0], counts[1],
                 filtered ? "must not" : "may");
        fail(__FILE__, __LINE__, what, "");
    }
    while (count > 0)
        tuntap_close(queues[--count]);
    tuntap_close(lender);
    CHECK(!exists("t0"));
}

int main(void)
{
    static const uint64_t modes[] = {0, TUNTAP_PI, TUNTAP_MULTI_QUEUE, TUNTAP_MULTI_QUEUE | TUNTAP_PI};
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
    begin();
    ipv4_only();
    int before = descriptors();
    for (int origin = OPENED; origin < ORIGINS; origin++)
        for (int mode = 0; mode < 4; mode++) {
            run_case((enum origin)origin, TUNTAP_TUN | modes[mode], 0);
            run_case((enum origin)origin, TUNTAP_TAP | modes[mode], 0);
            run_case((enum origin)origin, TUNTAP_TAP | modes[mode], 1);
        }
    CHECK(descriptors() == before);
    return 0;
}
