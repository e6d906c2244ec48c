/* SPDX-License-Identifier: MIT */
#include "test.h"

static tuntap *dev;

/** Deletes the route that ip(8) adds. No other route changes. */
static void deletes_only_this_route(const char *ip, const char *destination, const char *gateway, uint32_t metric,
                                     uint32_t table)
{
    static const char *const all = "ip route show table all; ip -6 route show table all";
    char *before = strdup(output_of("%s", all));
    IP("route add %s", ip);
    CHECK(strcmp(before, output_of("%s", all)) != 0);
    OK(del_route(dev, destination, gateway, metric, table, &err));
    if (strcmp(before, output_of("%s", all)) != 0)
        fail(__FILE__, __LINE__, "is not as it was", before);
    FAILS(del_route(dev, destination, gateway, metric, table, &err), ENOENT, TUNTAP_REASON_UNSET);
    free(before);
}

static void routes_of_both_families_are_deleted(uint64_t kind)
{
    OK(tuntap_open("t0", kind, &dev, &err));
    IP("link set t0 addrgenmode none"); /* Otherwise a link-local address would add routes at any time. */
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add fd00::1/64 dev t0 nodad");
    IP("link set t0 up");
    wait_for_local("fd00::1 ");
    deletes_only_this_route("10.9.0.0/16 dev t0", "10.9.0.0/16", NULL, 0, 0);
    deletes_only_this_route("10.9.0.1 dev t0 metric 7", "10.9.0.1", NULL, 7, 0);
    deletes_only_this_route("default dev t0", "0.0.0.0/0", NULL, 0, 254);
    deletes_only_this_route("10.9.0.0/16 dev t0 table 100000 metric 9", "10.9.0.0/16", NULL, 9, 100000);
    deletes_only_this_route("fd01::/48 dev t0", "fd01::/48", NULL, 0, 0);
    deletes_only_this_route("default dev t0 metric 5 table 100 proto boot scope link", "0.0.0.0/0", NULL, 5, 100);
    deletes_only_this_route("fd01::1 dev t0 metric 7 table 100", "fd01::1", NULL, 7, 100);
    if (kind == TUNTAP_TAP) {
        deletes_only_this_route("10.9.0.0/16 via 10.8.0.2 dev t0", "10.9.0.0/16", "10.8.0.2", 0, 0);
        deletes_only_this_route("fd01::/48 via fd00::2 dev t0", "fd01::/48", "fd00::2", 0, 0);
    }

    /* Routes that the kernel added can be deleted too. */
    OK(del_route(dev, "10.8.0.0/24", NULL, 0, 0, &err));
    IP_HAS_NOT("10.8.0.0/24", "route show dev t0");
    tuntap_close(dev);
}

