/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

int main(void)
{
    tuntap_info devices[16];
    tuntap_error err;
    ssize_t count = tuntap_list(devices, 16, sizeof devices[0], &err);

    if (count < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (ssize_t i = 0; i < count && i < 16; i++) /* there can be more */
        printf("%s: a %s, MTU %u, %s\n", devices[i].name,
               devices[i].flags & TUNTAP_TAP ? "TAP" : "TUN",
               (unsigned)devices[i].mtu, devices[i].up ? "up" : "down");
    return 0;
}
