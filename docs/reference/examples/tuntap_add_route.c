/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Sends a network through the device, which must be up. */
int add_network(tuntap *dev)
{
    tuntap_route route = {
        .destination = "10.9.0.0/16",
        .gateway = "10.8.0.2",
        .metric = 100,
    };
    tuntap_error err;
    int code = tuntap_add_route(dev, &route, sizeof route, 0, &err);

    if (code < 0)
        fprintf(stderr, "%s\n", err.message);
    return code;
}
