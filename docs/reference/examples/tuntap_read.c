/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <tuntap.h>

/* Prints the length of each packet, until the device is gone. */
void print_packets(tuntap *dev)
{
    size_t size = tuntap_read_size(dev); /* enough for every packet */
    unsigned char *packet = malloc(size);
    tuntap_error err;
    ssize_t length;

    if (!packet)
        return;
    while ((length = tuntap_read(dev, packet, size, &err)) >= 0)
        printf("a packet of %zd bytes\n", length);
    fprintf(stderr, "%s\n", err.message);
    free(packet);
}
