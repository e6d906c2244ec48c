/* SPDX-License-Identifier: MIT */
#include "super.h"

static uint8_t packet[100];

/** Packets that were not flushed are lost. */
int main(void)
{
    tuntap_writer *writer;
    tuntap_stats stats;
    begin();
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    size_t size = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    OK(tuntap_writer_put(writer, packet, size, &err));
    tuntap_writer_free(writer);
    tuntap_writer_free(NULL);
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(stats.rx_packets == 0);
    tuntap_close(dev);
    return 0;
}
