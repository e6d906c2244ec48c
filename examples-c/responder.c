/* SPDX-License-Identifier: MIT
 *
 * Answers pings to every address of a network, behind a TUN device.
 *
 *     sudo ./responder tun0 10.8.0.1/24
 *     ping 10.8.0.2                          (in another shell; any address but 10.8.0.1)
 *
 * Ctrl-C ends it, and the kernel deletes the device. */
#include <stdio.h>
#include <tuntap.h>

#include "ip.h"

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL; /* NULL: the kernel chooses a name */
    const char *addr = argc > 2 ? argv[2] : "10.8.0.1/24";
    tuntap *dev = NULL;
    tuntap_error err;

    /* The kernel answers for the device's own address. The prefix adds a route, so packets to the
     * other addresses of the network arrive here. */
    char given[TUNTAP_NAME_SIZE];
    if (tuntap_open(name, TUNTAP_TUN, &dev, &err) < 0 ||
        tuntap_set_addr(dev, addr, &err) < 0 ||
        tuntap_up(dev, &err) < 0 ||
        tuntap_get_name(dev, given, sizeof given, &err) < 0) {
        fprintf(stderr, "responder: %s\n", err.message);
        tuntap_close(dev);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* write each line at once, also to a pipe */
    printf("%s is up with %s\n", given, addr);

    static uint8_t packet[65536]; /* larger than any IP packet */
    for (;;) {
        ssize_t length = tuntap_read(dev, packet, sizeof packet, &err);
        if (length < 0)
            break;
        print_packet(packet, length);

        if (!answer_ping(packet, length))
            continue; /* for example a search for IPv6 routers */
        if (tuntap_write(dev, packet, length, &err) >= 0)
            print_packet(packet, length);
        else if (err.reason == TUNTAP_REASON_DOWN)
            fprintf(stderr, "responder: %s\n", err.message); /* it can go up again */
        else
            break;
    }
    fprintf(stderr, "responder: %s\n", err.message);
    tuntap_close(dev);
    return 1;
}
