/* SPDX-License-Identifier: MIT */
#include "packet.h"

/** Of many flows some come to each attached queue. */
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
    wait_for(tuntap_get_fd(a), POLLIN);
    wait_for(tuntap_get_fd(b), POLLIN);
    close(sock);
    tuntap_close(a);
    tuntap_close(b);
}

int main(void)
{
    tuntap *dev;
    uint8_t buf[1500];
    begin();
    ipv4_only();
    an_attached_queue_gets_packets_again();
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
    wait_for(tuntap_get_fd(dev), POLLIN);
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
