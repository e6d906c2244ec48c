/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap *dev;
    uint32_t mtu = 0;
    begin();
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    uint32_t set[] = {1500, 68, 65521, 1280};
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        IP("link set t0 mtu %u", (unsigned)set[i]);
        OK(tuntap_get_mtu(dev, &mtu, &err));
        CHECK(mtu == set[i]);
    }
    FAILS(tuntap_get_mtu(NULL, &mtu, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_mtu(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_get_mtu(dev, &mtu, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(mtu == 1280);
    tuntap_close(dev);
    return 0;
}
