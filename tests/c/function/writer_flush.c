/* SPDX-License-Identifier: MIT */
#include "deny.h"
#include "super.h"

static struct super super;
static struct packets packets;

static void put_all(tuntap_writer *writer)
{
    clear(&packets);
    udp_super(&super, 10, 100);
    split_super(&super, TUNTAP_TUN, &packets);
    for (size_t i = 0; i < packets.count; i++)
        OK(tuntap_writer_put(writer, packet_of(&packets, i), length_of(&packets, i), &err));
}

/** The kernel gets ten packets as one. Flushing an empty writer does nothing. */
static void packets_of_one_flow_are_joined(tuntap *dev, tuntap_writer *writer, int sock)
{
    tuntap_stats stats;
    OK(tuntap_writer_flush(writer, &err));
    put_all(writer);
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(stats.rx_packets == 0 && !is_readable(sock));
    OK(tuntap_writer_flush(writer, &err));
    OK(tuntap_writer_flush(writer, &err));
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(stats.rx_packets == joined(10));
    receives_super(sock, 10, 100);
}

/** The writer keeps no packets for a device that is down or removed. */
static void packets_that_the_kernel_refuses_are_lost(tuntap_writer *writer, int sock)
{
    put_all(writer);
    IP("link set t0 down");
    FAILS(tuntap_writer_flush(writer, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    MESSAGE_HAS("10 packets are lost");
    IP("link set t0 up");
    OK(tuntap_writer_flush(writer, &err));
    CHECK(!is_readable(sock));
    put_all(writer);
    IP("link delete t0");
    FAILS(tuntap_writer_flush(writer, &err), ENODEV, TUNTAP_REASON_REMOVED);
    MESSAGE_HAS("10 packets are lost");
    FAILS(tuntap_writer_flush(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
}

/** A put into a full writer writes the packets. It does not report losses, because it took its own packet. */
static void a_loss_in_a_put_is_reported_later(tuntap *dev, tuntap_writer *writer)
{
    uint8_t packet[100];
    tuntap_stats stats;
    IP("link set t0 down");
    for (unsigned i = 0; i < 3000; i++) {
        size_t size = udp_packet(packet, "10.8.0.2", "10.8.0.1", 2000 + i, "hello", 5);
        OK(tuntap_writer_put(writer, packet, size, &err));
    }
    IP("link set t0 up");
    FAILS(tuntap_writer_flush(writer, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    unsigned lost = 0;
    const char *number = strpbrk(strrchr(err.message, ':'), "0123456789");
    CHECK(number && sscanf(number, "%u packets are lost", &lost) == 1);
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(lost > 1000 && lost < 3000 && stats.rx_packets == joined(10) + 3000 - lost);
    OK(tuntap_writer_flush(writer, &err));
}

/** Without room, a flush fails and the writer keeps the packets. With room, the next flush writes all of them. */
static void an_interrupted_flush_keeps_the_packets(void)
{
    tuntap_writer *writer;
    tuntap_stats before, after;
    tuntap *full = full_device(TUNTAP_OFFLOAD, 1);
    OK(tuntap_writer_new(full, 0, &writer, &err));
    OK(tuntap_get_stats(full, &before, sizeof before, &err));
    for (int i = 0; i < 10; i++)
        OK(tuntap_writer_put(writer, stray_frame, sizeof stray_frame, &err));
    tuntap_wake(full);
    FAILS(tuntap_writer_flush(writer, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    OK(tuntap_set_nonblock(full, 1, &err));
    FAILS(tuntap_writer_flush(writer, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    OK(tuntap_writer_put(writer, stray_frame, sizeof stray_frame, &err));
    CHECK(tuntap_wait(full, TUNTAP_WAIT_WRITE, 0, NULL) == -ETIMEDOUT);
    make_room();
    OK(tuntap_set_sndbuf(full, 1 << 30, &err));
    CHECK(tuntap_wait(full, TUNTAP_WAIT_WRITE, 10000, &err) == TUNTAP_WAIT_WRITE);
    OK(tuntap_writer_flush(writer, &err));
    OK(tuntap_get_stats(full, &after, sizeof after, &err));
    CHECK(after.rx_packets == before.rx_packets + 11);
    tuntap_writer_free(writer);
    close_full_device(full);
}

/** Without room, and without memory for the first wait, the writer keeps the packets too, with any virtio header. */
static void a_wait_that_cannot_begin_keeps_the_packets(void)
{
    tuntap_writer *writers[2];
    tuntap *others[2], *full = full_device(TUNTAP_OFFLOAD, 1);
    tuntap_stats before, after;
    const int sizes[] = {24, 128};
    uint64_t lost = 1;
    OK(tuntap_get_stats(full, &before, sizeof before, &err));
    deny_one(SYS_eventfd2, 0, ENOMEM);
    for (int i = 0; i < 2; i++) {
        CHECK(ioctl(tuntap_get_fd(full, NULL), TUNSETVNETHDRSZ, &sizes[i]) == 0);
        OK(tuntap_open_fd(tuntap_get_fd(full, NULL), TUNTAP_BORROW, &others[i], &err));
        OK(tuntap_writer_new(others[i], 0, &writers[i], &err));
        OK(tuntap_writer_put(writers[i], stray_frame, sizeof stray_frame, &err));
        FAILS(tuntap_writer_flush(writers[i], &err), ENOMEM, TUNTAP_REASON_SYSTEM);
        OK(tuntap_writer_get_lost(writers[i], &lost, &err));
        CHECK(lost == 0);
    }
    make_room();
    OK(tuntap_set_sndbuf(full, 1 << 30, &err));
    for (int i = 0; i < 2; i++) {
        CHECK(ioctl(tuntap_get_fd(full, NULL), TUNSETVNETHDRSZ, &sizes[i]) == 0);
        while (tuntap_writer_flush(writers[i], &err) == -ENOMEM)
            usleep(1000); /* the kernel has not yet freed the dropped queue */
        tuntap_writer_free(writers[i]);
        tuntap_close(others[i]);
    }
    OK(tuntap_get_stats(full, &after, sizeof after, &err));
    CHECK(after.rx_packets == before.rx_packets + 2);
    close_full_device(full);
}

int main(void)
{
    tuntap_writer *writer;
    begin();
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    packets_of_one_flow_are_joined(dev, writer, sock);
    a_loss_in_a_put_is_reported_later(dev, writer);
    packets_that_the_kernel_refuses_are_lost(writer, sock);
    tuntap_writer_free(writer);
    close(sock);
    tuntap_close(dev);
    an_interrupted_flush_keeps_the_packets();
    a_wait_that_cannot_begin_keeps_the_packets();
    return 0;
}
