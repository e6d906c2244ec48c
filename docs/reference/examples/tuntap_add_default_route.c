/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Routes everything through a device that is up, except the packets to
 * the server of the VPN. */
int route_everything(tuntap *dev, const char *server)
{
    tuntap_error err;
    int code = tuntap_add_bypass(dev, server, 0, 0, 0, &err);

    if (code == 0)
        code = tuntap_add_default_route(dev, 0, NULL, 0, &err);
    if (code < 0)
        fprintf(stderr, "%s\n", err.message);
    return code;
}
