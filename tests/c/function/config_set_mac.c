/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    static const uint8_t mac[] = {2, 0x11, 0x22, 0xaa, 0xbb, 0xff}, group[] = {1, 0, 0x5e, 0, 0, 1}, none[6];
    tuntap_config *config;
    tuntap *dev = NULL;
    begin();
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_mac(config, mac, &err));

    /* A refused call does not change the config. */
    FAILS(tuntap_config_set_mac(config, group, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_config_set_mac(config, none, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_config_set_mac(config, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_config_set_mac(NULL, mac, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_open_config("t0", TUNTAP_TAP, config, &dev, &err));
    IP_HAS("\"address\":\"02:11:22:aa:bb:ff\"", "link show t0");
    tuntap_close(dev);

    dev = NULL;
    UNCHANGED(FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), EOPNOTSUPP, TUNTAP_REASON_KIND));
    MESSAGE_HAS("option mac: t0 is a TUN");
    CHECK(!dev);
    tuntap_config_free(config);
    return 0;
}
