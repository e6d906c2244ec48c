/* SPDX-License-Identifier: MIT */
#include "test.h"

#ifndef TUNSETCARRIER
#define TUNSETCARRIER _IOW('T', 226, int)
#endif

static tuntap *dev;

static void carrier_is(int wanted)
{
    int on = 7;
    OK(tuntap_get_carrier(dev, &on, &err));
    CHECK(on == wanted);
}

int main(void)
{
    int on = 7;
    begin();
    for (int kind = 0; kind < 2; kind++) {
        OK(tuntap_open("t0", kind ? TUNTAP_TAP : TUNTAP_TUN, &dev, &err));
        IP("link set t0 up");
        carrier_is(1);
        CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNSETCARRIER, &(int){0}) == 0);
        carrier_is(0);
        CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNSETCARRIER, &(int){1}) == 0);
        carrier_is(1);
        FAILS(tuntap_get_carrier(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        IP("link delete t0");
        FAILS(tuntap_get_carrier(dev, &on, &err), ENODEV, TUNTAP_REASON_REMOVED);
        tuntap_close(dev);
    }
    FAILS(tuntap_get_carrier(NULL, &on, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(on == 7);
    return 0;
}
