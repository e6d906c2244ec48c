/* SPDX-License-Identifier: MIT */
#include "test.h"

/** The range is what ip(8) shows. The device accepts its limits and refuses values beyond them. */
static void the_range_is_that_of_the_device(uint64_t kind, uint32_t greatest)
{
    tuntap *dev;
    uint32_t min = 0, max = 0;
    char text[64];
    OK(tuntap_open("t0", kind, &dev, &err));
    OK(tuntap_get_mtu_range(dev, &min, &max, &err));
    CHECK(min == 68 && max == greatest);
    snprintf(text, sizeof text, "\"min_mtu\":%u,\"max_mtu\":%u", min, max);
    IP_HAS(text, "link show t0");
    IP("link set t0 mtu %u", max);
    IP("link set t0 mtu %u", min);
    FAILS(tuntap_set_mtu(dev, min - 1, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_set_mtu(dev, max + 1, &err), EINVAL, TUNTAP_REASON_RANGE);
    min = max = 7;
    FAILS(tuntap_get_mtu_range(NULL, &min, &max, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_mtu_range(dev, NULL, &max, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_mtu_range(dev, &min, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_get_mtu_range(dev, &min, &max, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(min == 7 && max == 7);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    the_range_is_that_of_the_device(TUNTAP_TUN, 65535);
    the_range_is_that_of_the_device(TUNTAP_TAP, 65521);
    return 0;
}
