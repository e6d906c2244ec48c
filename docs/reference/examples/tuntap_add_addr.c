/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* The two ends of a point-to-point link. */
int set_link(tuntap *dev)
{
    tuntap_addr addr = {.addr = "10.8.0.1", .peer = "10.8.0.2"};
    tuntap_error err;
    int code;

    code = tuntap_add_addr(dev, &addr, sizeof addr, TUNTAP_REPLACE, &err);
    if (code < 0)
        fprintf(stderr, "%s\n", err.message);
    return code;
}
