/* SPDX-License-Identifier: MIT
 *
 * Thousands of packets: a few good ones, the same ones truncated to every length and with each byte changed, and random
 * bytes. The packets are the same in each run. */
#ifndef PACKETS_H
#define PACKETS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

/* Calls `use` with each packet. A packet begins with its EtherType, or with a part of it. */
static void each_packet(void (*use)(const uint8_t *bytes, size_t size))
{
    static const uint8_t changes[] = {0x00, 0x0f, 0x80, 0xff};
    uint8_t packet[200];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        use((const uint8_t *)good[i].bytes, good[i].size);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t size = good[i].size;
        for (size_t cut = 1; cut <= size; cut++)
            use((const uint8_t *)good[i].bytes, cut);
        for (size_t at = 0; at < size * sizeof changes; at++) {
            memcpy(packet, good[i].bytes, size);
            packet[at / sizeof changes] = changes[at % sizeof changes];
            use(packet, size);
        }
    }
    for (size_t i = 0; i < 2000; i++) {
        size_t kind = i % 4, size = 1 + (size_t)rand() % sizeof packet;
        for (size_t at = 0; at < sizeof packet; at++)
            packet[at] = (uint8_t)rand();
        if (kind < 2) { /* IPv4 or IPv6 with a correct length and random contents */
            static const uint8_t protocols[] = {1, 6, 17, 58};
            memcpy(packet, kind ? "\x86\xdd\x60" : "\x08\0\x45", 3);
            packet[kind ? 6 : 4] = 0;
            packet[kind ? 7 : 5] = (uint8_t)(size - (kind ? 42 : 2));
            packet[kind ? 8 : 11] = protocols[i / 4 % 4];
            if (!kind)
                packet[8] = packet[9] = 0; /* no fragment */
        } else if (kind == 2) {
            memcpy(packet, "\x08\6", 2);
        }
        use(packet, size);
    }
}

#endif
