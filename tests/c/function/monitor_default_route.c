/* SPDX-License-Identifier: MIT
 *
 * TUNTAP_MONITOR_DEFAULT_ROUTE: the default route of the system, for a monitor of one device and of all. */
#include "event.h"
#include "uplink.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>

static tuntap_monitor *monitor;

/** The next event has this default route. */
static void default_is(uint32_t family, const char *gateway, const char *interface, uint32_t metric)
{
    NEXT(monitor, DEFAULT_ROUTE);
    char text[600];
    snprintf(text, sizeof text, "family %u, %s via %s by %s %u, metric %u", event.family, event.destination,
             event.gateway, event.name, event.index, event.metric);
    if (event.family != family || strcmp(event.gateway, gateway) || strcmp(event.name, interface) ||
        event.index != if_nametoindex(interface) || event.metric != metric ||
        strcmp(event.destination, family == TUNTAP_IPV4 ? "0.0.0.0/0" : "::/0") || event.table != 254)
        fail(__FILE__, __LINE__, "another default route", text);
}

static void default_is_gone(uint32_t family)
{
    tuntap_event empty;
    memset(&empty, 0, sizeof empty);
    NEXT(monitor, DEFAULT_ROUTE);
    empty.kind = TUNTAP_EVENT_DEFAULT_ROUTE;
    empty.family = family;
    CHECK(memcmp(&event, &empty, sizeof event) == 0);
}

static void the_present_default_route_is_reported_first(tuntap *dev, uint64_t flags)
{
    OK(tuntap_monitor_open(dev, TUNTAP_MONITOR_DEFAULT_ROUTE | flags, &monitor, &err));
    int devices = 0, defaults = 0;
    while (take(monitor) != TUNTAP_EVENT_COMPLETE) {
        CHECK(defaults == 0 || event.kind == TUNTAP_EVENT_DEFAULT_ROUTE);
        devices += event.kind == TUNTAP_EVENT_DEVICE;
        CHECK((event.kind == TUNTAP_EVENT_ROUTE_ADDED) <= (flags != 0));
        if (event.kind != TUNTAP_EVENT_DEFAULT_ROUTE) {
            CHECK(strcmp(event.name, "t0") == 0);
            continue;
        }
        CHECK(event.metric == 10 && strcmp(event.name, "a0") == 0 && event.up && event.mtu == 1500);
        CHECK(event.family == (defaults++ ? TUNTAP_IPV6 : TUNTAP_IPV4));
    }
    CHECK(devices == 1 && defaults == 2);
    NO_EVENT(monitor);
}

static void changes_are_reported(tuntap *dev, uint64_t flags)
{
    the_present_default_route_is_reported_first(dev, flags);
    /* Routes that do not change the default route are not reported. */
    IP("route add 10.9.0.0/16 via 192.0.1.1");
    IP("route add default via 192.0.2.1 metric 50");
    IP("route add default via 192.0.2.1 table 77");
    IP("route add unreachable default metric 50 tos 0x10");
    NO_EVENT(monitor);
    IP("route del unreachable default metric 50 tos 0x10");
    IP("route del default metric 50");
    IP("route flush table 77");

    IP("route replace default via 192.0.1.99 metric 10");
    default_is(TUNTAP_IPV4, "192.0.1.99", "a0", 10);
    IP("route add default via 192.0.2.1 metric 5");
    default_is(TUNTAP_IPV4, "192.0.2.1", "b0", 5);
    IP("route del default metric 5");
    default_is(TUNTAP_IPV4, "192.0.1.99", "a0", 10);
    NO_EVENT(monitor);

    /* Changes of the interface of the default route are reported. */
    IP("link set a0 mtu 1400");
    default_is(TUNTAP_IPV4, "192.0.1.99", "a0", 10);
    CHECK(event.mtu == 1400);
    default_is(TUNTAP_IPV6, "2001:db8:1::1", "a0", 10);
    IP("link set a0 mtu 1500");
    default_is(TUNTAP_IPV4, "192.0.1.99", "a0", 10);
    default_is(TUNTAP_IPV6, "2001:db8:1::1", "a0", 10);
    IP("link set b0 mtu 1400");
    NO_EVENT(monitor);
    IP("link set b0 mtu 1500");

    /* The kernel removes IPv4 routes without a notification. */
    IP("link set a0 down");
    default_is(TUNTAP_IPV4, "192.0.2.1", "b0", 20);
    default_is(TUNTAP_IPV6, "2001:db8:2::1", "b0", 20);
    NO_EVENT(monitor);
    IP("address flush dev b0");
    default_is_gone(TUNTAP_IPV4);
    IP("-6 route del default dev b0");
    default_is_gone(TUNTAP_IPV6);
    NO_EVENT(monitor);
    IP("address add 192.0.2.2/24 dev b0");
    IP("address add 2001:db8:2::2/64 dev b0 nodad");
    route_through('b');
    default_is(TUNTAP_IPV4, "192.0.2.1", "b0", 20);
    default_is(TUNTAP_IPV6, "2001:db8:2::1", "b0", 20);
    IP("address add 2001:db8:1::2/64 dev a0 nodad");
    IP("link set a0 up");
    route_through('a');
    default_is(TUNTAP_IPV4, "192.0.1.1", "a0", 10);
    default_is(TUNTAP_IPV6, "2001:db8:1::1", "a0", 10);
    NO_EVENT(monitor);
    tuntap_monitor_close(monitor);
}

