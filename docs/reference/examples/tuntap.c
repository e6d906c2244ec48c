/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

int main(void)
{
    tuntap *dev = NULL;
    tuntap_error err;
    char buf[2048];
    ssize_t length;

    if (tuntap_open("vpn%d", TUNTAP_TUN, &dev, &err) == 0 &&
        tuntap_set_addr(dev, "10.8.0.1/24", &err) == 0 &&
        tuntap_up(dev, &err) == 0) {
        while ((length = tuntap_read(dev, buf, sizeof buf, &err)) >= 0)
            printf("a packet of %zd bytes\n", length);
    }
    fprintf(stderr, "%s\n", err.message);
    tuntap_close(dev);
    return 1;
}
