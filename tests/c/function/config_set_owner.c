/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap_config *config;
    tuntap *dev;
    begin();
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_owner(config, UINT32_MAX, &err));
    FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("to 4294967295: this user namespace has no such user");
    CHECK(!exists("t0"));

    /* The last owner that was set applies to every device that the config opens. */
    OK(tuntap_config_set_owner(config, 0, &err));
    for (const char *name = "t0"; name; name = strcmp(name, "t0") == 0 ? "t1" : NULL) {
        OK(tuntap_open_config(name, TUNTAP_TAP, config, &dev, &err));
        IP_HAS("\"user\":\"root\"", "link show %s", name);
        IP_HAS_NOT("\"group\":\"root\"", "link show %s", name);
        tuntap_close(dev);
    }
    tuntap_config_free(config);
    FAILS(tuntap_config_set_owner(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    return 0;
}
