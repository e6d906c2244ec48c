/* SPDX-License-Identifier: MIT */
#include "netns.h"

static void setting_is(const tuntap *dev, uint32_t setting, uint32_t wanted)
{
    uint32_t value = 77;
    OK(tuntap_get_ipv6(dev, setting, &value, &err));
    CHECK(value == wanted);
}

int main(void)
{
    uint32_t value = 77;
    tuntap *dev;
    begin();
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    setting_is(dev, TUNTAP_IPV6_ACCEPT_RA, 1);
    setting_is(dev, TUNTAP_IPV6_ADDR_GEN_MODE, 0);
    setting_is(dev, TUNTAP_IPV6_DISABLE, 0);
    write_file("/proc/sys/net/ipv6/conf/t0/accept_ra", "2");
    write_file("/proc/sys/net/ipv6/conf/t0/disable_ipv6", "1");
    IP("link set t0 addrgenmode none");
    setting_is(dev, TUNTAP_IPV6_ACCEPT_RA, 2);
    setting_is(dev, TUNTAP_IPV6_ADDR_GEN_MODE, 1);
    setting_is(dev, TUNTAP_IPV6_DISABLE, 1);
    FAILS(tuntap_get_ipv6(dev, 0, &value, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_ipv6(dev, 4, &value, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_ipv6(dev, 1, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_ipv6(NULL, 1, &value, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link set t0 mtu 1279");
    FAILS(tuntap_get_ipv6(dev, 1, &value, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    CHECK(value == 77);
    IP("link delete t0");
    FAILS(tuntap_get_ipv6(dev, 1, &value, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    return 0;
}
