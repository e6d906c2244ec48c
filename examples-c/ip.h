/* SPDX-License-Identifier: MIT
 *
 * What several examples need to know about IP packets: how to print one on a line, and how to
 * answer a ping. A packet can hold anything, so nothing is read that its length does not cover. */
#ifndef IP_H
#define IP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A number of two bytes, in network byte order and at any address. */
static inline unsigned two_bytes(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* What an IP packet carries: `ICMP echo request, seq 1`, `UDP port 4000 > 53`. */
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

/* Prints a packet on one line: who sends it to whom, what it is, how long it is. */
static inline void print_packet(const uint8_t *packet, size_t length)
{
    char from[INET6_ADDRSTRLEN] = "", to[INET6_ADDRSTRLEN] = "";
    size_t start = 0, end = 0; /* of what the packet carries */
    unsigned protocol = 0;

    if (length >= 20 && packet[0] >> 4 == 4) {
        start = (packet[0] & 15) * 4;
        end = two_bytes(packet + 2); /* a frame may have padding after it */
        /* Only the first fragment has the header that would say more. */
        protocol = two_bytes(packet + 6) & 0x1fff ? IPPROTO_FRAGMENT : packet[9];
        inet_ntop(AF_INET, packet + 12, from, sizeof from);
        inet_ntop(AF_INET, packet + 16, to, sizeof to);
    } else if (length >= 40 && packet[0] >> 4 == 6) {
        start = 40;
        end = 40 + two_bytes(packet + 4);
        protocol = packet[6];
        /* Headers with options can come between: each names the next, and says its length. */
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

/* Turns an IPv4 ICMP echo request into its answer, where it stands. Returns 1, or 0 if the packet
 * is something else. */
static inline int answer_ping(uint8_t *packet, size_t length)
{
    if (length < 20 || packet[0] >> 4 != 4 || packet[9] != IPPROTO_ICMP)
        return 0;
    size_t header = (packet[0] & 15) * 4;
    if (header < 20 || length < header + 8 || packet[header] != 8)
        return 0;
    if (two_bytes(packet + 6) & 0x3fff) /* a fragment is not the whole request */
        return 0;

    /* The addresses change places, which leaves the sum of the IP header as it is. */
    uint8_t from[4];
    memcpy(from, packet + 12, 4);
    memcpy(packet + 12, packet + 16, 4);
    memcpy(packet + 16, from, 4);

    /* The type goes from 8 to 0. The checksum is the complement of a sum, so it grows by what the
     * sum loses, the word 0x0800; the carry goes in at the other end (RFC 1624). */
    packet[header] = 0;
    unsigned sum = two_bytes(packet + header + 2) + 0x0800;
    sum = (sum & 0xffff) + (sum >> 16);
    packet[header + 2] = sum >> 8;
    packet[header + 3] = sum & 0xff;
    return 1;
}

#endif
