/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Opens vpn0 with an address, up. Returns NULL on failure. */
tuntap *open_vpn(void)
{
    tuntap *dev = NULL;
    tuntap_error err;

    if (tuntap_open("vpn0", TUNTAP_TUN, &dev, &err) < 0 ||
        tuntap_set_addr(dev, "10.8.0.1/24", &err) < 0 ||
        tuntap_up(dev, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        tuntap_close(dev); /* which also deletes a new device */
        return NULL;
    }
    return dev;
}
