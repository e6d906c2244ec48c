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
    CHECK(stats.rx_packets == 1);
    receives_super(sock, 10, 100);
}

/** Nothing is kept for a device that is down, or gone. */
static void what_the_kernel_refuses_is_lost(tuntap_writer *writer, int sock)
{
    put_all(writer);
    IP("link set t0 down");
    FAILS(tuntap_writer_flush(writer, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    IP("link set t0 up");
    OK(tuntap_writer_flush(writer, &err));
    CHECK(!is_readable(sock));
    put_all(writer);
    IP("link delete t0");
    FAILS(tuntap_writer_flush(writer, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_writer_flush(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
}

int main(void)
{
    tuntap_writer *writer;
    begin();
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_writer_open(dev, 0, &writer, &err));
    what_belongs_together_goes_out_at_once(dev, writer, sock);
    what_the_kernel_refuses_is_lost(writer, sock);
    tuntap_writer_close(writer);
    close(sock);
    tuntap_close(dev);
    return 0;
}