static void failed_calls_change_nothing(void)
{
    tuntap *other;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_open("t1", TUNTAP_TUN, &other, &err));
    IP("link set t0 up");
    IP("link set t1 up");
    IP("route add 10.9.0.0/16 dev t0 metric 5");
    IP("route add 10.10.0.0/16 dev t1");
    char *before = strdup(output_of("ip route show table all"));
    FAILS(del_route(dev, "10.9.0.0/16", NULL, 0, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
    MESSAGE_HAS("t0 does not have the route 10.9.0.0/16");
    FAILS(del_route(dev, "10.9.0.0/16", NULL, 5, 100, &err), ENOENT, TUNTAP_REASON_UNSET);
    FAILS(del_route(dev, "10.9.0.0/17", NULL, 5, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
    FAILS(del_route(dev, "10.9.0.0/16", "10.8.0.2", 5, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
    FAILS(del_route(dev, "10.10.0.0/16", NULL, 0, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
    FAILS(del_route(dev, "10.9.0.1/16", NULL, 5, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_del_route(dev, route_of("10.9.0.0/16", NULL, 5, 0), 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(del_route(dev, NULL, NULL, 5, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(del_route(NULL, "10.9.0.0/16", NULL, 5, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strcmp(before, output_of("ip route show table all")) == 0);
    tuntap_close(other);
    IP("link delete t0");
    FAILS(del_route(dev, "10.9.0.0/16", NULL, 5, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    free(before);

    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link set t0 up");
    IP("route add 10.9.0.0/16 dev t0");
    drop_privileges();
    FAILS(del_route(dev, "10.9.0.0/16", NULL, 0, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    IP_HAS("10.9.0.0/16", "route show");
    tuntap_close(dev);
}

/** All routes of both families with all attributes except their remaining lifetimes. */
static const char *all_routes(void)
{
    return output_of("(ip -d route show table all; ip -d -6 route show table all) | sed 's/expires [0-9]*sec//'");
}

/** Only the given route is deleted, also where the kernel would delete another one in its place. */
static void routes_that_differ_in_any_attribute_stay(void)
{
    static const struct {
        const char *present, *destination;
    } others[] = {
        {"10.9.0.0/16 tos 0x10 dev t0", "10.9.0.0/16"},
        {"10.9.0.0/16 via inet6 fe80::2 dev t0", "10.9.0.0/16"},
        {"10.9.0.0/16 via 10.8.0.2 dev t0", "10.9.0.0/16"},
        {"10.9.0.0/16 dev t0 mtu 1300", "10.9.0.0/16"},
        {"10.9.0.0/16 dev t0 src 10.8.0.1", "10.9.0.0/16"},
        {"10.9.0.0/16 nexthop via 10.8.0.2 dev t0 nexthop via 10.8.0.3 dev t0", "10.9.0.0/16"},
        {"10.9.0.0/16 dev t0 metric 5", "10.9.0.0/16"},
        {"unreachable 10.9.0.0/16", "10.9.0.0/16"},
        {"fd09::/48 dev t0 mtu 1300", "fd09::/48"},
        {"fd09::/48 dev t0 expires 1000", "fd09::/48"},
        {"fd09::/48 via fd00::2 dev t0", "fd09::/48"},
    };
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 addrgenmode none");
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add fd00::1/64 dev t0 nodad");
    IP("link set t0 up");
    wait_for_local("fd00::1 ");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strstr(others[i].present, "inet6") && !kernel_is(5, 2))
            continue;
        const char *family = strchr(others[i].destination, ':') ? "-6" : "-4";
        IP("%s route add %s", family, others[i].present);
        char *before = strdup(all_routes());
        FAILS(del_route(dev, others[i].destination, NULL, 0, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
        CHECK(strcmp(before, all_routes()) == 0);
        free(before);
        IP("%s route del %s", family, others[i].present);
    }

    /* Two routes with the same destination and metric: the kernel would delete the first of them. */
    IP("route add 10.9.0.0/16 dev t0 mtu 1300 proto static scope link");
    IP("route append 10.9.0.0/16 dev t0 proto static scope link");
    FAILS(del_route(dev, "10.9.0.0/16", NULL, 0, 0, &err), EBUSY, TUNTAP_REASON_BUSY);
    IP_HAS("\"mtu\":1300", "route show dev t0");
    IP("route del 10.9.0.0/16 dev t0 mtu 1300");
    OK(del_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
    IP_HAS_NOT("10.9.0.0/16", "route show dev t0");
    tuntap_close(dev);
}

/** When the kernel deletes an IPv6 route with a nexthop object, it ignores the interface. */
static void another_interfaces_route_stays(void)
{
    tuntap *other;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_open("t1", TUNTAP_TUN, &other, &err));
    IP("link set t0 addrgenmode none up");
    IP("link set t1 addrgenmode none up");
    if (system("ip -6 nexthop add id 7 dev t1 2>/dev/null") == 0) {
        IP("-6 route add fd09::/48 nhid 7 metric 1024");
        IP("-6 route append fd09::/48 dev t0 metric 1024");
        FAILS(del_route(dev, "fd09::/48", NULL, 0, 0, &err), EBUSY, TUNTAP_REASON_BUSY);
        IP_HAS("fd09::/48", "-6 route show dev t0");
        IP_HAS("\"nhid\":7", "-6 route show fd09::/48");
        IP("-6 route del fd09::/48 nhid 7");
        OK(del_route(dev, "fd09::/48", NULL, 0, 0, &err));
        IP_HAS_NOT("fd09::/48", "-6 route show");
        IP("-6 route add fd09::/48 nhid 7 metric 5");
        IP("-6 route add fd09::/48 dev t0");
        OK(del_route(dev, "fd09::/48", NULL, 0, 0, &err));
        IP_HAS("\"nhid\":7", "-6 route show fd09::/48");
    }
    tuntap_close(other);
    tuntap_close(dev);
}

/** The kernel finds an IPv4 route with a nexthop object only by the object. */
static void routes_with_a_nexthop_object_are_deleted(void)
{
    tuntap_route routes[8];
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link set t0 addrgenmode none");
    IP("link set t0 up");
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add fd00::1/64 dev t0 nodad");
    wait_for_local("fd00::1 ");
    if (system("ip nexthop add id 5 via 10.8.0.2 dev t0 2>/dev/null") == 0) {
        IP("nexthop add id 6 via 10.8.0.3 dev t0");
        IP("nexthop add id 7 via fd00::2 dev t0");
        IP("route add 10.9.0.0/16 nhid 5");
        IP("route append 10.9.0.0/16 nhid 6");
        IP("-6 route add fd09::/48 dev t0 metric 1024");
        IP("-6 route append fd09::/48 nhid 7 metric 1024");
        ssize_t count = tuntap_list_routes(dev, routes, 8, sizeof *routes, &err);
        CHECK(count == 6);
        for (ssize_t i = count - 1; i >= 0; i--) {
            if (!(routes[i].flags & TUNTAP_ROUTE_PARTIAL))
                continue;
            OK(tuntap_del_route(dev, &routes[i], sizeof *routes, &err));
            FAILS(tuntap_del_route(dev, &routes[i], sizeof *routes, &err), ENOENT, TUNTAP_REASON_UNSET);
        }
        IP_HAS_NOT("\"nhid\"", "route show");
        IP_HAS_NOT("\"nhid\"", "-6 route show");
        CHECK(tuntap_list_routes(dev, routes, 8, sizeof *routes, &err) == 3);
    }
    tuntap_close(dev);
}

int main(void)
{
    begin();
    routes_of_both_families_are_deleted(TUNTAP_TUN);
    routes_of_both_families_are_deleted(TUNTAP_TAP);
    routes_that_differ_in_any_attribute_stay();
    another_interfaces_route_stays();
    routes_with_a_nexthop_object_are_deleted();
    failed_calls_change_nothing();
    return 0;
}
