/* SPDX-License-Identifier: MIT */
#include "netns.h"

int main(void)
{
    tuntap_config *config;
    tuntap *dev;
    begin();
    ipv4_only();
    int before = descriptors(), other_netns = new_netns(), copy = dup(other_netns), sock;
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_netns_fd(config, copy, &err));
    CHECK(close(copy) == 0); /* the library has copied it, and the caller still owns it */

    FAILS(tuntap_config_set_netns_fd(config, copy, &err), EBADF, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_config_set_netns_fd(config, -2, &err), EBADF, TUNTAP_REASON_ARGUMENT);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    FAILS(tuntap_config_set_netns_fd(config, null, &err), EINVAL, TUNTAP_REASON_NAMESPACE);
    MESSAGE_HAS("is not a network namespace");
    close(null);
    FAILS(tuntap_config_set_netns_fd(NULL, other_netns, &err), EINVAL, TUNTAP_REASON_ARGUMENT);

    STAYS(OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err)));
    CHECK(!exists("t0"));
    INSIDE(other_netns, sock = bring_up("t0", TUNTAP_TUN));
    packets_flow(sock, dev, TUNTAP_TUN);
    close(sock);
    tuntap_close(dev);

    OK(tuntap_config_set_netns_fd(config, -1, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    CHECK(exists("t0"));
    tuntap_close(dev);
    tuntap_config_free(config);
    close(other_netns);
    CHECK(descriptors() == before);
    return 0;
}
