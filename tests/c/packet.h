/* SPDX-License-Identifier: MIT
 *
 * Real packets for the tests: UDP sockets, and IPv4 packets that are built and parsed by hand. */
#ifndef PACKET_H
#define PACKET_H

#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

/** The port of every test: each test has its own network namespace. */
#define PORT 7000

/** Bytes of the IPv4 and UDP headers before the data. */
#define UDP_OVERHEAD 28

/** Disables IPv6 on devices that are created from now on, because IPv6 sends packets of its own through them. */
UNUSED static void ipv4_only(void)
{
    if (access("/proc/sys/net/ipv6", F_OK) == 0)
        write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

/** Waits for the events. The test fails if none comes within 20 seconds. */
UNUSED static void wait_for(int fd, short events)
{
    struct pollfd wanted = {.fd = fd, .events = events};
    CHECK(poll(&wanted, 1, 20000) == 1 && wanted.revents & events);
}

/** Whether the descriptor is readable now. */
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

/** A UDP socket that is bound to an address and a port. */
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

/** The Internet checksum of these bytes, added to the sum of earlier bytes. */
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

/** The checksum of a UDP datagram in its IPv4 packet: 0 if the datagram already has the correct one. */
static uint16_t udp_checksum(const uint8_t *packet, size_t length)
{
    uint32_t pseudo = IPPROTO_UDP + (uint32_t)(length - 20);
    return checksum(packet + 12, length - 12, pseudo);
}

/** Builds an IPv4 packet with a UDP datagram in it. Returns its length. */
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

/** The bytes are an IPv4 packet to this address that carries these data in UDP. Both checksums are correct. */
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

/** Waits until a thread of this process waits for this descriptor in the library, that is, in ppoll(2). */
UNUSED static void wait_for_reader(long thread, int fd)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%ld/syscall", thread);
    for (;;) {
        struct pollfd polled = {.fd = -1};
        struct iovec here = {&polled, sizeof polled}, there = {NULL, sizeof polled};
        long call = -1;
        FILE *file = fopen(path, "re");
        if (!file)
            return; /* This kernel does not report it: the reader probably waits by now. */
        int found = fscanf(file, "%ld %p", &call, &there.iov_base);
        fclose(file);
        /* The kernel copies it, because the thread may have left ppoll, and its stack may have changed. */
        if (found == 2 && call == SYS_ppoll && process_vm_readv(getpid(), &here, 1, &there, 1, 0) > 0 &&
            polled.fd == fd)
            return;
        poll(NULL, 0, 1);
    }
}

/** The monotonic clock, in nanoseconds. */
UNUSED static int64_t now(void)
{
    struct timespec time;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/** The statement takes at least this many milliseconds. */
#define TAKES_AT_LEAST(milliseconds, statement)                               \
    do {                                                                      \
        int64_t began_ = now();                                               \
        statement;                                                            \
        CHECK(now() - began_ >= INT64_C(1000000) * (milliseconds));           \
    } while (0)

/** From now on the process gets SIGALRM every 7 milliseconds, with this handler. */
UNUSED static void start_signals(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    struct itimerval often = {.it_interval = {0, 7000}, .it_value = {0, 7000}};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
}

UNUSED static void stop_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    CHECK(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL) == 0);
    CHECK(sigaction(SIGALRM, &ignore, NULL) == 0);
}

/** A frame to a MAC address that no interface has, with an unknown protocol. */
static const uint8_t stray_frame[1000] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};

/** A TAP named t0 whose send buffer is full: a bridge forwarded all frames to a link so slow that they are still in its
 * queue. With a send buffer of 1 byte poll(2) never reports room. */
UNUSED static tuntap *full_device(uint64_t flags, uint32_t sndbuf)
{
    tuntap *dev;
    ssize_t written;
    OK(tuntap_open("t0", TUNTAP_TAP | flags, &dev, &err));
    /* With snooping the bridge sends IGMP, and a reader would read it. */
    IP("link add bridge0 type bridge mcast_snooping 0");
    IP("link add slow0 type veth peer name far0");
    IP("link set t0 master bridge0");
    IP("link set slow0 master bridge0");
    IP("link set t0 up");
    IP("link set far0 up");
    IP("link set slow0 up");
    IP("link set bridge0 up");
    const char *said = output_of("tc qdisc add dev slow0 root tbf rate 64bit burst 1600 limit 1000000 2>&1");
    if (said[0])
        skip("tc cannot make a slow link here (tbf)");
    OK(tuntap_set_sndbuf(dev, sndbuf, &err));
    do
        written = tuntap_write_timeout(dev, stray_frame, sizeof stray_frame, 0, NULL);
    while (written > 0);
    CHECK(written == -ETIMEDOUT);
    return dev;
}

/** Drops the queue of the slow link, so that the send buffer has room again. */
UNUSED static void make_room(void)
{
    CHECK(output_of("tc qdisc del dev slow0 root 2>&1")[0] == 0);
}

UNUSED static void close_full_device(tuntap *dev)
{
    tuntap_close(dev);
    IP("link delete slow0");
    IP("link delete bridge0");
}

#endif
