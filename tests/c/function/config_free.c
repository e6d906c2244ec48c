/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap_config *config;
    tuntap *dev;
    begin();
    tuntap_config_free(NULL);

    /* The device keeps the settings of the freed config. Valgrind and the sanitizer check the memory. */
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_owner(config, 0, &err));
    OK(tuntap_config_set_node(config, "/dev/net/tun", &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, config, &dev, &err));
    tuntap_config_free(config);
    tuntap *queue;
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    IP_HAS("\"user\":\"root\"", "link show t0");
    tuntap_close(queue);
    tuntap_close(dev);
    return 0;
}
