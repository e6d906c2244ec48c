/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap *dev;
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    CHECK(tuntap_is_up(dev, &err) == 0);
    IP("link set t0 up");
    CHECK(tuntap_is_up(dev, &err) == 1);
    IP("link set t0 down");
    CHECK(tuntap_is_up(dev, &err) == 0);
    FAILS(tuntap_is_up(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_is_up(dev, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(tuntap_is_up(dev, NULL) == -ENODEV);
    tuntap_close(dev);
    return 0;
}