/** A default route with several next hops is not reported. When one is left, it is. */
static void the_last_next_hop_is_the_default_route(void)
{
    the_present_default_route_is_reported_first(NULL, 0);
    IP("-6 route add default via 2001:db8:2::1 metric 5");
    default_is(TUNTAP_IPV6, "2001:db8:2::1", "b0", 5);
    IP("-6 route append default via 2001:db8:1::1 metric 5");
    default_is(TUNTAP_IPV6, "2001:db8:1::1", "a0", 10);
    IP("-6 route del default via 2001:db8:1::1 metric 5");
    LEAVES("b0", ANYWHERE6);
    default_is(TUNTAP_IPV6, "2001:db8:2::1", "b0", 5);
    IP("-6 route del default metric 5");
    default_is(TUNTAP_IPV6, "2001:db8:1::1", "a0", 10);
    NO_EVENT(monitor);
    tuntap_monitor_close(monitor);
}

/** A default route that the library adds through a device is not the system's default route. */
static void the_routes_of_a_tunnel_are_not_reported(tuntap *dev)
{
    the_present_default_route_is_reported_first(NULL, 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    OK(tuntap_del_default_route(dev, 0, &err));
    NO_EVENT(monitor);
    /* A default route through the device in the main table is. */
    IP("route add default dev t0 metric 1");
    default_is(TUNTAP_IPV4, "", "t0", 1);
    OK(tuntap_down(dev, &err));
    NEXT_OF(monitor, DOWN, "t0");
    int defaults = 0;
    while (tuntap_monitor_next(monitor, &event, sizeof event, 0, NULL) == 0) {
        if (event.kind == TUNTAP_EVENT_ADDR_REMOVED)
            continue;
        CHECK(event.kind == TUNTAP_EVENT_DEFAULT_ROUTE && strcmp(event.name, "a0") == 0 && event.metric == 10);
        defaults++;
    }
    CHECK(defaults == 1);
    tuntap_monitor_close(monitor);
}

/** The first one, as a change or in the current state. */
static void the_first_of_equal_ipv4_routes_is_the_default_route(void)
{
    IP("route add default dev b0 metric 5");
    default_is(TUNTAP_IPV4, "", "b0", 5);
    IP("route append default dev a0 metric 5");
    LEAVES("b0", ANYWHERE);
    NO_EVENT(monitor);
    IP("route prepend default dev a0 metric 5 mtu 1400");
    LEAVES("a0", ANYWHERE);
    default_is(TUNTAP_IPV4, "", "a0", 5);
    CHECK(event.route_mtu == 1400);
    IP("route del default dev a0 metric 5 mtu 1400");
    LEAVES("b0", ANYWHERE);
    default_is(TUNTAP_IPV4, "", "b0", 5);
    NO_EVENT(monitor);
    tuntap_monitor_close(monitor);

    OK(tuntap_monitor_open(NULL, TUNTAP_MONITOR_DEFAULT_ROUTE, &monitor, &err));
    while (take(monitor) != TUNTAP_EVENT_COMPLETE)
        CHECK(event.family != TUNTAP_IPV4 || event.kind != TUNTAP_EVENT_DEFAULT_ROUTE || strcmp(event.name, "b0") == 0);
    IP("route del default dev b0 metric 5");
    default_is(TUNTAP_IPV4, "", "a0", 5);
    IP("route del default dev a0 metric 5");
    default_is(TUNTAP_IPV4, "192.0.1.1", "a0", 10);
    NO_EVENT(monitor);
}

/** The one with the highest router preference, and otherwise the first one. */
static void the_preferred_of_equal_ipv6_routes_is_the_default_route(void)
{
    IP("-6 route add default dev b0 metric 5 pref low");
    default_is(TUNTAP_IPV6, "", "b0", 5);
    IP("-6 route append default dev a0 metric 5 pref low");
    LEAVES("b0", ANYWHERE6);
    NO_EVENT(monitor);
    IP("-6 route append default dev lo metric 5");
    default_is(TUNTAP_IPV6, "", "lo", 5);
    IP("-6 route append default via 2001:db8:1::1 metric 5 pref high");
    LEAVES("a0", ANYWHERE6);
    default_is(TUNTAP_IPV6, "2001:db8:1::1", "a0", 5);
    IP("-6 route del default dev lo metric 5");
    NO_EVENT(monitor);
    IP("-6 route del default via 2001:db8:1::1 metric 5");
    LEAVES("b0", ANYWHERE6);
    default_is(TUNTAP_IPV6, "", "b0", 5);
    IP("-6 route del default dev b0 metric 5");
    default_is(TUNTAP_IPV6, "", "a0", 5);
    IP("-6 route del default dev a0 metric 5");
    default_is(TUNTAP_IPV6, "2001:db8:1::1", "a0", 10);
    NO_EVENT(monitor);
}

/** Not even with the lowest metric. */
static void a_route_for_some_packets_is_not_the_default_route(void)
{
    IP("route add default tos 0x10 dev b0 metric 1");
    LEAVES("a0", ANYWHERE);
    NO_EVENT(monitor);
    IP("route del default tos 0x10 metric 1");
    if (strcmp(output_of("ip -6 route add default from 2001:db8:2::/64 dev b0 metric 1 2>&1"), "") != 0)
        return; /* The kernel has no routes from a source network. */
    LEAVES("a0", ANYWHERE6);
    NO_EVENT(monitor);
    IP("-6 route del default from 2001:db8:2::/64 dev b0 metric 1");
}

static void a_family_whose_packets_are_discarded_has_no_default_route(void)
{
    static const char *const types[] = {"blackhole", "unreachable", "prohibit", "throw"};
    for (size_t i = 0; i < 4; i++) {
        IP("route add %s default metric 4000", types[i]);
        IP("route add %s default metric 5 tos 0x10", types[i]);
        NO_EVENT(monitor);
        IP("route add %s default metric 5", types[i]);
        IP("-6 route add %s default metric 5", types[i]);
        LEAVES_NOT("a0", ANYWHERE);
        LEAVES_NOT("a0", ANYWHERE6);
        default_is_gone(TUNTAP_IPV4);
        default_is_gone(TUNTAP_IPV6);
        IP("route del %s default metric 5", types[i]);
        default_is(TUNTAP_IPV4, "192.0.1.1", "a0", 10);
        IP("-6 route del %s default metric 5", types[i]);
        default_is(TUNTAP_IPV6, "2001:db8:1::1", "a0", 10);
        IP("route del %s default metric 5 tos 0x10", types[i]);
        IP("route del %s default metric 4000", types[i]);
        NO_EVENT(monitor);
    }
    IP("route replace blackhole default metric 10");
    default_is_gone(TUNTAP_IPV4);
    IP("route append default via 192.0.2.1 metric 10");
    LEAVES_NOT("b0", ANYWHERE);
    NO_EVENT(monitor);
    IP("route del default via 192.0.2.1 metric 10");
    route_through('a');
    default_is(TUNTAP_IPV4, "192.0.1.1", "a0", 10);
    NO_EVENT(monitor);
}

/** The gateway of an uplink is a router for so many seconds. The kernel computes the checksum. */
static void advertise(char uplink, uint8_t preference, uint16_t seconds)
{
    struct nd_router_advert advert = {.nd_ra_type = ND_ROUTER_ADVERT, .nd_ra_router_lifetime = htons(seconds)};
    struct sockaddr_in6 all = {.sin6_family = AF_INET6, .sin6_addr = {{{0xff, 2, [15] = 1}}}};
    char name[] = {uplink, '1', 0};
    int hops = 255, sock = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
    CHECK(sock >= 0 && setsockopt(sock, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops) == 0);
    advert.nd_ra_curhoplimit = 64;
    advert.nd_ra_flags_reserved = (uint8_t)(preference << 3);
    all.sin6_scope_id = if_nametoindex(name);
    CHECK(sendto(sock, &advert, sizeof advert, 0, (struct sockaddr *)&all, sizeof all) == sizeof advert);
    close(sock);
}

/** The kernel announces the route of a router before it sets the hop limit of the route, and does not announce that. */
static void routers_are_default_routes(int gateways)
{
    enum { HIGH = 1, LOW = 3 };
    IP("-6 route del default metric 10");
    IP("-6 route del default metric 20");
    default_is(TUNTAP_IPV6, "2001:db8:2::1", "b0", 20);
    default_is_gone(TUNTAP_IPV6);
    INSIDE(gateways, {
        for (const char *name = "ab"; *name; name++) {
            IP("link set %c1 addrgenmode none", *name);
            IP("address flush dev %c1 scope link", *name);
            IP("address add fe80::%c/64 dev %c1 nodad", *name, *name);
        }
        advertise('a', LOW, 1800);
    });
    default_is(TUNTAP_IPV6, "fe80::a", "a0", 1024);
    INSIDE(gateways, advertise('a', LOW, 0));
    default_is_gone(TUNTAP_IPV6);
    INSIDE(gateways, advertise('a', LOW, 1800));
    default_is(TUNTAP_IPV6, "fe80::a", "a0", 1024);
    INSIDE(gateways, advertise('b', HIGH, 1800));
    default_is(TUNTAP_IPV6, "fe80::b", "b0", 1024);
    LEAVES("b0", ANYWHERE6);
    INSIDE(gateways, advertise('b', HIGH, 0));
    default_is(TUNTAP_IPV6, "fe80::a", "a0", 1024);
    LEAVES("a0", ANYWHERE6);
    INSIDE(gateways, advertise('a', LOW, 0));
    default_is_gone(TUNTAP_IPV6);
    route_through('a');
    default_is(TUNTAP_IPV6, "2001:db8:1::1", "a0", 10);
    route_through('b');
    NO_EVENT(monitor);
}

static void it_is_the_default_route_that_the_kernel_uses(int gateways)
{
    the_present_default_route_is_reported_first(NULL, 0);
    the_first_of_equal_ipv4_routes_is_the_default_route();
    the_preferred_of_equal_ipv6_routes_is_the_default_route();
    a_route_for_some_packets_is_not_the_default_route();
    a_family_whose_packets_are_discarded_has_no_default_route();
    routers_are_default_routes(gateways);
    tuntap_monitor_close(monitor);
}

/** When the kernel's queue overflows, the current default route is reported again. */
static void the_default_route_is_reported_again_after_an_overrun(void)
{
    the_present_default_route_is_reported_first(NULL, 0);
    CHECK(system("for i in $(seq 1 6000); do echo link set b0 mtu $((1300 + i % 2)); done | ip -batch -") == 0);
    IP("route replace default via 192.0.1.99 metric 10");
    while (take(monitor) != TUNTAP_EVENT_OVERRUN)
        ;
    int reported = 0;
    while (take(monitor) != TUNTAP_EVENT_COMPLETE)
        reported += event.kind == TUNTAP_EVENT_DEFAULT_ROUTE && event.family == TUNTAP_IPV4 &&
                strcmp(event.gateway, "192.0.1.99") == 0;
    CHECK(reported == 1);
    route_through('a');
    tuntap_monitor_close(monitor);
}

int main(void)
{
    begin();
    int gateways = make_uplinks();
    tuntap *dev = open_tunnel("t0", 0);
    changes_are_reported(NULL, 0);
    changes_are_reported(dev, 0);
    changes_are_reported(dev, TUNTAP_MONITOR_ROUTES);
    it_is_the_default_route_that_the_kernel_uses(gateways);
    the_last_next_hop_is_the_default_route();
    the_default_route_is_reported_again_after_an_overrun();
    the_routes_of_a_tunnel_are_not_reported(dev);
    FAILS(tuntap_monitor_open(NULL, 4, &monitor, &err), EINVAL, TUNTAP_REASON_FLAGS);
    tuntap_close(dev);
    close(gateways);
    return 0;
}
