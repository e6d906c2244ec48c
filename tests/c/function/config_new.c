/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap_config *config = NULL;
    tuntap *dev;
    begin();
    FAILS(tuntap_config_new(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(tuntap_config_new(NULL, NULL) == -EINVAL);

    /* A new config changes nothing: the device is as tuntap_open makes it. */
    OK(tuntap_config_new(&config, &err));
    CHECK(config);
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    IP_HAS("\"persist\":false", "link show t0");
    IP_HAS_NOT("\"user\"", "link show t0");
    IP_HAS_NOT("\"group\":\"root\"", "link show t0");
    tuntap_close(dev);
    tuntap_config_free(config);
    return 0;
}
