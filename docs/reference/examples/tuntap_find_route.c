/* SPDX-License-Identifier: MIT */
#include <net/if.h>
#include <stdio.h>
#include <tuntap.h>

/* Prints how packets to an address leave the host. */
int print_way(const char *address)
{
    tuntap_route route;
    tuntap_error err;
    char name[IF_NAMESIZE] = "?";
    int code = tuntap_find_route(NULL, address, NULL, 0, &route,
                                 sizeof route, &err);

    if (code < 0) {
        fprintf(stderr, "%s\n", err.message);
        return code;
    }
    if_indextoname(route.index, name);
    printf("from %s through %s\n", route.source, name);
    return 0;
}
