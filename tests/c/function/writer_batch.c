/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;
static struct packets packets;
static struct iovec iovecs[4097];

static void list_all(void)
{
    for (size_t i = 0; i < packets.count; i++)
        iovecs[i] = (struct iovec){packets.bytes + packets.at[i], length_of(&packets, i)};
}

int main(void)
{
    tuntap_writer *writer;
    tuntap_stats stats;
    begin();
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_writer_open(dev, 0, &writer, &err));
    udp_super(&super, 20, 1000);
    split_super(&super, TUNTAP_TUN, &packets);
    list_all();
    CHECK(tuntap_writer_batch(writer, iovecs, packets.count, NULL) == 20);
    receives_super(sock, 20, 1000);
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(stats.rx_packets == 1);
    CHECK(tuntap_writer_batch(writer, iovecs, 0, NULL) == 0);

    /* The ninth is no packet: those before it go out. */
    packets.bytes[packets.at[8]] = 0;
    CHECK(tuntap_writer_batch(writer, iovecs, packets.count, NULL) == 8);
    receives_super(sock, 8, 1000);
    FAILS(tuntap_writer_batch(writer, iovecs + 8, 3, &err), EINVAL, TUNTAP_REASON_PACKET);
    iovecs[1].iov_base = NULL;
    FAILS(tuntap_writer_batch(writer, iovecs, 3, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_writer_batch(writer, NULL, 3, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_writer_batch(NULL, iovecs, 3, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(!is_readable(sock));
    IP("link set t0 down");
    FAILS(tuntap_writer_batch(writer, iovecs, 1, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    tuntap_writer_close(writer);
    close(sock);
    tuntap_close(dev);
    return 0;
}
