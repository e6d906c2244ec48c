/* SPDX-License-Identifier: MIT */
#include "test.h"

static tuntap_config *config;

static void the_device_opens_with_the_mtu(uint64_t kind)
{
    tuntap *dev;
    OK(tuntap_config_set_mtu(config, 1400, &err));
    OK(tuntap_open_config("t0", kind, config, &dev, &err));
    IP_HAS("\"mtu\":1400,", "link show t0");
    tuntap_close(dev);
}

int main(void)
{
    tuntap *dev = NULL;
    begin();
    OK(tuntap_config_new(&config, &err));
    the_device_opens_with_the_mtu(TUNTAP_TUN);
    the_device_opens_with_the_mtu(TUNTAP_TAP);

    OK(tuntap_config_set_mtu(config, 67, &err));
    UNCHANGED(FAILS(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_PERSIST, config, &dev, &err), EINVAL,
                    TUNTAP_REASON_RANGE));
    MESSAGE_HAS("option mtu: set the MTU of t0 to 67: the range is 68 to 65535");
    CHECK(!dev);
    FAILS(tuntap_config_set_mtu(NULL, 1400, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_config_free(config);
    return 0;
}
