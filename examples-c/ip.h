/* SPDX-License-Identifier: MIT
 *
 * IP packets for the examples: prints a packet on one line, and answers a ping. A packet can contain
 * any bytes, so these functions check its length before they read a header. */
#ifndef IP_H
#define IP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Two bytes in network byte order, at any alignment. */
static inline unsigned two_bytes(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* Prints the payload of an IP packet: `ICMP echo request, seq 1`, `UDP port 4000 > 53`. */
static inline void print_payload(unsigned protocol, const uint8_t *data, size_t length)
{
    int v6 = protocol == IPPROTO_ICMPV6;
    switch (protocol) {
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        printf(v6 ? "ICMPv6" : "ICMP");
        if (length < 8)
            printf(" cut short");
        else if (data[0] == (v6 ? 128 : 8))
            printf(" echo request, seq %u", two_bytes(data + 6));
        else if (data[0] == (v6 ? 129 : 0))
            printf(" echo reply, seq %u", two_bytes(data + 6));
        else if (v6 && data[0] == 133)
            printf(" router solicitation");
        else if (v6 && data[0] == 143)
            printf(" multicast listener report");
        else
            printf(" type %u, code %u", data[0], data[1]);
        break;
    case IPPROTO_TCP:
    case IPPROTO_UDP:
        printf(protocol == IPPROTO_TCP ? "TCP" : "UDP");
        if (length < (protocol == IPPROTO_TCP ? 20 : 8))
            printf(" cut short");
        else
            printf(" port %u > %u", two_bytes(data), two_bytes(data + 2));
        break;
    case IPPROTO_FRAGMENT:
        printf("fragment");
        break;
    default:
        printf("protocol %u", protocol);
    }
}

/* Prints a packet on one line: source, destination, payload, length. */
static inline void print_packet(const uint8_t *packet, size_t length)
{
    char from[INET6_ADDRSTRLEN] = "", to[INET6_ADDRSTRLEN] = "";
    size_t start = 0, end = 0; /* of the payload */
    unsigned protocol = 0;

    if (length >= 20 && packet[0] >> 4 == 4) {
        start = (packet[0] & 15) * 4;
        end = two_bytes(packet + 2); /* a frame may have padding after it */
        /* Only the first fragment has a TCP or UDP header. */
        protocol = two_bytes(packet + 6) & 0x1fff ? IPPROTO_FRAGMENT : packet[9];
        inet_ntop(AF_INET, packet + 12, from, sizeof from);
        inet_ntop(AF_INET, packet + 16, to, sizeof to);
    } else if (length >= 40 && packet[0] >> 4 == 6) {
        start = 40;
        end = 40 + two_bytes(packet + 4);
        protocol = packet[6];
        /* Extension headers: each has the type of the next one, and its own length. */
        while (end <= length && start + 8 <= end &&
               (protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
                protocol == IPPROTO_DSTOPTS)) {
            protocol = packet[start];
            start += (packet[start + 1] + 1) * 8;
        }
        inet_ntop(AF_INET6, packet + 8, from, sizeof from);
        inet_ntop(AF_INET6, packet + 24, to, sizeof to);
    }
    if (start < 20 || start > end || end > length) {
        printf("malformed packet, %zu bytes\n", length);
        return;
    }
    printf("%s > %s  ", from, to);
    print_payload(protocol, packet + start, end - start);
    printf(", %zu bytes\n", end);
}

/* Turns an IPv4 ICMP echo request into its reply, in place. Returns 1, or 0 if the packet is
 * something else. */
static inline int answer_ping(uint8_t *packet, size_t length)
{
    if (length < 20 || packet[0] >> 4 != 4 || packet[9] != IPPROTO_ICMP)
        return 0;
    size_t header = (packet[0] & 15) * 4;
    if (header < 20 || length < header + 8 || packet[header] != 8)
        return 0;
    if (two_bytes(packet + 6) & 0x3fff) /* a fragment is not a complete request */
        return 0;

    /* Swap the addresses. This does not change the checksum of the IP header. */
    uint8_t from[4];
    memcpy(from, packet + 12, 4);
    memcpy(packet + 12, packet + 16, 4);
    memcpy(packet + 16, from, 4);

    /* The type changes from 8 to 0. The checksum is the complement of the sum, so it increases by
     * 0x0800 when the sum decreases by 0x0800; the carry is added at the low end (RFC 1624). */
    packet[header] = 0;
    unsigned sum = two_bytes(packet + header + 2) + 0x0800;
    sum = (sum & 0xffff) + (sum >> 16);
    packet[header + 2] = sum >> 8;
    packet[header + 3] = sum & 0xff;
    return 1;
}

#endif
