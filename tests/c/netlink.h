/* SPDX-License-Identifier: MIT
 *
 * Replaces send() and recvfrom(), which the library calls for rtnetlink: counts the messages, and makes one fail when a
 * test asks for it. */
#ifndef NETLINK_H
#define NETLINK_H

#include "packet.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/** How many requests the library has sent so far, and how many datagrams it has received. */
UNUSED static long requests, datagrams;

/** The next request of this type fails with ENOMEM and is not sent. */
UNUSED static int refused_type;

/** The answer to the next request of this type is lost: recvfrom() fails with ENOBUFS. */
UNUSED static int lost_type;

/** If not 0, each datagram claims to have at least this length: recvfrom() returns it, as for a longer datagram. */
UNUSED static ssize_t claimed_length;

static int answer_is_lost;

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    struct nlmsghdr header = {0};
    if (length >= sizeof header)
        memcpy(&header, bytes, sizeof header);
    requests++;
    if (refused_type && header.nlmsg_type == refused_type) {
        refused_type = 0;
        errno = ENOMEM;
        return -1;
    }
    if (lost_type && header.nlmsg_type == lost_type) {
        lost_type = 0;
        answer_is_lost = 1;
    }
    return syscall(SYS_sendto, fd, bytes, length, flags, NULL, 0);
}

/* glibc declares the address as a union of pointers. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
ssize_t recvfrom(int fd, void *bytes, size_t length, int flags, struct sockaddr *from, socklen_t *size)
{
    ssize_t got = syscall(SYS_recvfrom, fd, bytes, length, flags, from, size);
    datagrams += got >= 0;
    if (!answer_is_lost)
        return got >= 0 && got < claimed_length ? claimed_length : got;
    answer_is_lost = 0;
    errno = ENOBUFS;
    return -1;
}
#pragma GCC diagnostic pop

#endif
