/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Joins packets, and prints the sizes of the super-packets. */
void join(tuntap_joiner *joiner, const tuntap_packet *packet, int count)
{
    tuntap_vnet_hdr hdr;
    void *super;
    ssize_t length;

    for (; count > 0; packet++, count--)
        if (tuntap_joiner_put(joiner, packet->data, packet->size, NULL))
            break; /* no room, for example */
    while ((length = tuntap_joiner_next(joiner, &hdr, sizeof hdr, &super,
                                        NULL)) > 0)
        printf("%zd bytes, in segments of %d\n", length, hdr.gso_size);
}
