/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap_config *config;
    tuntap *dev = NULL;
    int bytes = 0;
    begin();
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_sndbuf(config, 4321, &err));
    for (int kind = 0; kind < 2; kind++) {
        OK(tuntap_open_config("t0", kind ? TUNTAP_TAP : TUNTAP_TUN, config, &dev, &err));
        CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNGETSNDBUF, &bytes) == 0 && bytes == 4321);
        tuntap_close(dev);
    }
    dev = NULL;
    OK(tuntap_config_set_sndbuf(config, 0, &err));
    UNCHANGED(FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), EINVAL, TUNTAP_REASON_RANGE));
    MESSAGE_HAS("option sndbuf: ");
    CHECK(!dev);
    FAILS(tuntap_config_set_sndbuf(NULL, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_config_free(config);
    return 0;
}
