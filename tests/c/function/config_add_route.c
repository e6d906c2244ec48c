/* SPDX-License-Identifier: MIT */
#include "test.h"

static tuntap_config *config;

static void all_routes_are_added(uint64_t kind)
{
    tuntap *dev;
    OK(tuntap_open_config("t0", kind, config, &dev, &err));
    IP_HAS("\"dst\":\"10.9.0.0/16\",\"gateway\":\"10.8.0.2\"", "route show dev t0");
    IP_HAS("\"metric\":7,", "route show dev t0");
    IP_HAS("\"dst\":\"10.10.0.0/16\"", "route show dev t0 table 100");
    IP_HAS("\"dst\":\"fd01::/48\"", "-6 route show dev t0");
    tuntap_close(dev);
}

/** The last route is refused: the library undoes everything that it did before. */
static void a_refused_route_undoes_the_whole_open(void)
{
    tuntap *dev = NULL;
    OK(config_add_route(config, "10.12.0.0/16", "198.51.100.1", 0, 0, &err));
    UNCHANGED(CHECK(tuntap_open_config("t0", TUNTAP_TAP | TUNTAP_PERSIST, config, &dev, &err) == -ENETUNREACH));
    MESSAGE_HAS("option route: add the route 10.12.0.0/16 via 198.51.100.1 through t0");
    CHECK(!dev);
}

/** With an MTU below 1280, the kernel discards the IPv6 settings, addresses and routes. */
static void a_refused_route_restores_an_existing_device(unsigned mtu)
{
    static const char *const all = "ip -j -d address show t1; ip route show table all; ip -6 route show table all; "
                                   "cat /proc/sys/net/ipv6/conf/t1/accept_ra /proc/sys/net/ipv6/conf/t1/disable_ipv6";
    tuntap *dev = NULL;
    tuntap_config *wrong;
    IP("tuntap add dev t1 mode tap");
    IP("link set t1 address 02:00:00:00:00:01 mtu 1450 addrgenmode none up");
    output_of("echo 0 >/proc/sys/net/ipv6/conf/t1/accept_ra");
    IP("address add 192.0.2.1/24 dev t1");
    IP("address add fd05::1/64 dev t1 nodad");
    wait_for_local("fd05::1 ");
    IP("route add 10.13.0.0/16 via 192.0.2.9 dev t1 metric 3 table 77");
    IP("route add fd06::/48 via fd05::9 dev t1");
    /* The kernel reports the missing carrier with a delay. */
    IP_WILL_SAY(1, "\"operstate\":\"DOWN\"", "link show t1");
    char *before = strdup(output_of("%s", all));
    OK(tuntap_config_new(&wrong, &err));
    OK(tuntap_config_set_mtu(wrong, mtu, &err));
    OK(config_add_addr(wrong, "10.8.0.1/24", NULL, 0, &err));
    OK(tuntap_config_set_up(wrong, 1, &err));
    OK(config_add_route(wrong, "10.12.0.0/16", "198.51.100.1", 0, 0, &err));
    CHECK(tuntap_open_config("t1", TUNTAP_TAP, wrong, &dev, &err) == -ENETUNREACH);
    for (int tries = 0; strcmp(before, output_of("%s", all)) != 0; tries++) {
        if (tries > 500)
            fail(__FILE__, __LINE__, "is not as it was", before);
        usleep(10000);
    }
    tuntap_config_free(wrong);
    free(before);
    IP("link delete t1");
}

/** A device that is up, with an address of each family. */
static void make_device(const char *name)
{
    IP("tuntap add dev %s mode tap", name);
    IP("link set %s addrgenmode none up", name);
    IP("address add 192.0.2.1/24 dev %s", name);
    IP("address add fd05::1/64 dev %s nodad", name);
    wait_for_local("fd05::1 ");
}

/** Opens t1 with the options and a route that is refused. Frees the options. */
static void open_fails(tuntap_config *options)
{
    tuntap *dev = NULL;
    OK(config_add_route(options, "10.12.0.0/16", "198.51.100.1", 0, 0, &err));
    CHECK(tuntap_open_config("t1", TUNTAP_TAP, options, &dev, &err) == -ENETUNREACH);
    tuntap_config_free(options);
}

