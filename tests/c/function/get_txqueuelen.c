/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    uint32_t packets = 0;
    tuntap *dev;
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_get_txqueuelen(dev, &packets, &err));
    CHECK(packets == 500);
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    OK(tuntap_get_txqueuelen(dev, &packets, &err));
    CHECK(packets == 1000);
    IP("link set t0 txqueuelen 77");
    OK(tuntap_get_txqueuelen(dev, &packets, &err));
    CHECK(packets == 77);
    FAILS(tuntap_get_txqueuelen(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_txqueuelen(NULL, &packets, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_get_txqueuelen(dev, &packets, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(packets == 77);
    tuntap_close(dev);
    return 0;
}
