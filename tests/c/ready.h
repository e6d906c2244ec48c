/* SPDX-License-Identifier: MIT
 *
 * A device that is ready for packets: for tests of reads, writes and waits. */
#ifndef READY_H
#define READY_H

#include "packet.h"

/** A socket of this host. Its packets to 10.8.0.2 go through the device. */
static int sock;

/** A device that is up and has 10.8.0.1/24. */
static tuntap *ready(uint64_t flags)
{
    tuntap *dev;
    OK(tuntap_open("t0", flags, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    if (flags & TUNTAP_TAP)
        IP("neigh add 10.8.0.2 lladdr 02:00:00:00:00:02 dev t0 nud permanent");
    sock = udp_socket("10.8.0.1", PORT);
    return dev;
}

static void finish(tuntap *dev)
{
    close(sock);
    tuntap_close(dev);
}

#endif
