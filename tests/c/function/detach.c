/* SPDX-License-Identifier: MIT */
#include "packet.h"

enum { FLOWS = 64 };

/** Reads all packets from a nonblocking queue. Returns their number. */
static int count_packets(tuntap *queue)
{
    uint8_t buf[1500];
    int count = 0;
    while (tuntap_read(queue, buf, sizeof buf, NULL) > 0)
        count++;
    return count;
}

/** Sends a datagram of each of many flows. The kernel spreads them over the attached queues. */
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
    int to_a = count_packets(a), to_b = count_packets(b);
    CHECK(to_a + to_b == FLOWS && to_a > 0 && to_b > 0);

    /* Detaching a queue drops its packets. Later packets come to the other queue. */
    send_flows();
    OK(tuntap_detach(a, &err));
    OK(tuntap_detach(a, &err));
    IP_HAS("\"numqueues\":1,\"numdisabled\":1", "link show t0");
    CHECK(count_packets(a) == 0);
    count_packets(b);
    send_flows();
    CHECK(count_packets(a) == 0 && count_packets(b) == FLOWS);
}

/** A handle with a detached queue can write, and can query and configure the device. */
static void a_detached_handle_still_writes_and_configures(tuntap *queue)
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

/** With NAPI, a detached queue delivers no packets: writes fail, and a writer loses its packets. Returns 0 on a kernel
 * such as Linux 5.10 where the write succeeds. */
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
    a_detached_handle_still_writes_and_configures(a);
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
