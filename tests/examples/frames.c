/* SPDX-License-Identifier: MIT
 *
 * frames NAME ip|ethernet: sends thousands of packets out through a device, past the kernel's IP: a few good
 * ones, these cut short at every length and with each byte changed, and noise. The same ones every time. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define ETHERNET "\x02\0\0\0\0\x02\x02\0\0\0\0\x01"

/* Each begins with its EtherType, which a TUN does not carry. */
static const struct {
    const char *bytes;
    size_t size;
} good[] = {
#define PACKET(text) {text, sizeof text - 1}
    /* IPv4 with options, UDP */
    PACKET("\x08\0" "\x46\0\0\x25\0\0\0\0\x40\x11\0\0\x0a\x08\0\1\x0a\x08\0\2\1\1\1\0" "\x10\0\0\7\0\x0d\0\0hello"),
    /* IPv4, TCP */
    PACKET("\x08\0" "\x45\0\0\x28\0\0\0\0\x40\6\0\0\x0a\x08\0\1\x0a\x08\0\2"
           "\x10\0\0\7\0\0\0\0\0\0\0\0\x50\2\0\0\0\0\0\0"),
    /* IPv4, ICMP echo request */
    PACKET("\x08\0" "\x45\0\0\x1c\0\0\0\0\x40\1\0\0\x0a\x08\0\1\x0a\x08\0\2" "\x08\0\xf7\xfe\0\0\0\1"),
    /* IPv6, hop-by-hop and destination options, ICMPv6 echo request */
    PACKET("\x86\xdd" "\x60\0\0\0\0\x18\0\1\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2"
           "\x3c\0\0\0\0\0\0\0" "\x3a\0\0\0\0\0\0\0" "\x80\0\0\0\0\0\0\1"),
    /* ARP */
    PACKET("\x08\6" "\0\1\x08\0\6\4\0\1\2\0\0\0\0\1\x0a\x08\0\1\0\0\0\0\0\0\x0a\x08\0\2"),
    /* a VLAN tag, and IPv4 with nothing in it */
    PACKET("\x81\0\0\5\x08\0" "\x45\0\0\x14\0\0\0\0\x40\1\0\0\x0a\x08\0\1\x0a\x08\0\2"),
};

static int sock, tap;

/* Sends a packet that begins with its EtherType. A queue that is full drops it: hence the rests. */
static void send_one(const uint8_t *bytes, size_t size)
{
    static unsigned sent;
    uint8_t frame[256] = ETHERNET;
    size_t skip = tap ? 0 : 2, start = tap ? 12 : 0;
    if (size > skip) {
        memcpy(frame + start, bytes + skip, size - skip);
        (void)!send(sock, frame, start + size - skip, 0);
    }
    if (++sent % 50 == 0)
        nanosleep(&(struct timespec){0, 2000000}, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    tap = strcmp(argv[2], "ethernet") == 0;
    struct sockaddr_ll device = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
    device.sll_ifindex = (int)if_nametoindex(argv[1]);
    sock = socket(AF_PACKET, SOCK_RAW, 0);
    if (sock < 0 || bind(sock, (struct sockaddr *)&device, sizeof device) < 0) {
        perror("frames");
        return 1;
    }
    uint8_t packet[200];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        send_one((const uint8_t *)good[i].bytes, good[i].size);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t size = good[i].size;
        for (size_t cut = 1; cut <= size; cut++)
            send_one((const uint8_t *)good[i].bytes, cut);
        for (size_t at = 0; at < size * 4; at++) {
            static const uint8_t changes[] = {0x00, 0x0f, 0x80, 0xff};
            memcpy(packet, good[i].bytes, size);
            packet[at / 4] = changes[at % 4];
            send_one(packet, size);
        }
    }
    for (int i = 0; i < 1000; i++) {
        size_t size = 1 + (size_t)rand() % sizeof packet;
        for (size_t at = 0; at < size; at++)
            packet[at] = (uint8_t)rand();
        packet[tap ? 0 : 2] = tap ? (i % 2 ? 0x08 : 0x86) : (uint8_t)(i % 2 ? 0x45 : 0x60);
        if (tap)
            packet[1] = i % 2 ? i % 4 == 1 ? 0x00 : 0x06 : 0xdd;
        send_one(packet, size);
    }
    return 0;
}
