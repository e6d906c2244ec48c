/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <tuntap.h>

/* Returns 0 if the packet was sent, or can be lost like on any link. */
int send_packet(tuntap *dev, const void *packet, size_t size)
{
    tuntap_error err;
    ssize_t sent = tuntap_write(dev, packet, size, &err);

    if (sent >= 0 || sent == -EAGAIN || sent == -ENETDOWN)
        return 0;
    fprintf(stderr, "%s\n", err.message);
    return -1;
}
