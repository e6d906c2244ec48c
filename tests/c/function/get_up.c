/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap *dev;
    int up = 7;
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_get_up(dev, &up, &err));
    CHECK(up == 0);
    IP("link set t0 up");
    OK(tuntap_get_up(dev, &up, &err));
    CHECK(up == 1);
    IP("link set t0 down");
    OK(tuntap_get_up(dev, &up, &err));
    CHECK(up == 0);
    up = 7;
    FAILS(tuntap_get_up(NULL, &up, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_up(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_get_up(dev, &up, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(tuntap_get_up(dev, &up, NULL) == -ENODEV && up == 7);
    tuntap_close(dev);
    return 0;
}
