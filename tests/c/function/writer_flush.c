/* SPDX-License-Identifier: MIT */
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

/** Ten packets are one for the kernel; and a flush of nothing is nothing. */
static void what_belongs_together_goes_out_at_once(tuntap *dev, tuntap_writer *writer, int sock)
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

/** Nothing is kept for a device that is down, or gone. */
static void what_the_kernel_refuses_is_lost(tuntap_writer *writer, int sock)
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

/** A put that finds the writer full writes, and says nothing of what is lost by that: the packet was taken. */
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

/** The first flush finds no room for the wait that ends it, and the next one gets all of it out. */
static void a_flush_that_ends_early_keeps_the_rest(void)
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

int main(void)
{
    tuntap_writer *writer;
    begin();
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    what_belongs_together_goes_out_at_once(dev, writer, sock);
    a_loss_in_a_put_is_reported_later(dev, writer);
    what_the_kernel_refuses_is_lost(writer, sock);
    tuntap_writer_free(writer);
    close(sock);
    tuntap_close(dev);
    a_flush_that_ends_early_keeps_the_rest();
    return 0;
}
