/* SPDX-License-Identifier: MIT */
#include "packet.h"

enum { FLOWS = 64 };

/** Packets that this queue, which does not wait, gives. */
static int packets_in(tuntap *queue)
{
    uint8_t buf[1500];
    int count = 0;
    while (tuntap_read(queue, buf, sizeof buf, NULL) > 0)
        count++;
    return count;
}

/** A datagram for each of many flows, so that the kernel spreads them over what queues there are. */
static void send_flows(void)
{
    int sock = udp_socket("10.8.0.1", 0);
    for (unsigned port = 1; port <= FLOWS; port++)
        udp_send(sock, "10.8.0.2", port, "flow", 4);
    close(sock);
}

static void packets_go_to_attached_queues_only(tuntap *a, tuntap *b)
{
    send_flows();
    int to_a = packets_in(a), to_b = packets_in(b);
    CHECK(to_a + to_b == FLOWS && to_a > 0 && to_b > 0);

    /* What waits in the queue is dropped, and the rest comes to the other. */
    send_flows();
    OK(tuntap_detach(a, &err));
    OK(tuntap_detach(a, &err));
    IP_HAS("\"numqueues\":1,\"numdisabled\":1", "link show t0");
    CHECK(packets_in(a) == 0);
    packets_in(b);
    send_flows();
    CHECK(packets_in(a) == 0 && packets_in(b) == FLOWS);
}

/** The handle writes, and answers for the device. */
static void a_detached_handle_still_serves(tuntap *queue)
{
    uint8_t buf[100];
    char name[TUNTAP_NAME_SIZE];
    uint64_t flags;
    int sock = udp_socket("10.8.0.1", PORT);
    size_t length = udp_packet(buf, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    OK(tuntap_write(queue, buf, length, &err));
    udp_receives(sock, "hello", 5);
    close(sock);
    OK(tuntap_get_name(queue, name, sizeof name, &err));
    OK(tuntap_get_flags(queue, &flags, &err));
    OK(tuntap_set_mtu(queue, 1400, &err));
    IP_HAS("\"mtu\":1400", "link show t0");
}

/** Through NAPI nothing goes up from a queue that is detached: its writer hears of it, and loses what was taken. Linux 5.10
 * takes the packet: 0 then. */
static int a_detached_queue_with_napi_writes_nothing(uint64_t flags)
{
    uint8_t buf[100];
    tuntap *dev;
    tuntap_writer *writer;
    tuntap_stats stats;
    OK(tuntap_open("t1", TUNTAP_TUN | TUNTAP_MULTI_QUEUE | TUNTAP_NAPI | flags, &dev, &err));
    IP("link set t1 up");
    size_t length = udp_packet(buf, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    struct iovec parts[2] = {{buf, 20}, {buf + 20, length - 20}};
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    OK(tuntap_detach(dev, &err));
    if (!flags && write(tuntap_get_fd(dev, NULL), buf, length) == (ssize_t)length) {
        tuntap_writer_free(writer);
        tuntap_close(dev);
        return 0;
    }
    FAILS(tuntap_write(dev, buf, length, &err), EBUSY, TUNTAP_REASON_BUSY);
    MESSAGE_HAS("tuntap_attach");
    FAILS(tuntap_writev(dev, parts, 2, &err), EBUSY, TUNTAP_REASON_BUSY);
    int put = tuntap_writer_put(writer, buf, length, &err);
    CHECK(put == (flags & TUNTAP_OFFLOAD ? 0 : -EBUSY));
    if (put == 0)
        FAILS(tuntap_writer_flush(writer, &err), EBUSY, TUNTAP_REASON_BUSY);
    OK(tuntap_attach(dev, &err));
    OK(tuntap_write(dev, buf, length, &err));
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(stats.rx_packets == 1);
    tuntap_writer_free(writer);
    tuntap_close(dev);
    return 1;
}

int main(void)
{
    tuntap *a, *b;
    begin();
    ipv4_only();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE | TUNTAP_NONBLOCK, &a, &err));
    OK(tuntap_open_queue(a, TUNTAP_NONBLOCK, &b, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    packets_go_to_attached_queues_only(a, b);
    a_detached_handle_still_serves(a);
    tuntap_close(b);
    IP_HAS("\"numqueues\":0,\"numdisabled\":1", "link show t0");

    FAILS(tuntap_detach(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_detach(a, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(a);
    OK(tuntap_open("t0", TUNTAP_TUN, &a, &err));
    FAILS(tuntap_detach(a, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    tuntap_close(a);
    if (a_detached_queue_with_napi_writes_nothing(0))
        a_detached_queue_with_napi_writes_nothing(TUNTAP_OFFLOAD);
    return 0;
}
