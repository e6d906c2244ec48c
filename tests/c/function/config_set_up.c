/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap_config *config;
    tuntap *dev;
    begin();
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_up(config, 7, &err));
    OK(tuntap_open_config("t0", TUNTAP_TAP, config, &dev, &err));
    IP_HAS("\"UP\"", "link show t0");
    tuntap_close(dev);

    IP("tuntap add dev t1 mode tun");
    IP("link set t1 up");
    OK(tuntap_config_set_up(config, 0, &err));
    OK(tuntap_open_config("t1", TUNTAP_TUN, config, &dev, &err));
    IP_HAS_NOT("\"UP\"", "link show t1");
    tuntap_close(dev);

    /* Routes need the device up. The call checks that before it changes the device. */
    IP("link set t1 up");
    wait_for_no_carrier("t1");
    OK(config_add_route(config, "10.9.0.0/16", NULL, 0, 0, &err));
    UNCHANGED(FAILS(tuntap_open_config("t1", TUNTAP_TUN, config, &dev, &err), EINVAL, TUNTAP_REASON_ARGUMENT));
    MESSAGE_HAS("option route");
    FAILS(tuntap_config_set_up(NULL, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_config_free(config);
    return 0;
}
