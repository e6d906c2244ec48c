/* SPDX-License-Identifier: MIT */
#include "packet.h"

#include <net/if.h>
#include <netpacket/packet.h>

static uint8_t buf[70000], data[70000];

/** Sends an IP packet as long as the MTU. */
static void send_packet(unsigned mtu)
{
    IP("address add 10.8.0.1/24 dev t0");
    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "10.8.0.2", PORT, data, mtu - UDP_OVERHEAD);
    close(sock);
}

/** Sends an Ethernet frame as long as the MTU plus its header and a VLAN tag, which the MTU does not include. */
static void send_frame(unsigned mtu)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("t0"), .sll_halen = 6};
    size_t length = mtu + 18;
    memcpy(data, "\2\0\0\0\0\2\2\0\0\0\0\1\x81\0\0\5\x88\xb5", 18);
    int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x88b5));
    CHECK(sock >= 0);
    CHECK(sendto(sock, data, length, 0, (struct sockaddr *)&to, sizeof to) == (ssize_t)length);
    close(sock);
}

/** The largest packet at the largest MTU fits. The MTU does not change the read size. */
static void no_packet_exceeds_the_read_size(uint64_t flags, unsigned most, size_t size, size_t longest)
{
    tuntap *dev;
    OK(tuntap_open("t0", flags, &dev, &err));
    CHECK(tuntap_read_size(dev) == size);
    IP("link set t0 up mtu %u", most);
    CHECK(tuntap_read_size(dev) == size);
    (flags & TUNTAP_TAP ? send_frame : send_packet)(most);
    memset(buf, 0, sizeof buf);
    CHECK(tuntap_read(dev, buf, tuntap_read_size(dev), &err) == (ssize_t)longest);
    CHECK(tuntap_read_size(dev) >= longest);
    CHECK(memcmp(buf + longest - 60000, data + (flags & TUNTAP_TAP ? most + 18 : most - UDP_OVERHEAD) - 60000, 60000) == 0);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    no_packet_exceeds_the_read_size(TUNTAP_TUN, 65535, 65535, 65535);
    no_packet_exceeds_the_read_size(TUNTAP_TUN | TUNTAP_PI, 65535, 65539, 65539);
    no_packet_exceeds_the_read_size(TUNTAP_TAP, 65521, 65543, 65539);
    no_packet_exceeds_the_read_size(TUNTAP_TAP | TUNTAP_PI, 65521, 65547, 65543);
    CHECK(tuntap_read_size(NULL) == 0);
    return 0;
}
