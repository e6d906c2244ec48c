/* SPDX-License-Identifier: MIT */
#include "uplink.h"

static void only_the_given_bypass_is_deleted(void)
{
    tuntap *dev = open_tunnel("t0", 0), *other = open_tunnel("t1", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    OK(tuntap_add_bypass(other, SERVER, 0, 0, 0, &err));
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    OK(tuntap_add_bypass(dev, SERVER, 5, 0, 0, &err));
    OK(tuntap_add_bypass(dev, SERVER6, 0, 0, TUNTAP_KEEP, &err));
    OK(tuntap_add_bypass(dev, NULL, 5, 0, 0, &err));
    FAILS(tuntap_del_bypass(dev, "203.0.113.2", 0, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
    MESSAGE_HAS("t0 has no bypass for packets to 203.0.113.2/32");
    FAILS(tuntap_del_bypass(dev, SERVER, 6, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
    FAILS(tuntap_del_bypass(dev, NULL, 5, 5, &err), ENOENT, TUNTAP_REASON_UNSET);

    OK(tuntap_del_bypass(dev, SERVER6, 0, 0, &err));
    LEAVES("t0", SERVER6);
    OK(tuntap_del_bypass(other, SERVER, 0, 0, &err));
    LEAVES("a0", SERVER);
    OK(tuntap_del_bypass(dev, SERVER, 0, 0, &err));
    LEAVES("t0", SERVER);
    LEAVES("a0", SERVER " mark 5");
    LEAVES("a0", ANYWHERE " mark 5");
    LEAVES("a0", ANYWHERE6 " mark 5");
    OK(tuntap_del_bypass(dev, NULL, 5, 0, &err));
    LEAVES("a0", SERVER " mark 5");
    LEAVES("t0", ANYWHERE " mark 5");
    LEAVES("t0", ANYWHERE6 " mark 5");
    FAILS(tuntap_del_bypass(dev, SERVER, 0, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
    tuntap_close(other);
    tuntap_close(dev);
    CHECK(!has_traces());
}

static void failed_calls_change_nothing(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    char *before = strdup(all_rules());
    FAILS(tuntap_del_bypass(dev, NULL, 0, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_del_bypass(dev, "server", 0, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_del_bypass(NULL, SERVER, 0, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strcmp(before, all_rules()) == 0);
    drop_privileges();
    FAILS(tuntap_del_bypass(dev, SERVER, 0, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    if (strcmp(before, all_rules()) != 0)
        fprintf(stderr, "%s---\n%s", before, all_rules());
    CHECK(strcmp(before, all_rules()) == 0);
    free(before);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    int gateways = make_uplinks();
    only_the_given_bypass_is_deleted();
    failed_calls_change_nothing();
    close(gateways);
    return 0;
}
