/* SPDX-License-Identifier: MIT */
#include "packet.h"

/** A line of /proc/net/dev: bytes, packets, errors and drops, received and then transmitted. */
static tuntap_stats stats_by_hand(const char *name)
{
    tuntap_stats stats;
    unsigned long long n[12];
    char needle[32];
    snprintf(needle, sizeof needle, "%s:", name);
    const char *line = strstr(output_of("cat /proc/net/dev"), needle);
    CHECK(line);
    CHECK(sscanf(line + strlen(needle), "%llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu", n, n + 1, n + 2,
                 n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9, n + 10, n + 11) == 12);
    stats = (tuntap_stats){.rx_bytes = n[0], .rx_packets = n[1], .rx_errors = n[2], .rx_dropped = n[3],
                           .tx_bytes = n[8], .tx_packets = n[9], .tx_errors = n[10], .tx_dropped = n[11]};
    return stats;
}

static tuntap *dev;

static void stats_are_those_of_the_kernel(void)
{
    tuntap_stats stats, expected = stats_by_hand("t0");
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(memcmp(&stats, &expected, sizeof stats) == 0);
}

/** The bytes include the Ethernet header of a TAP, but not the packet information and the virtio header. */
static void bytes_include_only_the_ethernet_header(uint64_t flags, size_t before, size_t ethernet)
{
    uint8_t packet[1500] = {0};
    tuntap_stats stats, none;
    OK(tuntap_open("t0", flags | TUNTAP_NONBLOCK, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    if (ethernet)
        IP("neighbour add 10.8.0.2 lladdr 02:00:00:00:00:02 dev t0");
    OK(tuntap_get_stats(dev, &none, sizeof none, &err));
    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    CHECK(tuntap_read(dev, packet, sizeof packet, &err) == (ssize_t)(before + ethernet + 33));
    memset(packet, 0, sizeof packet);
    if (before)
        packet[2] = 8; /* ETH_P_IP */
    if (ethernet)
        memcpy(packet + before, "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\2\10\0", 14);
    size_t length = udp_packet(packet + before + ethernet, "10.8.0.2", "10.8.0.1", PORT, "and back", 8);
    OK(tuntap_write(dev, packet, before + ethernet + length, &err));
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(stats.tx_packets - none.tx_packets == 1 && stats.tx_bytes - none.tx_bytes == ethernet + 33);
    CHECK(stats.rx_packets - none.rx_packets == 1 && stats.rx_bytes - none.rx_bytes == ethernet + 36);
    close(sock);
    tuntap_close(dev);
}

int main(void)
{
    uint8_t packet[1500], none[100];
    tuntap_stats stats;
    begin();
    ipv4_only();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_NONBLOCK, &dev, &err));
    stats_are_those_of_the_kernel();
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up txqueuelen 5");
    int sock = udp_socket("10.8.0.1", PORT);
    for (int i = 0; i < 8; i++)
        udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    while (tuntap_read(dev, none, sizeof none, NULL) > 0)
        ;
    size_t length = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "and back", 8);
    for (int i = 0; i < 3; i++)
        OK(tuntap_write(dev, packet, length, &err));
    stats_are_those_of_the_kernel();
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(stats.tx_packets == 5 && stats.tx_dropped == 3 && stats.tx_bytes == 5 * 33);
    CHECK(stats.rx_packets == 3 && stats.rx_bytes == 3 * 36);

    /* A caller that knows more members than this library, and one that knows fewer. */
    struct {
        tuntap_stats known;
        uint64_t later, untouched;
    } longer = {.later = 7, .untouched = 7};
    OK(tuntap_get_stats(dev, &longer.known, sizeof longer - 8, &err));
    CHECK(longer.known.tx_packets == 5 && longer.later == 0 && longer.untouched == 7);
    stats.rx_packets = 77;
    FAILS(tuntap_get_stats(dev, &stats, sizeof stats - 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_stats(dev, &stats, 4097, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("sizeof(tuntap_stats)");
    FAILS(tuntap_get_stats(dev, &stats, (size_t)-11, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_stats(dev, NULL, sizeof stats, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_stats(NULL, &stats, sizeof stats, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_get_stats(dev, &stats, sizeof stats, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(stats.rx_packets == 77);
    close(sock);
    tuntap_close(dev);
    bytes_include_only_the_ethernet_header(TUNTAP_TUN | TUNTAP_PI, 4, 0);
    bytes_include_only_the_ethernet_header(TUNTAP_TUN | TUNTAP_OFFLOAD, 0, 0);
    bytes_include_only_the_ethernet_header(TUNTAP_TAP, 0, 14);
    bytes_include_only_the_ethernet_header(TUNTAP_TAP | TUNTAP_PI, 4, 14);
    bytes_include_only_the_ethernet_header(TUNTAP_TAP | TUNTAP_OFFLOAD, 0, 14);
    return 0;
}
