/* SPDX-License-Identifier: MIT
 *
 * A kernel without policy routing treats every routing table as the main one: a default route through the device would
 * replace the default route of the host. The send() of this program replaces that of the C library, also for the
 * library. */
#include "uplink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/syscall.h>

static int lacks_rules, new_routes;

ssize_t send(int fd, const void *message, size_t size, int flags)
{
    const struct nlmsghdr *header = message;
    if (lacks_rules && size >= sizeof *header) {
        new_routes += header->nlmsg_type == RTM_NEWROUTE;
        if (header->nlmsg_type >= RTM_NEWRULE && header->nlmsg_type <= RTM_GETRULE) {
            errno = EOPNOTSUPP;
            return -1;
        }
    }
    return syscall(SYS_sendto, fd, message, size, flags, NULL, 0);
}

int main(void)
{
    begin();
    int supported = 77, gateways = make_uplinks();
    tuntap *dev = open_tunnel("t0", 0);
    char *before = strdup(all_rules());
    lacks_rules = 1;
    FAILS(tuntap_add_default_route(dev, 0, NULL, 0, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    MESSAGE_HAS("CONFIG_IP_MULTIPLE_TABLES");
    MESSAGE_HAS("use tuntap_add_route");
    FAILS(tuntap_add_default_route(dev, TUNTAP_IPV6, NULL, TUNTAP_KEEP, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    FAILS(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    FAILS(tuntap_del_bypass(dev, SERVER, 0, 0, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    FAILS(tuntap_del_default_route(dev, 0, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    OK(tuntap_probe(NULL, TUNTAP_FEATURE_DEFAULT_ROUTE, &supported, &err));
    CHECK(supported == 0);
    lacks_rules = 0;
    CHECK(new_routes == 0);
    OK(tuntap_probe(NULL, TUNTAP_FEATURE_DEFAULT_ROUTE, &supported, &err));
    CHECK(supported == 1);
    CHECK(strcmp(before, all_rules()) == 0);
    LEAVES("a0", ANYWHERE);
    LEAVES("a0", ANYWHERE6);
    free(before);
    tuntap_close(dev);
    close(gateways);
    return 0;
}
