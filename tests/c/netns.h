/* SPDX-License-Identifier: MIT
 *
 * Other network namespaces, and packets between a device that is in one and a handle that is not. */
#ifndef NETNS_H
#define NETNS_H

#include "packet.h"

/** The network namespace that this thread is in, open. */
UNUSED static int own_netns(void)
{
    int netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(netns >= 0);
    return netns;
}

/** Which network namespace this thread is in, such as "net:[4026531840]": for the thread alone, not the process. */
UNUSED static const char *place(void)
{
    static char text[64];
    ssize_t length = readlink("/proc/thread-self/ns/net", text, sizeof text - 1);
    CHECK(length > 0);
    text[length] = 0;
    return text;
}

/** A new network namespace, in which nothing sends packets of its own; this thread stays where it is. */
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

/** Does something in another network namespace, and comes back. */
#define INSIDE(netns, statement)                          \
    do {                                                  \
        int home_ = own_netns();                          \
        CHECK(setns(netns, CLONE_NEWNET) == 0);           \
        statement;                                        \
        CHECK(setns(home_, CLONE_NEWNET) == 0);           \
        close(home_);                                     \
    } while (0)

/** The statement leaves this thread in the network namespace where it is. */
#define STAYS(statement)                                  \
    do {                                                  \
        char before_place_[64];                           \
        snprintf(before_place_, sizeof before_place_, "%s", place()); \
        statement;                                        \
        CHECK(strcmp(before_place_, place()) == 0);       \
    } while (0)

/** Bytes before the IP packet. */
UNUSED static size_t header_of(uint64_t flags)
{
    return (flags & TUNTAP_PI ? 4 : 0) + (flags & TUNTAP_TAP ? 14 : 0);
}

/** Takes the device up where this thread is, with 10.8.0.1/24; a socket of that address. */
UNUSED static int take_up(const char *name, uint64_t flags)
{
    IP("addr replace 10.8.0.1/24 dev %s", name);
    IP("link set %s up", name);
    if (flags & TUNTAP_TAP)
        IP("neigh replace 10.8.0.2 lladdr 02:00:00:00:00:02 dev %s nud permanent", name);
    return udp_socket("10.8.0.1", PORT);
}

/** What the socket sends goes out to the handle. */
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

/** What is written to the handle comes to the socket. */
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
