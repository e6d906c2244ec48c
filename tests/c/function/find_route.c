/* SPDX-License-Identifier: MIT */
#include "uplink.h"

static tuntap_route route;
static int gateways;

static void finds(const tuntap *dev, const char *to, const char *source, uint32_t mark)
{
    memset(&route, 0x55, sizeof route);
    OK(tuntap_find_route(dev, to, source, mark, &route, sizeof route, &err));
    CHECK(route.reserved == 0);
}

/** The last route that was found: its destination, gateway, source and interface. */
#define IS(destination_, gateway_, source_, interface)                                               \
    do {                                                                                             \
        char text_[400];                                                                             \
        snprintf(text_, sizeof text_, "%s via %s from %s by %u", route.destination, route.gateway,  \
                 route.source, route.index);                                                         \
        if (strcmp(route.destination, destination_) || strcmp(route.gateway, gateway_) ||            \
            strcmp(route.source, source_) || route.index != if_nametoindex(interface))               \
            fail(__FILE__, __LINE__, "another route", text_);                                        \
    } while (0)

static void the_route_is_the_one_that_the_kernel_uses(void)
{
    finds(NULL, SERVER, NULL, 0);
    IS("0.0.0.0/0", "192.0.1.1", "192.0.1.2", "a0");
    CHECK(route.family == TUNTAP_IPV4 && route.prefix == 0 && route.metric == 10 && route.table == 254);
    CHECK(route.type == TUNTAP_ROUTE_TYPE_UNICAST && route.protocol == 3 && route.mtu == 1500 && route.flags == 0);
    finds(NULL, SERVER6, NULL, 0);
    IS("::/0", "2001:db8:1::1", "2001:db8:1::2", "a0");
    CHECK(route.family == TUNTAP_IPV6 && route.metric == 10 && route.mtu == 1500);
    finds(NULL, "192.0.2.77", NULL, 0);
    IS("192.0.2.0/24", "", "192.0.2.2", "b0");
    CHECK(route.protocol == 2 && route.scope == TUNTAP_SCOPE_LINK);
    finds(NULL, "127.0.0.1", NULL, 0);
    CHECK(route.type == TUNTAP_ROUTE_TYPE_LOCAL && route.index == 1);

    /* The MTU of the interface, of the route, and of the path. */
    IP("link set a0 mtu 1400");
    finds(NULL, SERVER, NULL, 0);
    CHECK(route.mtu == 1400);
    IP("link set a0 mtu 1500");
    IP("route add 198.18.0.0/15 via 192.0.1.1 mtu lock 1300 metric 7");
    IP("-6 route add 2001:db8:9::/48 via 2001:db8:1::1 mtu 1300");
    finds(NULL, ANYWHERE, NULL, 0);
    IS("198.18.0.0/15", "192.0.1.1", "192.0.1.2", "a0");
    CHECK(route.mtu == 1300 && route.metric == 7);
    finds(NULL, ANYWHERE6, NULL, 0);
    CHECK(route.mtu == 1300);
    IP("route del 198.18.0.0/15 metric 7");
    IP("-6 route del 2001:db8:9::/48");
}

static void rules_marks_and_sources_are_considered(void)
{
    IP("rule add priority 100 fwmark 9 table 77");
    IP("rule add priority 101 from 192.0.2.2 table 78");
    IP("route add " SERVER "/32 via 192.0.2.1 table 77 metric 3");
    IP("route add default via 192.0.2.9 table 78");
    finds(NULL, SERVER, NULL, 9);
    IS(SERVER "/32", "192.0.2.1", "192.0.2.2", "b0");
    CHECK(route.table == 77 && route.metric == 3);
    finds(NULL, SERVER, "192.0.2.2", 0);
    IS("0.0.0.0/0", "192.0.2.9", "192.0.2.2", "b0");
    IP("rule del priority 100");
    IP("rule del priority 101");
    IP("route flush table 77");
    IP("route flush table 78");
    finds(NULL, SERVER, NULL, 9);
    CHECK(route.index == if_nametoindex("a0"));
    FAILS(tuntap_find_route(NULL, SERVER, "192.0.2.77", 0, &route, sizeof route, &err), ENETUNREACH,
          TUNTAP_REASON_UNSET);
    MESSAGE_HAS("from 192.0.2.77");
}

