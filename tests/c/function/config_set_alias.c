/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    char text[257] = "to the office";
    tuntap_config *config;
    tuntap *dev;
    begin();
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_alias(config, text, &err));
    memset(text, 'x', 256); /* it was copied */
    FAILS(tuntap_config_set_alias(config, text, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_config_set_alias(config, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_config_set_alias(NULL, "a", &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    IP_HAS("\"ifalias\":\"to the office\"", "link show t0");
    tuntap_close(dev);

    /* An empty alias removes the alias of the device. */
    IP("tuntap add dev t1 mode tap");
    IP("link set t1 alias old");
    OK(tuntap_config_set_alias(config, "", &err));
    OK(tuntap_open_config("t1", TUNTAP_TAP, config, &dev, &err));
    IP_HAS_NOT("ifalias", "link show t1");
    tuntap_close(dev);
    tuntap_config_free(config);
    return 0;
}
