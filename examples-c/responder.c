/* SPDX-License-Identifier: MIT
 *
 * A network of which every address answers pings: a TUN device, and this program behind it.
 *
 *     sudo ./responder tun0 10.8.0.1/24
 *     ping 10.8.0.2                          (elsewhere; any address but 10.8.0.1)
 *
 * Ctrl-C ends it, and the device goes with it. */
#include <stdio.h>
#include <tuntap.h>

#include "ip.h"

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL; /* NULL: the kernel chooses one */
    const char *addr = argc > 2 ? argv[2] : "10.8.0.1/24";
    tuntap *dev = NULL;
    tuntap_error err;

    /* The kernel answers for the device's own address. With the prefix comes a route: what goes
     * to the other addresses of the network arrives here. */
    char given[TUNTAP_NAME_SIZE];
    if (tuntap_open(name, TUNTAP_TUN, &dev, &err) < 0 ||
        tuntap_set_addr(dev, addr, &err) < 0 ||
        tuntap_up(dev, &err) < 0 ||
        tuntap_get_name(dev, given, sizeof given, &err) < 0) {
        fprintf(stderr, "responder: %s\n", err.message);
        tuntap_close(dev);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines at once, into a pipe too */
    printf("%s is up with %s\n", given, addr);

    static uint8_t packet[65536]; /* more than an IP packet can have */
    for (;;) {
        ssize_t length = tuntap_read(dev, packet, sizeof packet, &err);
        if (length < 0)
            break;
        print_packet(packet, length);

        if (!answer_ping(packet, length))
            continue; /* no ping: the kernel also looks for IPv6 routers, for instance */
        if (tuntap_write(dev, packet, length, &err) >= 0)
            print_packet(packet, length);
        else if (err.reason == TUNTAP_REASON_DOWN)
            fprintf(stderr, "responder: %s\n", err.message); /* it may come up again */
        else
            break;
    }
    fprintf(stderr, "responder: %s\n", err.message);
    tuntap_close(dev);
    return 1;
}
