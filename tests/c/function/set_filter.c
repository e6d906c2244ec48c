/* SPDX-License-Identifier: MIT */
#include "steering.h"

#include <linux/filter.h>
#include <net/ethernet.h>

/** Only frames of this EtherType. */
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

int main(void)
{
    static struct sock_filter many[5000];
    begin();
    ipv4_only();
    tuntap *dev = device_up("t0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE), *queue;
    OK(tuntap_open_queue(dev, TUNTAP_NONBLOCK, &queue, &err));
    IP("neigh replace 10.8.0.2 lladdr 02:00:00:00:00:02 dev t0");

    /* A question by ARP, and a datagram. */
    send_to("10.8.0.3");
    CHECK(drain(dev) + drain(queue) == 1);
    OK(tuntap_set_filter(dev, ipv4_only_filter, 4, &err));
    send_to("10.8.0.4");
    CHECK(drain(dev) + drain(queue) == 0);
    send_to("10.8.0.2");
    CHECK(drain(dev) + drain(queue) == 1);

    /* What is refused leaves the filter as it was. */
    const struct sock_filter wrong[] = {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12)};
    FAILS(tuntap_set_filter(dev, wrong, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("filter of t0");
    FAILS(tuntap_set_filter(dev, NULL, 4, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_filter(dev, (const char *)many + 1, 4, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_filter(dev, many, 4097, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_set_filter(dev, many, SIZE_MAX, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_set_filter(NULL, ipv4_only_filter, 4, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    send_to("10.8.0.5");
    CHECK(drain(dev) + drain(queue) == 0);

    OK(tuntap_set_filter(dev, NULL, 0, &err));
    OK(tuntap_set_filter(dev, NULL, 0, &err));
    send_to("10.8.0.6");
    CHECK(drain(dev) + drain(queue) == 1);
    IP("link delete t0");
    FAILS(tuntap_set_filter(dev, ipv4_only_filter, 4, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(queue);
    tuntap_close(dev);

    dev = device_up("t0", TUNTAP_TUN);
    FAILS(tuntap_set_filter(dev, ipv4_only_filter, 4, &err), EOPNOTSUPP, TUNTAP_REASON_KIND);
    MESSAGE_HAS("t0 is a TUN");
    tuntap_close(dev);
    return 0;
}
