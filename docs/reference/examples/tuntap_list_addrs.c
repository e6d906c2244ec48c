/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

void print_addresses(tuntap *dev)
{
    tuntap_addr addrs[8];
    tuntap_error err;
    ssize_t count;

    count = tuntap_list_addrs(dev, addrs, 8, sizeof addrs[0], &err);
    if (count < 0)
        fprintf(stderr, "%s\n", err.message);
    for (ssize_t i = 0; i < count && i < 8; i++) /* there can be more */
        printf("%s\n", addrs[i].addr);
}
