/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include <linux/filter.h>

/** The kernel spreads many flows over all attached queues. */
static void an_attached_queue_gets_packets_again(void)
{
    tuntap *a, *b;
    OK(tuntap_open("t1", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &a, &err));
    OK(tuntap_open_queue(a, 0, &b, &err));
    IP("address add 10.9.0.1/24 dev t1");
    IP("link set t1 up");
    OK(tuntap_detach(a, &err));
    IP_HAS("\"numqueues\":1,\"numdisabled\":1", "link show t1");
    OK(tuntap_attach(a, &err));
    IP_HAS("\"numqueues\":2,\"numdisabled\":0", "link show t1");
    int sock = udp_socket("10.9.0.1", PORT);
    for (unsigned port = 1; port <= 64; port++)
        udp_send(sock, "10.9.0.2", port, "flow", 4);
    wait_for(tuntap_get_fd(a, NULL), POLLIN);
    wait_for(tuntap_get_fd(b, NULL), POLLIN);
    close(sock);
    tuntap_close(a);
    tuntap_close(b);
}

/** If a queue has a filter, the driver may fail to attach it and still report success. */
static void a_queue_with_a_filter_is_attached_again(uint64_t flags)
{
    static struct sock_filter pass_all[] = {BPF_STMT(BPF_RET | BPF_K, 0xffffffff)};
    tuntap *dev;
    flags |= TUNTAP_TAP | TUNTAP_MULTI_QUEUE;
    OK(tuntap_open("t2", flags, &dev, &err));
    int sock = bring_up("t2", flags);
    filter_by_hand(tuntap_get_fd(dev, NULL), pass_all, 1);
    for (int i = 0; i < 2; i++) {
        OK(tuntap_detach(dev, &err));
        OK(tuntap_attach(dev, &err));
        IP_HAS("\"numqueues\":1,\"numdisabled\":0", "link show t2");
        packets_flow(sock, dev, flags);
    }
    OK(tuntap_set_filter_bpf(dev, pass_all, 1, &err));
    OK(tuntap_detach(dev, &err));
    OK(tuntap_attach(dev, &err));
    IP_HAS("\"numqueues\":1,\"numdisabled\":0", "link show t2");
    packets_flow(sock, dev, flags);
    close(sock);
    tuntap_close(dev);
}

int main(void)
{
    tuntap *dev;
    uint8_t buf[1500];
    begin();
    ipv4_only();
    an_attached_queue_gets_packets_again();
    a_queue_with_a_filter_is_attached_again(0);
    a_queue_with_a_filter_is_attached_again(TUNTAP_PI);
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE | TUNTAP_NONBLOCK, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    OK(tuntap_attach(dev, &err));
    OK(tuntap_detach(dev, &err));
    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "10.8.0.2", PORT, "lost", 4);
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);

    OK(tuntap_attach(dev, &err));
    OK(tuntap_attach(dev, &err));
    IP_HAS("\"numqueues\":1,\"numdisabled\":0", "link show t0");
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    wait_for(tuntap_get_fd(dev, NULL), POLLIN);
    OK(tuntap_read(dev, buf, sizeof buf, &err));
    is_udp_packet(buf, UDP_OVERHEAD + 5, "10.8.0.2", "hello", 5);
    close(sock);

    FAILS(tuntap_attach(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_detach(dev, &err));
    IP("link delete t0");
    FAILS(tuntap_attach(dev, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    FAILS(tuntap_attach(dev, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    tuntap_close(dev);
    return 0;
}
