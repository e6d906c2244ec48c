/* SPDX-License-Identifier: MIT */
#include "uplink.h"

static void bypasses_stay_when_the_default_route_is_deleted(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    OK(tuntap_del_default_route(dev, TUNTAP_IPV4, &err));
    LEAVES("a0", ANYWHERE);
    LEAVES("t0", ANYWHERE6);
    CHECK(strstr(output_of("ip rule"), "to " SERVER));
    CHECK(!strstr(output_of("ip rule"), "30002"));
    FAILS(tuntap_del_default_route(dev, TUNTAP_IPV4, &err), ENOENT, TUNTAP_REASON_UNSET);
    MESSAGE_HAS("through t0: tuntap_add_default_route has added none");
    OK(tuntap_del_default_route(dev, 0, &err));
    LEAVES("a0", ANYWHERE6);
    FAILS(tuntap_del_default_route(dev, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
    tuntap_close(dev);
    CHECK(!has_traces());
}

/** A handle can delete a default route that another handle added with TUNTAP_KEEP. */
static void another_handle_can_delete_it(void)
{
    tuntap *dev = open_tunnel("t0", TUNTAP_PERSIST);
    OK(tuntap_add_default_route(dev, 0, NULL, TUNTAP_KEEP, &err));
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_del_default_route(dev, 0, &err));
    LEAVES("a0", ANYWHERE);
    LEAVES("a0", ANYWHERE6);
    CHECK(!has_traces());
    OK(tuntap_set_persist(dev, 0, &err));
    tuntap_close(dev);
}

/** Routes that tuntap_add_default_route did not add stay. */
static void other_routes_stay(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    IP("route add default dev t0 metric 5");
    IP("route add default dev t0 table 77");
    IP("route add 10.9.0.0/16 dev t0");
    FAILS(tuntap_del_default_route(dev, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    OK(tuntap_del_default_route(dev, 0, &err));
    IP_HAS("\"metric\":5", "route show default dev t0");
    IP_HAS("default", "route show table 77");
    IP_HAS("10.9.0.0/16", "route show dev t0");
    tuntap_close(dev);
}

static void failed_calls_change_nothing(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    FAILS(tuntap_del_default_route(dev, 7, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_del_default_route(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    LEAVES("t0", ANYWHERE);
    LEAVES("t0", ANYWHERE6);
    IP("link delete t0");
    FAILS(tuntap_del_default_route(dev, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);

    dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, TUNTAP_KEEP, &err));
    drop_privileges();
    FAILS(tuntap_del_default_route(dev, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    LEAVES("t0", ANYWHERE);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    int gateways = make_uplinks();
    bypasses_stay_when_the_default_route_is_deleted();
    another_handle_can_delete_it();
    other_routes_stay();
    failed_calls_change_nothing();
    close(gateways);
    return 0;
}
