/* SPDX-License-Identifier: MIT */
#include "test.h"

static void it_accepts_the_range_of_the_kernel(const char *name, uint64_t kind, uint32_t most)
{
    tuntap *dev;
    OK(tuntap_open(name, kind, &dev, &err));

    OK(tuntap_set_mtu(dev, 1400, &err));
    IP_HAS("\"mtu\":1400,", "link show %s", name);
    OK(tuntap_set_mtu(dev, 68, &err));
    IP_HAS("\"mtu\":68,", "link show %s", name);
    OK(tuntap_set_mtu(dev, most, &err));
    IP_HAS("\"max_mtu\":65", "link show %s", name);

    OK(tuntap_set_mtu(dev, 1500, &err));
    uint32_t wrong[] = {0, 67, most + 1, 65536, UINT32_C(1) << 31, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(tuntap_set_mtu(dev, wrong[i], &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("the range is 68 to");
    IP_HAS("\"mtu\":1500,", "link show %s", name);
    tuntap_close(dev);
}

static void a_removed_device_is_reported(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link delete t0");
    FAILS(tuntap_set_mtu(dev, 1400, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

static void only_a_change_needs_privilege(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link set t0 mtu 1400");
    drop_privileges();
    OK(tuntap_set_mtu(dev, 1400, &err));
    FAILS(tuntap_set_mtu(dev, 1300, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    IP_HAS("\"mtu\":1400,", "link show t0");
    tuntap_close(dev);
}

int main(void)
{
    begin();
    it_accepts_the_range_of_the_kernel("t0", TUNTAP_TUN, 65535);
    it_accepts_the_range_of_the_kernel("t1", TUNTAP_TAP, 65521);
    a_removed_device_is_reported();
    FAILS(tuntap_set_mtu(NULL, 1500, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    only_a_change_needs_privilege();
    return 0;
}
