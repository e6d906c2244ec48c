/* SPDX-License-Identifier: MIT
 *
 * Other network namespaces, and packets between a device that is in one and a handle that is not. */
#ifndef NETNS_H
#define NETNS_H

#include "packet.h"

/** A descriptor of this thread's network namespace. */
UNUSED static int own_netns(void)
{
    int netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(netns >= 0);
    return netns;
}

/** The name of this thread's network namespace, such as "net:[4026531840]". Other threads may be in another one. */
UNUSED static const char *current_netns(void)
{
    static char text[64];
    ssize_t length = readlink("/proc/thread-self/ns/net", text, sizeof text - 1);
    CHECK(length > 0);
    text[length] = 0;
    return text;
}

/** Creates a network namespace in which the kernel sends no packets of its own. This thread does not enter it. */
UNUSED static int new_netns(void)
{
    int home = own_netns();
    CHECK(unshare(CLONE_NEWNET) == 0);
    ipv4_only();
    int netns = own_netns();
    CHECK(setns(home, CLONE_NEWNET) == 0);
    close(home);
    return netns;
}

/** Runs the statement in another network namespace, and returns to the present one. */
#define INSIDE(netns, statement)                          \
    do {                                                  \
        int home_ = own_netns();                          \
        CHECK(setns(netns, CLONE_NEWNET) == 0);           \
        statement;                                        \
        CHECK(setns(home_, CLONE_NEWNET) == 0);           \
        close(home_);                                     \
    } while (0)

/** The statement does not move this thread to another network namespace. */
#define STAYS(statement)                                  \
    do {                                                  \
        char before_netns_[64];                           \
        snprintf(before_netns_, sizeof before_netns_, "%s", current_netns()); \
        statement;                                        \
        CHECK(strcmp(before_netns_, current_netns()) == 0);       \
    } while (0)

/** The number of bytes before the IP packet. */
UNUSED static size_t header_of(uint64_t flags)
{
    return (flags & TUNTAP_PI ? 4 : 0) + (flags & TUNTAP_TAP ? 14 : 0);
}

/** Brings the device up in this thread's network namespace, with 10.8.0.1/24. Returns a socket with that address. */
UNUSED static int bring_up(const char *name, uint64_t flags)
{
    IP("addr replace 10.8.0.1/24 dev %s", name);
    IP("link set %s up", name);
    if (flags & TUNTAP_TAP)
        IP("neigh replace 10.8.0.2 lladdr 02:00:00:00:00:02 dev %s nud permanent", name);
    return udp_socket("10.8.0.1", PORT);
}

/** The handle reads a packet that the socket sends. */
UNUSED static void a_packet_goes_out(int sock, tuntap *dev, uint64_t flags, const char *text)
{
    static uint8_t buf[70000];
    size_t header = header_of(flags), size = strlen(text), length = header + UDP_OVERHEAD + size;
    udp_send(sock, "10.8.0.2", PORT, text, size);
    wait_for(tuntap_get_fd(dev, NULL), POLLIN);
    memset(&err, 0, sizeof err);
    ssize_t got = tuntap_read(dev, buf, sizeof buf, &err);
    if (got != (ssize_t)length)
        fail(__FILE__, __LINE__, "not the packet that was sent", err.message);
    is_udp_packet(buf + header, length - header, "10.8.0.2", text, size);
    if (flags & TUNTAP_PI)
        CHECK(memcmp(buf, "\0\0\x08\0", 4) == 0);
}

/** The socket receives a packet that is written to the handle. */
UNUSED static void a_packet_comes_in(int sock, tuntap *dev, uint64_t flags, const char *text)
{
    uint8_t buf[1000] = {0};
    size_t header = header_of(flags);
    if (flags & TUNTAP_TAP) {
        struct ifreq request = {.ifr_flags = 0};
        CHECK(ioctl(tuntap_get_fd(dev, NULL), SIOCGIFHWADDR, &request) == 0);
        memcpy(buf + header - 14, request.ifr_hwaddr.sa_data, 6);
        memcpy(buf + header - 8, "\2\0\0\0\0\2\x08\0", 8);
    }
    if (flags & TUNTAP_PI)
        memcpy(buf, "\0\0\x08\0", 4);
    size_t length = header + udp_packet(buf + header, "10.8.0.2", "10.8.0.1", PORT, text, strlen(text));
    CHECK(length < sizeof buf);
    OK(tuntap_write(dev, buf, length, &err));
    udp_receives(sock, text, strlen(text));
}

UNUSED static void packets_flow(int sock, tuntap *dev, uint64_t flags)
{
    a_packet_goes_out(sock, dev, flags, "there");
    a_packet_comes_in(sock, dev, flags, "and back");
}

#endif
