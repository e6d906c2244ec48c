/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Writes a packet. Returns 0 if the program can continue. */
int send_packet(tuntap *dev, const void *packet, size_t size)
{
    tuntap_error err;

    if (tuntap_write(dev, packet, size, &err) >= 0)
        return 0;
    fprintf(stderr, "%s\n", err.message);
    switch (err.reason) {
    case TUNTAP_REASON_DOWN:   /* it can go up again */
    case TUNTAP_REASON_PACKET: /* the next one may be valid */
        return 0;
    default:
        fprintf(stderr, "%s\n", tuntap_strreason(err.reason));
        return -1;
    }
}
