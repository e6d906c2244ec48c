/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Opens vpn0 in another network namespace, with all options or none. */
tuntap *open_vpn(void)
{
    tuntap_addr addr = {.addr = "10.8.0.1/24"};
    tuntap_route net = {.destination = "10.9.0.0/16", .mtu = 1300};
    tuntap_config *config = NULL;
    tuntap *dev = NULL;
    tuntap_error err;

    if (tuntap_config_new(&config, &err) < 0 ||
        tuntap_config_set_netns(config, "/run/netns/blue", &err) < 0 ||
        tuntap_config_set_mtu(config, 1400, &err) < 0 ||
        tuntap_config_add_addr(config, &addr, sizeof addr, 0, &err) < 0 ||
        tuntap_config_set_up(config, 1, &err) < 0 ||
        tuntap_config_add_route(config, &net, sizeof net, 0, &err) < 0 ||
        tuntap_open_config("vpn0", TUNTAP_TUN, config, &dev, &err) < 0)
        fprintf(stderr, "%s\n", err.message);
    tuntap_config_free(config);
    return dev;
}
