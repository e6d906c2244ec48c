/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap_config *config;
    tuntap *dev = NULL;
    begin();
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_txqueuelen(config, 77, &err));
    for (int kind = 0; kind < 2; kind++) {
        OK(tuntap_open_config("t0", kind ? TUNTAP_TAP : TUNTAP_TUN, config, &dev, &err));
        IP_HAS("\"txqlen\":77,", "link show t0");
        tuntap_close(dev);
    }
    dev = NULL;
    OK(tuntap_config_set_txqueuelen(config, UINT32_MAX, &err));
    UNCHANGED({
        CHECK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err) < 0);
        MESSAGE_HAS("option txqueuelen: set the transmit queue length of t0 to 4294967295");
    });
    CHECK(!dev);
    FAILS(tuntap_config_set_txqueuelen(NULL, 77, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_config_free(config);
    return 0;
}