static void one_of_several_next_hops_is_reported(void)
{
    IP("route add 198.18.0.0/15 nexthop via 192.0.1.1 nexthop via 192.0.2.1");
    finds(NULL, ANYWHERE, NULL, 0);
    CHECK(strcmp(route.destination, "198.18.0.0/15") == 0 && route.flags == TUNTAP_ROUTE_PARTIAL);
    CHECK(strcmp(route.gateway, route.index == if_nametoindex("a0") ? "192.0.1.1" : "192.0.2.1") == 0);
    IP("route del 198.18.0.0/15");
}

/** For IPv6 the kernel caches what it finds in the nexthop object, and returns that for each route with the object. */
static void a_route_that_shares_its_nexthop_object_leads_to_the_destination(void)
{
    if (system("ip nexthop add id 7 via 2001:db8:1::1 dev a0 2>/dev/null") != 0)
        return;
    IP("-6 route add 2001:db8:8::/48 nhid 7");
    IP("-6 route add 2001:db8:9::/48 nhid 7");
    for (int i = 0; i < 2; i++) {
        finds(NULL, i == 0 ? ANYWHERE6 : "2001:db8:8::1", NULL, 0);
        CHECK(strncmp(route.destination, i == 0 ? "2001:db8:9:" : "2001:db8:8:", 11) == 0);
        CHECK(strcmp(route.gateway, "2001:db8:1::1") == 0 && route.flags == TUNTAP_ROUTE_PARTIAL);
    }
    IP("-6 route del 2001:db8:8::/48 nhid 7");
    IP("-6 route del 2001:db8:9::/48 nhid 7");
    IP("nexthop del id 7");
}

/** The kernel reports only as many next hops as fit a page. */
static void too_many_next_hops_are_an_error(void)
{
    FILE *ip = popen("ip -batch - 2>&1", "w");
    CHECK(ip);
    for (int i = 0; i < 300; i++)
        fprintf(ip, "route append 2001:db8:9::/48 via 2001:db8:1::%x dev a0\n", i + 16);
    CHECK(pclose(ip) == 0);
    memset(&route, 0, sizeof route);
    if (strstr(output_of("ip route get fibmatch " ANYWHERE6 " 2>&1"), "too long")) {
        FAILS(tuntap_find_route(NULL, ANYWHERE6, NULL, 0, &route, sizeof route, &err), EMSGSIZE, TUNTAP_REASON_SYSTEM);
        MESSAGE_HAS("more next hops than the kernel can report");
        CHECK(route.destination[0] == 0);
    } else {
        finds(NULL, ANYWHERE6, NULL, 0);
        CHECK(strcmp(route.destination, "2001:db8:9::/48") == 0 && route.flags == TUNTAP_ROUTE_PARTIAL);
    }
    IP("-6 route del 2001:db8:9::/48");
}

#define NO_ROUTE(to) \
    FAILS(tuntap_find_route(NULL, to, NULL, 0, &route, sizeof route, &err), ENETUNREACH, TUNTAP_REASON_UNSET)

/** Each interface has a route to them. The kernel would return one of these, but sends nothing without an interface. */
static void addresses_that_need_an_interface_have_no_route(void)
{
    IP_WILL_SAY(1, "fe80::/64", "-6 route show dev a0");
    NO_ROUTE("fe80::1");
    MESSAGE_HAS("each link has this address");
    NO_ROUTE("ff02::1");
    finds(NULL, "169.254.1.1", NULL, 0);
}

