/* SPDX-License-Identifier: MIT */
#include "netlink.h"

static tuntap *device_up(const char *name, uint64_t kind)
{
    tuntap *dev;
    OK(tuntap_open(name, kind, &dev, &err));
    IP("link set %s addrgenmode none", name); /* Otherwise a link-local address would add routes at any time. */
    IP("address add 10.8.0.1/24 dev %s", name);
    IP("address add fd00::1/64 dev %s nodad", name);
    IP("link set %s up", name);
    return dev;
}

static void routes_are_added_to_the_kernel(uint64_t kind)
{
    tuntap *dev = device_up("t0", kind);
    OK(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
    OK(add_route(dev, "10.10.0.1", NULL, 7, 0, &err));
    OK(add_route(dev, "0.0.0.0/0", NULL, 0, 0, &err));
    OK(add_route(dev, "10.11.0.0/16", NULL, 0, 100, &err));
    OK(add_route(dev, "10.11.0.0/16", NULL, 0, 100000, &err));
    OK(add_route(dev, "fd01::/48", NULL, 0, 0, &err));
    OK(add_route(dev, "fd02::1", NULL, 7, 0, &err));
    OK(add_route(dev, "::/0", NULL, 0, 0, &err));
    OK(add_route(dev, "fd03::/48", NULL, 9, 100000, &err));
    IP_HAS("\"dst\":\"10.9.0.0/16\",\"protocol\":\"static\",\"scope\":\"link\",\"flags\"", "route show dev t0");
    IP_HAS("\"dst\":\"10.10.0.1\",\"protocol\":\"static\",\"scope\":\"link\",\"metric\":7,", "route show dev t0");
    IP_HAS("\"dst\":\"default\"", "route show dev t0");
    IP_HAS("\"dst\":\"10.11.0.0/16\"", "route show dev t0 table 100");
    IP_HAS("\"dst\":\"10.11.0.0/16\"", "route show dev t0 table 100000");
    IP_HAS("\"dst\":\"fd01::/48\",\"protocol\":\"static\",\"scope\":\"global\",\"metric\":1024,", "-6 route show dev t0");
    IP_HAS("\"dst\":\"fd02::1\",\"protocol\":\"static\",\"scope\":\"global\",\"metric\":7,", "-6 route show dev t0");
    IP_HAS("\"dst\":\"default\"", "-6 route show dev t0");
    IP_HAS("\"dst\":\"fd03::/48\"", "-6 route show dev t0 table 100000");
    tuntap_close(dev);
}

/** Packets to the destination go through the device. */
static void packets_use_the_route(void)
{
    uint8_t buf[200];
    tuntap *dev = device_up("t0", TUNTAP_TUN | TUNTAP_NONBLOCK);
    OK(add_route(dev, "192.0.2.0/24", NULL, 0, 0, &err));
    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "192.0.2.9", PORT, "hello", 5);
    do
        OK(tuntap_read(dev, buf, sizeof buf, &err));
    while (buf[0] >> 4 != 4);
    is_udp_packet(buf, UDP_OVERHEAD + 5, "192.0.2.9", "hello", 5);
    close(sock);
    tuntap_close(dev);
}

