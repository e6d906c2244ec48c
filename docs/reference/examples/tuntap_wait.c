/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <tuntap.h>

/* Waits a second for a packet. Returns its length, or 0 if none came. */
ssize_t next_packet(tuntap *dev, void *packet, size_t size)
{
    tuntap_error err;
    int ready = tuntap_wait(dev, TUNTAP_WAIT_READ, 1000, &err);

    if (ready == -ETIMEDOUT)
        return 0;
    if (ready < 0) {
        fprintf(stderr, "%s\n", err.message);
        return ready;
    }
    return tuntap_read(dev, packet, size, &err);
}