static void a_missing_route_is_reported(void)
{
    static const char *const types[] = {"unreachable", "prohibit", "blackhole"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        IP("route add %s 198.18.0.0/15", types[i]);
        IP("-6 route add %s 2001:db8:9::/48", types[i]);
        NO_ROUTE(ANYWHERE);
        NO_ROUTE(ANYWHERE6);
        IP("route del %s 198.18.0.0/15", types[i]);
        IP("-6 route del %s 2001:db8:9::/48", types[i]);
    }
    INSIDE(gateways, {
        NO_ROUTE(ANYWHERE);
        MESSAGE_HAS("198.18.0.1: the system has none");
        NO_ROUTE(ANYWHERE6);
    });
}

/** The route is searched in the device's network namespace, with the routes that the device added. */
static void the_namespace_of_the_device_is_searched(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    finds(dev, ANYWHERE, NULL, 0);
    IS("0.0.0.0/0", "", "10.8.0.2", "t0");
    CHECK(route.table == 2000000000 + if_nametoindex("t0"));
    finds(dev, SERVER, NULL, 0);
    IS("0.0.0.0/0", "192.0.1.1", "192.0.1.2", "a0");
    OK(tuntap_set_netns_fd(dev, gateways, &err));
    FAILS(tuntap_find_route(dev, ANYWHERE, NULL, 0, &route, sizeof route, &err), ENETUNREACH, TUNTAP_REASON_UNSET);
    finds(dev, SERVER, NULL, 0);
    CHECK(route.type == TUNTAP_ROUTE_TYPE_LOCAL);
    finds(NULL, SERVER, NULL, 0);
    CHECK(route.index == if_nametoindex("a0"));
    INSIDE(gateways, IP("link delete t0"));
    FAILS(tuntap_find_route(dev, SERVER, NULL, 0, &route, sizeof route, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

/** The list turns strict checking of requests on for the socket. */
static void find_works_after_a_list(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_list_routes(dev, NULL, 0, sizeof route, &err));
    finds(dev, SERVER6, NULL, 0);
    IS("::/0", "2001:db8:1::1", "2001:db8:1::2", "a0");
    CHECK(route.table == 254);
    finds(dev, SERVER, NULL, 0);
    CHECK(route.table == 254);
    tuntap_close(dev);
}

static void invalid_requests_are_refused(void)
{
    memset(&route, 0x55, sizeof route);
    tuntap_route before = route;
    FAILS(tuntap_find_route(NULL, NULL, NULL, 0, &route, sizeof route, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_find_route(NULL, SERVER, NULL, 0, NULL, sizeof route, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_find_route(NULL, SERVER, NULL, 0, &route, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_find_route(NULL, "203.0.113.0/24", NULL, 0, &route, sizeof route, &err), EINVAL,
          TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_find_route(NULL, SERVER, SERVER6, 0, &route, sizeof route, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_find_route(NULL, SERVER, "", 0, &route, sizeof route, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    CHECK(memcmp(&before, &route, sizeof route) == 0);

    /* A route through another interface cannot be added to the device. */
    finds(NULL, SERVER, NULL, 0);
    tuntap *dev = open_tunnel("t0", 0);
    FAILS(tuntap_add_route(dev, &route, sizeof route, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("index");
    tuntap_close(dev);

    drop_privileges();
    finds(NULL, SERVER, NULL, 0);
}

int main(void)
{
    begin();
    gateways = make_uplinks();
    the_route_is_the_one_that_the_kernel_uses();
    rules_marks_and_sources_are_considered();
    one_of_several_next_hops_is_reported();
    a_route_that_shares_its_nexthop_object_leads_to_the_destination();
    addresses_that_need_an_interface_have_no_route();
    too_many_next_hops_are_an_error();
    a_missing_route_is_reported();
    the_namespace_of_the_device_is_searched();
    find_works_after_a_list();
    invalid_requests_are_refused();
    close(gateways);
    return 0;
}
