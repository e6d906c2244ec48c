/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap *dev;
    char text[TUNTAP_ADDR_SIZE] = "untouched";
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    FAILS(tuntap_get_addr(dev, text, sizeof text, &err), ENOENT, TUNTAP_REASON_UNSET);
    MESSAGE_HAS("t0 has no IPv4 address");
    IP("address add fd00::1/64 dev t0");
    FAILS(tuntap_get_addr(dev, text, sizeof text, &err), ENOENT, TUNTAP_REASON_UNSET);
    IP("address add 192.168.100.101 peer 192.168.100.102/20 dev t0");
    FAILS(tuntap_get_addr(dev, text, 15, &err), ERANGE, TUNTAP_REASON_BUFFER);
    MESSAGE_HAS("needs 16");
    FAILS(tuntap_get_addr(dev, NULL, 64, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_addr(NULL, text, sizeof text, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strcmp(text, "untouched") == 0);
    OK(tuntap_get_addr(dev, text, 15 + 1, &err));
    CHECK(strcmp(text, "192.168.100.101") == 0);

    /* The first address is reported. */
    IP("address add 10.9.0.1 peer 10.9.0.2/8 dev t0");
    OK(tuntap_get_addr(dev, text, sizeof text, &err));
    CHECK(strcmp(text, "192.168.100.101") == 0);
    IP("link delete t0");
    FAILS(tuntap_get_addr(dev, text, sizeof text, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    return 0;
}
