/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap_config *config;
    tuntap *dev;
    begin();
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_group(config, UINT32_MAX, &err));
    FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("to 4294967295: this user namespace has no such group");
    CHECK(!exists("t0"));

    OK(tuntap_config_set_group(config, 0, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    IP_HAS("\"group\":\"root\"", "link show t0");
    IP_HAS_NOT("\"user\"", "link show t0");
    tuntap_close(dev);
    tuntap_config_free(config);
    FAILS(tuntap_config_set_group(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    return 0;
}
