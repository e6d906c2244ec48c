/* SPDX-License-Identifier: MIT
 *
 * tuntap_add_route with TUNTAP_REPLACE. */
#include "announced.h"

static tuntap *dev, *other;

static int replace(tuntap *through, const tuntap_route *route)
{
    return tuntap_add_route(through, route, sizeof *route, TUNTAP_REPLACE, &err);
}

static void open_two(void)
{
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    OK(tuntap_open("t1", TUNTAP_TAP, &other, &err));
    for (int i = 0; i < 2; i++) {
        IP("link set t%d addrgenmode none", i);
        IP("link set t%d up", i);
        IP("address add 10.8.%d.1/24 dev t%d", i, i);
        IP("address add fd0%d::1/64 dev t%d nodad", i, i);
    }
    wait_for_local("fd01::1 ");
}

/** At no time is there no route. */
static void a_route_is_replaced_without_a_gap(void)
{
    static const struct {
        tuntap_route route;
        const char *shown;
    } next[] = {
        {{.destination = "10.9.0.0/16", .gateway = "10.8.0.3"}, "10.9.0.0/16 via 10.8.0.3 proto static \n"},
        {{.destination = "10.9.0.0/16", .mtu = 1300}, "10.9.0.0/16 proto static scope link mtu 1300 \n"},
        {{.destination = "10.9.0.0/16", .source = "10.8.0.1"}, "10.9.0.0/16 proto static scope link src 10.8.0.1 \n"},
        {{.destination = "10.9.0.0/16", .protocol = 77}, "10.9.0.0/16 proto 77 scope link \n"},
        {{.destination = "fd09::/48", .gateway = "fd00::3"}, "fd09::/48 via fd00::3 proto static metric 1024 pref medium\n"},
        {{.destination = "fd09::/48", .mtu = 1300}, "fd09::/48 proto static metric 1024 mtu 1300 pref medium\n"},
    };
    open_two();
    IP("route add 10.9.0.0/16 via 10.8.0.2 dev t0");
    IP("-6 route add fd09::/48 via fd00::2 dev t0");
    for (size_t i = 0; i < sizeof next / sizeof *next; i++) {
        const tuntap_route *route = &next[i].route;
        FAILS(tuntap_add_route(dev, route, sizeof *route, 0, &err), EEXIST, TUNTAP_REASON_BUSY);
        listen_to_changes();
        OK(replace(dev, route));
        CHECK(announced(RTM_DELROUTE) == 0);
        const char *shown = output_of("ip -%d route show dev t0 %s", strchr(route->destination, ':') ? 6 : 4,
                                      route->destination);
        if (strcmp(shown, next[i].shown) != 0)
            fail(__FILE__, __LINE__, next[i].shown, shown);
        listen_to_changes();
        OK(replace(dev, route));
        CHECK(announced(RTM_NEWROUTE) == 0);
    }
    tuntap_route absent = {.destination = "10.10.0.0/16", .metric = 7};
    OK(replace(dev, &absent));
    IP_HAS("10.10.0.0/16", "route show dev t0");
    tuntap_close(other);
    tuntap_close(dev);
}

/** The kernel alone would replace the route of the other interface. */
static void another_interfaces_route_stays(void)
{
    tuntap_route route = {.destination = "10.9.0.0/16"}, route6 = {.destination = "fd09::/48"};
    open_two();
    IP("route add 10.9.0.0/16 dev t1");
    IP("-6 route add fd09::/48 dev t1");
    IP("route add unreachable 10.10.0.0/16");
    char *before = strdup(output_of("ip route; ip -6 route"));
    FAILS(replace(dev, &route), EEXIST, TUNTAP_REASON_BUSY);
    MESSAGE_HAS("a route through another interface has this destination, metric and table");
    FAILS(replace(dev, &route6), EEXIST, TUNTAP_REASON_BUSY);
    strcpy(route.destination, "10.10.0.0/16");
    FAILS(replace(dev, &route), EEXIST, TUNTAP_REASON_BUSY);
    CHECK(strcmp(before, output_of("ip route; ip -6 route")) == 0);
    free(before);
    tuntap_close(other);
    tuntap_close(dev);
}

static void a_failed_replacement_changes_nothing(void)
{
    tuntap_route route = {.destination = "10.9.0.0/16", .gateway = "10.8.0.3"};
    tuntap_route wrong = {.destination = "10.12.0.0/16", .gateway = "198.51.100.1"};
    tuntap_config *config;
    open_two();
    IP("route add 10.9.0.0/16 via 10.8.0.2 dev t0");
    strcpy(wrong.destination, "10.9.0.0/16");
    CHECK(replace(dev, &wrong) == -ENETUNREACH);
    IP_HAS("\"gateway\":\"10.8.0.2\"", "route show dev t0");
    refused_type = RTM_NEWROUTE;
    FAILS(replace(dev, &route), ENOMEM, TUNTAP_REASON_SYSTEM);
    lost_type = RTM_NEWROUTE;
    OK(replace(dev, &route));
    IP_HAS("\"gateway\":\"10.8.0.3\"", "route show dev t0");

    /* An open that fails later restores the device. */
    OK(tuntap_set_persist(dev, 1, &err));
    tuntap_close(dev);
    IP("link set t0 up");
    wait_for_no_carrier("t0");
    IP("-6 route flush dev t0");
    IP("route replace 10.9.0.0/16 via 10.8.0.2 dev t0");
    char *before = strdup(output_of("ip route show dev t0"));
    strcpy(wrong.destination, "10.12.0.0/16");
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_add_route(config, &route, sizeof route, TUNTAP_REPLACE, &err));
    OK(tuntap_config_add_route(config, &wrong, sizeof wrong, 0, &err));
    CHECK(tuntap_open_config("t0", TUNTAP_TAP, config, &dev, &err) == -ENETUNREACH);
    wait_for_no_carrier("t0");
    CHECK(strcmp(before, output_of("ip route show dev t0")) == 0);
    free(before);
    tuntap_config_free(config);
    tuntap_close(other);
    IP("link delete t0");
}

/** The first route creates its table. A new network namespace does not even have the main table. */
static void the_first_route_creates_its_table(void)
{
    static const uint32_t tables[] = {0, 4711};
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link set t0 addrgenmode none up");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        tuntap_route v4 = {.destination = "10.9.0.0/16", .table = tables[i]};
        tuntap_route v6 = {.destination = "fd09::/48", .table = tables[i]};
        unsigned table = tables[i] ? tables[i] : 254;
        OK(replace(dev, &v4));
        OK(replace(dev, &v6));
        CHECK(strstr(output_of("ip route show table %u", table), "10.9.0.0/16 dev t0"));
        CHECK(strstr(output_of("ip -6 route show table %u", table), "fd09::/48 dev t0"));
        OK(tuntap_del_route(dev, &v4, sizeof v4, &err));
        OK(tuntap_del_route(dev, &v6, sizeof v6, &err));
    }
    tuntap_close(dev);
}

int main(void)
{
    begin();
    the_first_route_creates_its_table();
    a_route_is_replaced_without_a_gap();
    another_interfaces_route_stays();
    a_failed_replacement_changes_nothing();
    return 0;
}
