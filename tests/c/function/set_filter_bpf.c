/* SPDX-License-Identifier: MIT */
#include "steering.h"

#include <linux/filter.h>
#include <net/ethernet.h>

/** Passes only frames with the EtherType of IPv4. */
static const struct sock_filter ipv4_only_filter[] = {
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
};

static void send_to(const char *host)
{
    int sock = udp_socket("10.8.0.1", 0);
    udp_send(sock, host, PORT, "hello", 5);
    close(sock);
}

static const struct sock_filter drop_all[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
static const struct sock_filter wrong[] = {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12)};

/** Sends 32 flows. Returns how many packets the queues read. */
static int count_packets(tuntap *a, tuntap *b, tuntap *c)
{
    drain(a), drain(b), drain(c);
    send_flows(32);
    return drain(a) + drain(b) + drain(c);
}

/** Queues that are opened or attached after the filter was set get it. A detached queue loses it when it is removed. */
static void later_queues_have_the_filter_too(uint64_t pi)
{
    tuntap *dev = device_up("t0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE | pi), *queue, *third;
    IP("neigh replace 10.8.0.2 lladdr 02:00:00:00:00:02 dev t0");
    OK(tuntap_set_filter_bpf(dev, drop_all, 1, &err));
    OK(tuntap_open_queue(dev, TUNTAP_NONBLOCK, &queue, &err));
    OK(tuntap_open_queue(queue, TUNTAP_NONBLOCK, &third, &err));
    CHECK(count_packets(dev, queue, third) == 0);

    /* A refused filter does not remove the present one. */
    FAILS(tuntap_set_filter_bpf(third, wrong, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_close(third);
    OK(tuntap_open_queue(dev, TUNTAP_NONBLOCK, &third, &err));
    CHECK(count_packets(dev, queue, third) == 0);

    OK(tuntap_detach(queue, &err));
    OK(tuntap_set_filter_bpf(dev, NULL, 0, &err));
    OK(tuntap_attach(queue, &err));
    CHECK(count_packets(dev, queue, third) == 32);

    OK(tuntap_detach(queue, &err));
    OK(tuntap_detach(dev, &err));
    OK(tuntap_set_filter_bpf(third, drop_all, 1, &err));
    OK(tuntap_attach(dev, &err));
    OK(tuntap_attach(queue, &err));
    IP_HAS("\"numqueues\":3,\"numdisabled\":0", "link show t0");
    IP_HAS(pi ? "\"pi\":true" : "\"pi\":false", "link show t0");
    CHECK(count_packets(dev, queue, third) == 0);
    tuntap_close(dev);
    CHECK(count_packets(queue, queue, third) == 0);
    tuntap_close(queue);
    tuntap_close(third);
}

/** The driver does not keep the filter for the next open, and the next open must still get the queue. */
static void a_device_that_is_opened_again_has_no_filter(uint64_t pi)
{
    tuntap *dev = device_up("t0", TUNTAP_TAP | TUNTAP_PERSIST | pi);
    IP("neigh replace 10.8.0.2 lladdr 02:00:00:00:00:02 dev t0");
    OK(tuntap_set_filter_bpf(dev, drop_all, 1, &err));
    CHECK(count_packets(dev, dev, dev) == 0);
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_NONBLOCK | pi, &dev, &err));
    CHECK(count_packets(dev, dev, dev) == 32);
    OK(tuntap_set_persist(dev, 0, &err));
    tuntap_close(dev);
}

int main(void)
{
    static struct sock_filter many[5000];
    begin();
    ipv4_only();
    tuntap *dev = device_up("t0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE), *queue;
    OK(tuntap_open_queue(dev, TUNTAP_NONBLOCK, &queue, &err));
    IP("neigh replace 10.8.0.2 lladdr 02:00:00:00:00:02 dev t0");

    /* An ARP request, and a datagram. */
    send_to("10.8.0.3");
    CHECK(drain(dev) + drain(queue) == 1);
    OK(tuntap_set_filter_bpf(dev, ipv4_only_filter, 4, &err));
    send_to("10.8.0.4");
    CHECK(drain(dev) + drain(queue) == 0);
    send_to("10.8.0.2");
    CHECK(drain(dev) + drain(queue) == 1);

    /* Refused calls do not change the filter. */
    FAILS(tuntap_set_filter_bpf(dev, wrong, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("filter of t0");
    FAILS(tuntap_set_filter_bpf(dev, NULL, 4, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_filter_bpf(dev, (const char *)many + 1, 4, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_filter_bpf(dev, many, 4097, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_set_filter_bpf(dev, many, SIZE_MAX, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_set_filter_bpf(NULL, ipv4_only_filter, 4, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    send_to("10.8.0.5");
    CHECK(drain(dev) + drain(queue) == 0);

    OK(tuntap_set_filter_bpf(dev, NULL, 0, &err));
    OK(tuntap_set_filter_bpf(dev, NULL, 0, &err));
    send_to("10.8.0.6");
    CHECK(drain(dev) + drain(queue) == 1);
    IP("link delete t0");
    FAILS(tuntap_set_filter_bpf(dev, ipv4_only_filter, 4, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(queue);
    tuntap_close(dev);

    dev = device_up("t0", TUNTAP_TUN);
    FAILS(tuntap_set_filter_bpf(dev, ipv4_only_filter, 4, &err), EOPNOTSUPP, TUNTAP_REASON_KIND);
    MESSAGE_HAS("t0 is a TUN");
    tuntap_close(dev);
    for (int pi = 0; pi < 2; pi++) {
        later_queues_have_the_filter_too(pi ? TUNTAP_PI : 0);
        a_device_that_is_opened_again_has_no_filter(pi ? TUNTAP_PI : 0);
    }
    return 0;
}
