/* SPDX-License-Identifier: MIT
 *
 * Counts the address and route changes that the kernel announces, also those that last only for a moment. */
#ifndef ANNOUNCED_H
#define ANNOUNCED_H

#include "netlink.h"

static int listener = -1;

/** Receives the kernel's notifications of address and route changes from now on. */
static void listen_to_changes(void)
{
    struct sockaddr_nl all = {.nl_family = AF_NETLINK,
                              .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
    listener = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&all, sizeof all) == 0);
}

/** The number of messages of this type since listen_to_changes(). */
UNUSED static int announced(int type)
{
    char messages[65536];
    int count = 0;
    ssize_t length;
    while ((length = recv(listener, messages, sizeof messages, 0)) > 0) {
        int left = (int)length;
        for (struct nlmsghdr *header = (struct nlmsghdr *)messages; NLMSG_OK(header, left);
             header = NLMSG_NEXT(header, left))
            count += header->nlmsg_type == type;
    }
    close(listener);
    return count;
}

#endif