static void a_gateway_must_be_on_the_link(void)
{
    tuntap *dev = device_up("t0", TUNTAP_TAP);
    OK(add_route(dev, "10.9.0.0/16", "10.8.0.2", 0, 0, &err));
    OK(add_route(dev, "fd01::/48", "fd00::2", 0, 0, &err));
    IP_HAS("\"dst\":\"10.9.0.0/16\",\"gateway\":\"10.8.0.2\"", "route show dev t0");
    IP_HAS("\"dst\":\"fd01::/48\",\"gateway\":\"fd00::2\"", "-6 route show dev t0");
    char *before = strdup(output_of("ip route show table all; ip -6 route show table all"));
    CHECK(add_route(dev, "10.10.0.0/16", "192.0.2.1", 0, 0, &err) == -ENETUNREACH);
    CHECK(err.reason == TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("add the route 10.10.0.0/16 via 192.0.2.1 through t0");
    MESSAGE_HAS("gateway");
    CHECK(add_route(dev, "fd02::/48", "fd99::1", 0, 0, &err) < 0);
    CHECK(strcmp(before, output_of("ip route show table all; ip -6 route show table all")) == 0);
    free(before);
    tuntap_close(dev);
}

static void adding_existing_routes_needs_no_privilege(void)
{
    tuntap *dev = device_up("t0", TUNTAP_TUN), *other;
    OK(tuntap_open("t1", TUNTAP_TUN, &other, &err));
    IP("link set t1 up");
    IP("route add 10.9.0.0/16 dev t0");
    IP("route add fd01::/48 dev t0");
    IP("route add 10.10.0.0/16 dev t0 metric 5 table 100");
    FAILS(add_route(other, "10.9.0.0/16", NULL, 0, 0, &err), EEXIST, TUNTAP_REASON_BUSY);
    MESSAGE_HAS("another route has this destination, metric and table: TUNTAP_REPLACE");
    OK(add_route(other, "10.9.0.0/16", NULL, 1, 0, &err));
    drop_privileges();
    OK(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
    OK(add_route(dev, "10.9.0.0/16", NULL, 0, 254, &err));
    OK(add_route(dev, "fd01::/48", NULL, 0, 0, &err));
    OK(add_route(dev, "fd01::/48", NULL, 1024, 0, &err));
    OK(add_route(dev, "10.10.0.0/16", NULL, 5, 100, &err));
    OK(add_route(dev, "10.8.0.0/24", NULL, 0, 0, &err));
    FAILS(add_route(dev, "10.12.0.0/16", NULL, 0, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    FAILS(add_route(dev, "fd04::/48", NULL, 0, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    tuntap_close(other);
    tuntap_close(dev);
}

/** All routes of both families with all attributes except their remaining lifetimes. */
static const char *all_routes(void)
{
    return output_of("(ip -d route show table all; ip -d -6 route show table all) | sed 's/expires [0-9]*sec//'");
}

/** The present route, which ip(8) adds, is not the wanted one: that is added too, or if they cannot coexist,
 * refused. */
static void is_another_route(tuntap *dev, const char *present, const char *destination, int coexists)
{
    IP("%sroute add %s", strchr(destination, ':') ? "-6 " : "", present);
    char *before = strdup(all_routes());
    if (coexists) {
        OK(add_route(dev, destination, NULL, 0, 0, &err));
        CHECK(strcmp(before, all_routes()) != 0);
        OK(add_route(dev, destination, NULL, 0, 0, &err));
        OK(del_route(dev, destination, NULL, 0, 0, &err));
    } else {
        FAILS(add_route(dev, destination, NULL, 0, 0, &err), EEXIST, TUNTAP_REASON_BUSY);
    }
    if (strcmp(before, all_routes()) != 0)
        fail(__FILE__, __LINE__, present, all_routes());
    free(before);
    IP("%sroute del %s", strchr(destination, ':') ? "-6 " : "", present);
}

/** Two routes are the same only if all attributes in the kernel are the same. */
static void a_route_that_differs_in_any_attribute_is_another_route(void)
{
    tuntap *dev = device_up("t0", TUNTAP_TAP);
    for (int i = 0; i < 1000 && !strstr(output_of("ip -6 route show table local"), "local fd00::1 "); i++)
        usleep(10000); /* The kernel adds the routes of an IPv6 address a moment later. */
    is_another_route(dev, "10.9.0.0/16 tos 0x10 dev t0", "10.9.0.0/16", 1);
    is_another_route(dev, "10.9.0.0/16 dev t0 metric 5", "10.9.0.0/16", 1);
    is_another_route(dev, "10.9.0.0/16 dev t0 table 100", "10.9.0.0/16", 1);
    if (kernel_is(5, 2))
        is_another_route(dev, "10.9.0.0/16 via inet6 fe80::2 dev t0", "10.9.0.0/16", 0);
    is_another_route(dev, "10.9.0.0/16 via 10.8.0.2 dev t0", "10.9.0.0/16", 0);
    is_another_route(dev, "10.9.0.0/16 dev t0 mtu 1300", "10.9.0.0/16", 0);
    is_another_route(dev, "10.9.0.0/16 dev t0 src 10.8.0.1", "10.9.0.0/16", 0);
    is_another_route(dev, "10.9.0.0/16 nexthop via 10.8.0.2 dev t0 nexthop via 10.8.0.3 dev t0", "10.9.0.0/16", 0);
    is_another_route(dev, "unreachable 10.9.0.0/16", "10.9.0.0/16", 0);
    is_another_route(dev, "fd09::/48 dev t0 mtu 1300", "fd09::/48", 0);
    is_another_route(dev, "fd09::/48 dev t0 expires 1000", "fd09::/48", 0);
    is_another_route(dev, "fd09::/48 dev t0 pref high", "fd09::/48", 0);
    is_another_route(dev, "fd09::/48 via fd00::2 dev t0", "fd09::/48", 0);
    if (system("ip nexthop add id 7 via 10.8.0.2 dev t0 2>/dev/null") == 0)
        is_another_route(dev, "10.9.0.0/16 nhid 7", "10.9.0.0/16", 0);
    if (system("ip route add 10.9.0.0/16 encap ip id 7 dst 192.0.2.1 dev t0 2>/dev/null") == 0) {
        IP("route del 10.9.0.0/16");
        is_another_route(dev, "10.9.0.0/16 encap ip id 7 dst 192.0.2.1 dev t0", "10.9.0.0/16", 0);
    }
    tuntap_close(dev);
}

/** The kernel has added the route, but its answer is lost. The library repeats the request, and the route exists. */
static void a_request_is_repeated_after_a_lost_answer(void)
{
    tuntap *dev = device_up("t0", TUNTAP_TUN), *other = device_up("t1", TUNTAP_TUN);
    lost_type = RTM_NEWROUTE;
    OK(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
    CHECK(lost_type == 0);
    IP_HAS("10.9.0.0/16", "route show dev t0");
    lost_type = RTM_DELROUTE;
    OK(del_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
    CHECK(lost_type == 0);
    IP_HAS_NOT("10.9.0.0/16", "route show dev t0");
    lost_type = RTM_NEWROUTE;
    OK(add_route(dev, "fd09::/48", NULL, 0, 0, &err));
    IP_HAS("fd09::/48", "-6 route show dev t0");
    refused_type = RTM_NEWROUTE;
    FAILS(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err), ENOMEM, TUNTAP_REASON_SYSTEM);
    IP_HAS_NOT("10.9.0.0/16", "route show dev t0");
    tuntap_close(other);
    tuntap_close(dev);
}

/** Whichever member is wrong, the call changes nothing. */
static void each_member_is_checked(tuntap *dev)
{
    struct {
        tuntap_route known;
        uint64_t later;
    } longer = {*route_of("10.9.0.0/16", NULL, 0, 0), 0};
    tuntap_route *const route = &longer.known, good = *route;
#define WRONG(change, why)                                                               \
    do {                                                                                 \
        *route = good;                                                                   \
        change;                                                                          \
        FAILS(tuntap_add_route(dev, route, sizeof *route, 0, &err), EINVAL, (why));      \
    } while (0)
    WRONG(route->family = 2, TUNTAP_REASON_ARGUMENT);
    WRONG(route->family = TUNTAP_IPV6, TUNTAP_REASON_ADDRESS);
    WRONG(route->prefix = 17, TUNTAP_REASON_ADDRESS);
    WRONG(route->flags = TUNTAP_ROUTE_PARTIAL, TUNTAP_REASON_FLAGS);
    WRONG(route->flags = 4, TUNTAP_REASON_FLAGS);
    WRONG(route->type = 5, TUNTAP_REASON_ARGUMENT);
    WRONG(route->protocol = 256, TUNTAP_REASON_RANGE);
    WRONG(route->mtu = 65521, TUNTAP_REASON_RANGE);
    WRONG(route->scope = 5, TUNTAP_REASON_ARGUMENT);
    WRONG(route->table = 255, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("add the route 10.9.0.0/16 table 255: the kernel maintains the local table");
    WRONG((route->table = 255, route->type = TUNTAP_ROUTE_TYPE_LOCAL), TUNTAP_REASON_ARGUMENT);
    WRONG(strcpy(route->source, "fd00::1"), TUNTAP_REASON_ADDRESS);
    WRONG(memset(route->gateway, '1', sizeof route->gateway), TUNTAP_REASON_ADDRESS);
    *route = good;
    FAILS(tuntap_add_route(dev, route, sizeof *route, 2, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_add_route(dev, route, sizeof *route - 1, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("sizeof(tuntap_route)");
    longer.later = 1;
    FAILS(tuntap_add_route(dev, route, sizeof longer, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("this version of the library does not know that member");
    FAILS(tuntap_add_route(dev, route_of("10.9.0.0/16", NULL, 0, 255), sizeof *route, TUNTAP_REPLACE, &err), EINVAL,
          TUNTAP_REASON_ARGUMENT);
    IP_HAS_NOT("10.9.", "route show table all");
}

static void all_members_reach_the_kernel(void)
{
    tuntap *dev = device_up("t0", TUNTAP_TAP);
    tuntap_route route = {.family = TUNTAP_IPV4, .prefix = 16, .metric = 7, .table = 100, .flags = TUNTAP_ROUTE_ONLINK,
                          .protocol = 3, .scope = TUNTAP_SCOPE_SITE, .mtu = 1300, .destination = "10.9.0.0",
                          .gateway = "192.0.2.1", .source = "10.8.0.1"};
    OK(tuntap_add_route(dev, &route, sizeof route, 0, &err));
    IP_HAS("\"dst\":\"10.9.0.0/16\",\"gateway\":\"192.0.2.1\",\"protocol\":\"boot\",\"scope\":\"site\","
           "\"prefsrc\":\"10.8.0.1\",\"metric\":7,\"flags\":[\"onlink\"],\"metrics\":[{\"mtu\":1300}]",
           "route show dev t0 table 100");
    tuntap_route via = {.destination = "10.10.0.0/16", .gateway = "fe80::9"};
    if (kernel_is(5, 2)) {
        OK(tuntap_add_route(dev, &via, sizeof via, 0, &err));
        IP_HAS("\"dst\":\"10.10.0.0/16\",\"via\":{\"family\":\"inet6\",\"host\":\"fe80::9\"}", "route show dev t0");
        OK(tuntap_add_route(dev, &via, sizeof via, 0, &err));
    } else {
        FAILS(tuntap_add_route(dev, &via, sizeof via, 0, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
        MESSAGE_HAS("Linux 5.2");
        IP_HAS_NOT("10.10.0.0/16", "route show dev t0");
    }
    tuntap_route group = {.type = TUNTAP_ROUTE_TYPE_MULTICAST, .destination = "239.0.0.0/8"};
    OK(tuntap_add_route(dev, &group, sizeof group, 0, &err));
    IP_HAS("\"type\":\"multicast\",\"dst\":\"239.0.0.0/8\"", "route show dev t0");
    tuntap_route own = {.type = TUNTAP_ROUTE_TYPE_LOCAL, .table = 100, .destination = "10.12.0.0/16"};
    OK(tuntap_add_route(dev, &own, sizeof own, 0, &err));
    IP_HAS("\"type\":\"local\",\"dst\":\"10.12.0.0/16\"", "route show dev t0 table 100");
    tuntap_route any = {.type = TUNTAP_ROUTE_TYPE_ANYCAST, .table = 100, .destination = "fd0a::/64"};
    OK(tuntap_add_route(dev, &any, sizeof any, 0, &err));
    IP_HAS("\"type\":\"anycast\",\"dst\":\"fd0a::/64\"", "-6 route show dev t0 table 100");
    tuntap_close(dev);
}

static void failed_calls_change_nothing(void)
{
    static const char *const wrong[][2] = {
        {"", NULL},          {"default", NULL},   {"10.9.0.1/16", NULL},        {"fd01::1/48", NULL},
        {"10.9.0.0/33", NULL}, {"fd01::/129", NULL}, {"fd01::/48", "10.8.0.2"},
        {"10.9.0.0/16", "0.0.0.0"}, {"10.9.0.0/16", "10.8.0.2/24"}, {"x", NULL},
    };
    tuntap *dev = device_up("t0", TUNTAP_TUN);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(add_route(dev, wrong[i][0], wrong[i][1], 0, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(add_route(dev, "10.9.1.1/16", NULL, 0, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    MESSAGE_HAS("the network is 10.9.0.0/16");
    FAILS(add_route(dev, NULL, NULL, 0, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    each_member_is_checked(dev);
    FAILS(add_route(NULL, "10.9.0.0/16", NULL, 0, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link set t0 down");
    FAILS(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    MESSAGE_HAS("tuntap_up");
    FAILS(add_route(dev, "fd01::/48", NULL, 0, 0, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    FAILS(add_route(dev, "10.9.0.0/16", "10.8.0.2", 0, 0, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    MESSAGE_HAS("add the route 10.9.0.0/16 via 10.8.0.2 through t0: the device is down: use tuntap_up");
    FAILS(add_route(dev, "fd01::/48", "fd00::2", 0, 0, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    IP_HAS_NOT("10.9.", "route show table all");
    IP("link delete t0");
    FAILS(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

/** The kernel reduces a greater MTU to this one. With this one, a route that is added twice exists once. */
static void a_route_can_have_the_greatest_mtu(void)
{
    tuntap *dev = device_up("t0", TUNTAP_TUN);
    tuntap_route route = {.mtu = 65520, .destination = "10.9.0.0/16"};
    OK(tuntap_add_route(dev, &route, sizeof route, 0, &err));
    OK(tuntap_add_route(dev, &route, sizeof route, 0, &err));
    IP_HAS("\"mtu\":65520", "route show 10.9.0.0/16");
    OK(tuntap_del_route(dev, &route, sizeof route, &err));
    IP_HAS_NOT("10.9.", "route show table all");
    tuntap_close(dev);
}

/** Linux turns IPv6 off below its minimum MTU, and then reports ENODEV. */
static void ipv6_routes_need_an_mtu_of_1280(void)
{
    tuntap *dev = device_up("t0", TUNTAP_TUN);
    IP("link set t0 mtu 1279");
    FAILS(add_route(dev, "fd01::/48", NULL, 0, 0, &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("IPv6 needs an MTU of 1280, and the MTU is 1279: use tuntap_set_mtu");
    OK(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
    tuntap_close(dev);
}

static void a_gateway_outside_all_networks_is_refused(void)
{
    tuntap *dev = device_up("t0", TUNTAP_TUN);
    FAILS(add_route(dev, "10.9.0.0/16", "192.0.2.1", 0, 0, &err), ENETUNREACH, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("use TUNTAP_ROUTE_ONLINK");
    tuntap_close(dev);
}

int main(void)
{
    begin();
    routes_are_added_to_the_kernel(TUNTAP_TUN);
    routes_are_added_to_the_kernel(TUNTAP_TAP);
    packets_use_the_route();
    a_gateway_must_be_on_the_link();
    all_members_reach_the_kernel();
    failed_calls_change_nothing();
    a_route_can_have_the_greatest_mtu();
    ipv6_routes_need_an_mtu_of_1280();
    a_gateway_outside_all_networks_is_refused();
    a_route_that_differs_in_any_attribute_is_another_route();
    /* Before 5.4, the lost message may say that the device moved away, and the library cannot follow it. */
    if (kernel_is(5, 4))
        a_request_is_repeated_after_a_lost_answer();
    adding_existing_routes_needs_no_privilege();
    return 0;
}
