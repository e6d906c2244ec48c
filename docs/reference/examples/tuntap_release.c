/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Returns the descriptor of a device, which outlives the handle. */
int descriptor_of(tuntap *dev)
{
    tuntap_error err;
    int fd;

    if (tuntap_release(dev, &fd, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        tuntap_close(dev); /* on failure the handle remains */
        return -1;
    }
    return fd;
}
