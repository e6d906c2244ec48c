/* SPDX-License-Identifier: MIT
 *
 * Real packets for the tests: UDP sockets, and IPv4 packets made and taken apart by hand. */
#ifndef PACKET_H
#define PACKET_H

#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/** The port of every test: each has a network namespace of its own. */
#define PORT 7000

/** Bytes of the IPv4 and UDP headers before the data. */
#define UDP_OVERHEAD 28

/** The devices made from now on have no IPv6, which would send packets of its own through them. */
UNUSED static void ipv4_only(void)
{
    if (access("/proc/sys/net/ipv6", F_OK) == 0)
        write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

/** Waits for the events; ends the test when they do not come. */
UNUSED static void wait_for(int fd, short events)
{
    struct pollfd wanted = {.fd = fd, .events = events};
    CHECK(poll(&wanted, 1, 20000) == 1 && wanted.revents & events);
}

/** Whether there is something to read at this moment. */
UNUSED static int is_readable(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    return poll(&wanted, 1, 0) == 1;
}

UNUSED static struct sockaddr_in udp_address(const char *address, unsigned port)
{
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    CHECK(inet_pton(AF_INET, address, &result.sin_addr) == 1);
    return result;
}

/** A UDP socket that belongs to an address and a port. */
UNUSED static int udp_socket(const char *address, unsigned port)
{
    struct sockaddr_in own = udp_address(address, port);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK(bind(fd, (struct sockaddr *)&own, sizeof own) == 0);
    return fd;
}

UNUSED static void udp_send(int fd, const char *to, unsigned port, const void *data, size_t size)
{
    struct sockaddr_in address = udp_address(to, port);
    CHECK(sendto(fd, data, size, 0, (struct sockaddr *)&address, sizeof address) == (ssize_t)size);
}

/** The next datagram of a socket is this one. */
UNUSED static void udp_receives(int fd, const void *data, size_t size)
{
    static uint8_t got[65536];
    wait_for(fd, POLLIN);
    CHECK(recv(fd, got, sizeof got, 0) == (ssize_t)size);
    CHECK(memcmp(got, data, size) == 0);
}

/** The Internet checksum of some bytes, which go on from an earlier sum. */
static uint16_t checksum(const uint8_t *bytes, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put16(uint8_t *to, size_t number)
{
    to[0] = (uint8_t)(number >> 8);
    to[1] = (uint8_t)number;
}

/** The checksum of a UDP datagram in its IPv4 packet: 0 when it is right already. */
static uint16_t udp_checksum(const uint8_t *packet, size_t length)
{
    uint32_t pseudo = IPPROTO_UDP + (uint32_t)(length - 20);
    return checksum(packet + 12, length - 12, pseudo);
}

/** Makes a whole IPv4 packet with a UDP datagram in it; its length. */
UNUSED static size_t udp_packet(uint8_t *packet, const char *from, const char *to, unsigned port, const void *data,
                                size_t size)
{
    size_t length = UDP_OVERHEAD + size;
    memset(packet, 0, UDP_OVERHEAD);
    packet[0] = 0x45;
    put16(packet + 2, length);
    packet[8] = 64;
    packet[9] = IPPROTO_UDP;
    CHECK(inet_pton(AF_INET, from, packet + 12) == 1 && inet_pton(AF_INET, to, packet + 16) == 1);
    put16(packet + 10, checksum(packet, 20, 0));
    put16(packet + 20, port);
    put16(packet + 22, port);
    put16(packet + 24, length - 20);
    memcpy(packet + UDP_OVERHEAD, data, size);
    put16(packet + 26, udp_checksum(packet, length));
    return length;
}

/** This is a whole IPv4 packet with these data in UDP, addressed to this host, with both checksums right. */
UNUSED static void is_udp_packet(const uint8_t *packet, size_t length, const char *to, const void *data, size_t size)
{
    uint8_t address[4];
    CHECK(inet_pton(AF_INET, to, address) == 1);
    CHECK(length == UDP_OVERHEAD + size);
    CHECK(packet[0] == 0x45 && packet[9] == IPPROTO_UDP);
    CHECK(((size_t)packet[2] << 8 | packet[3]) == length);
    CHECK(memcmp(packet + 16, address, 4) == 0);
    CHECK(checksum(packet, 20, 0) == 0 && udp_checksum(packet, length) == 0);
    CHECK(memcmp(packet + UDP_OVERHEAD, data, size) == 0);
}

/** Waits until a thread of this process is inside a read from this descriptor, as the kernel has it. */
UNUSED static void wait_for_reader(long thread, int fd)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%ld/syscall", thread);
    for (;;) {
        long call = -1;
        unsigned long first = 0;
        FILE *file = fopen(path, "re");
        if (!file)
            return; /* This kernel does not tell: then the reader is probably there. */
        int found = fscanf(file, "%ld %lx", &call, &first);
        fclose(file);
        if (found == 2 && (call == SYS_read || call == SYS_readv) && first == (unsigned long)fd)
            return;
        poll(NULL, 0, 1);
    }
}

#endif
