/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Uses the descriptor of a device that another process has opened. */
tuntap *take_over(int fd)
{
    tuntap *dev = NULL;
    tuntap_error err;
    uint64_t flags;

    if (tuntap_open_fd(fd, 0, &dev, &err) < 0 ||
        tuntap_get_flags(dev, &flags, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        tuntap_close(dev);
        return NULL;
    }
    printf("a %s\n", flags & TUNTAP_TAP ? "TAP" : "TUN");
    return dev;
}
