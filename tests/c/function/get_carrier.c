/* SPDX-License-Identifier: MIT */
#include "test.h"

#ifndef TUNSETCARRIER
#define TUNSETCARRIER _IOW('T', 226, int)
#endif

int main(void)
{
    tuntap *dev;
    begin();
    for (int kind = 0; kind < 2; kind++) {
        OK(tuntap_open("t0", kind ? TUNTAP_TAP : TUNTAP_TUN, &dev, &err));
        IP("link set t0 up");
        CHECK(tuntap_get_carrier(dev, &err) == 1);
        CHECK(ioctl(tuntap_get_fd(dev), TUNSETCARRIER, &(int){0}) == 0);
        CHECK(tuntap_get_carrier(dev, &err) == 0);
        CHECK(ioctl(tuntap_get_fd(dev), TUNSETCARRIER, &(int){1}) == 0);
        CHECK(tuntap_get_carrier(dev, &err) == 1);
        IP("link delete t0");
        FAILS(tuntap_get_carrier(dev, &err), ENODEV, TUNTAP_REASON_REMOVED);
        tuntap_close(dev);
    }
    FAILS(tuntap_get_carrier(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    return 0;
}