/** With an MTU below 1280, the kernel removes all IPv6 routes. */
static void a_restored_route_keeps_its_lifetime(void)
{
    tuntap_config *wrong;
    make_device("t1");
    IP("-6 route add fd06::/48 via fd05::9 dev t1 expires 3000");
    OK(tuntap_config_new(&wrong, &err));
    OK(tuntap_config_set_mtu(wrong, 1000, &err));
    open_fails(wrong);
    const char *said = strstr(output_of("ip -6 route show fd06::/48"), "expires ");
    CHECK(said && atoi(said + 8) > 2900 && atoi(said + 8) <= 3000);
    IP("link delete t1");
}

/** Several IPv4 routes can have the same destination and metric. The first of them is used, and is replaced. */
static void the_order_of_equal_routes_is_restored(int all_are_lost)
{
    static const char *const all = "ip -4 route show table all | sed 's/ linkdown//'";
    tuntap_config *wrong;
    make_device("t1");
    IP("route add 10.13.0.0/16 via 192.0.2.9 dev t1 metric 5");
    IP("route append 10.13.0.0/16 via 192.0.2.8 dev t1 metric 5");
    IP("route append 10.13.0.0/16 via 192.0.2.8 dev t1 metric 5 mtu 1300");
    char *before = strdup(output_of("%s", all));
    OK(tuntap_config_new(&wrong, &err));
    tuntap_addr labelled = {.addr = "192.0.2.1/24", .label = "t1:1"}; /* The kernel cannot change a label in place. */
    if (all_are_lost)
        OK(tuntap_config_add_addr(wrong, &labelled, sizeof labelled, TUNTAP_REPLACE, &err));
    else
        OK(tuntap_config_add_route(wrong, route_of("10.13.0.0/16", NULL, 5, 0), sizeof(tuntap_route), TUNTAP_REPLACE,
                                   &err));
    open_fails(wrong);
    if (strcmp(before, output_of("%s", all)) != 0)
        fail(__FILE__, __LINE__, before, output_of("%s", all));
    free(before);
    IP("link delete t1");
}

static void a_device_that_is_down_gets_no_route(void)
{
    tuntap *dev = NULL;
    OK(tuntap_config_new(&config, &err));
    OK(config_add_route(config, "10.9.0.0/16", NULL, 0, 0, &err));
    UNCHANGED(FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), ENETDOWN, TUNTAP_REASON_DOWN));
    MESSAGE_HAS("option route: ");
    CHECK(!dev);
    tuntap_config_free(config);
}

int main(void)
{
    char destination[] = "10.9.0.0/16";
    begin();
    OK(tuntap_config_new(&config, &err));
    OK(config_add_addr(config, "10.8.0.1/24", NULL, 0, &err));
    OK(tuntap_config_set_up(config, 1, &err));
    OK(config_add_route(config, destination, "10.8.0.2", 7, 0, &err));
    destination[0] = 'x'; /* it was copied */
    OK(config_add_route(config, "10.10.0.0/16", NULL, 0, 100, &err));
    OK(config_add_route(config, "fd01::/48", NULL, 0, 0, &err));
    FAILS(config_add_route(config, "10.9.0.1/16", NULL, 0, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(config_add_route(config, "fd09::/16", "10.8.0.2", 0, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_config_add_route(config, route_of("10.9.0.0/16", NULL, 0, 0), sizeof(tuntap_route), 2, &err), EINVAL,
          TUNTAP_REASON_FLAGS);
    FAILS(tuntap_config_add_route(config, route_of("10.9.0.0/16", NULL, 0, 0), 1, 0, &err), EINVAL,
          TUNTAP_REASON_ARGUMENT);
    FAILS(config_add_route(config, NULL, NULL, 0, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(config_add_route(NULL, "10.9.0.0/16", NULL, 0, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    all_routes_are_added(TUNTAP_TUN);
    all_routes_are_added(TUNTAP_TAP);
    a_refused_route_undoes_the_whole_open();
    a_refused_route_restores_an_existing_device(1400);
    a_refused_route_restores_an_existing_device(1000);
    a_restored_route_keeps_its_lifetime();
    the_order_of_equal_routes_is_restored(0);
    the_order_of_equal_routes_is_restored(1);
    tuntap_config_free(config);
    a_device_that_is_down_gets_no_route();
    return 0;
}
