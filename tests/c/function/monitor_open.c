/* SPDX-License-Identifier: MIT */
#include "event.h"

#include <linux/rtnetlink.h>

#include <sys/resource.h>

static tuntap_monitor *monitor;

static void an_empty_namespace_is_complete_at_once(void)
{
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    NEXT(monitor, COMPLETE);
    CHECK(only_the_kind_is_set());
    NO_EVENT(monitor);
    tuntap_monitor_close(monitor);
}

static void prepare(tuntap **tun, tuntap **tap)
{
    OK(tuntap_open("t0", TUNTAP_TUN, tun, &err));
    OK(tuntap_open("t1", TUNTAP_TAP, tap, &err));
    IP("link add v0 type veth peer name v1");
    IP("address add 10.7.0.1/24 dev v0");
    IP("link set t1 address 02:00:00:00:00:01 mtu 1400");
    IP("address add 10.8.0.1 peer 10.8.0.2/32 dev t0");
    IP("address add 10.8.1.1/24 dev t1");
    IP("address add fd00::1/64 dev t1 nodad");
    IP("link set lo up");
    IP("link set t0 up");
}

static void is_tap_with_its_addresses(uint32_t index)
{
    CHECK(event.index == index && event.mtu == 1400 && !event.up && event.carrier);
    CHECK(memcmp(event.mac, "\2\0\0\0\0\1", 6) == 0 && event.addr[0] == 0 && event.peer[0] == 0);
    CHECK(event.scope == 0 && event.addr_flags == 0);
    NEXT_ADDR(monitor, ADDR_ADDED, "10.8.1.1/24");
    CHECK(strcmp(event.name, "t1") == 0 && event.index == index && event.scope == TUNTAP_SCOPE_GLOBAL);
    NEXT_ADDR(monitor, ADDR_ADDED, "fd00::1/64");
    CHECK(strcmp(event.name, "t1") == 0 && event.index == index && event.scope == TUNTAP_SCOPE_GLOBAL);
}

/** Each device comes before its addresses. Other interfaces are not reported. */
static void all_devices_are_reported_and_nothing_else(void)
{
    tuntap *tun, *tap;
    prepare(&tun, &tap);
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    NEXT_OF(monitor, DEVICE, "t0");
    CHECK(event.index == if_nametoindex("t0") && event.mtu == 1500 && event.up && event.carrier);
    CHECK(memcmp(event.mac, "\0\0\0\0\0\0", 6) == 0 && event.addr[0] == 0);
    NEXT_OF(monitor, DEVICE, "t1");
    uint32_t index = if_nametoindex("t1");
    CHECK(event.index == index && event.mtu == 1400 && !event.up && event.addr[0] == 0);
    int addresses = 0, seen = 0;
    for (; take(monitor) != TUNTAP_EVENT_COMPLETE; addresses += strncmp(event.addr, "fe80", 4) != 0) {
        CHECK(event.kind == TUNTAP_EVENT_ADDR_ADDED);
        if (strcmp(event.addr, "10.8.0.1/32") == 0 && strcmp(event.peer, "10.8.0.2") == 0 && event.index != index)
            seen |= 1;
        if (strcmp(event.addr, "10.8.1.1/24") == 0 && strcmp(event.name, "t1") == 0 && event.index == index)
            seen |= 2;
        if (strcmp(event.addr, "fd00::1/64") == 0 && strcmp(event.name, "t1") == 0 && event.index == index)
            seen |= 4;
    }
    CHECK(addresses == 3 && seen == 7 && only_the_kind_is_set());
    NO_EVENT(monitor);
    IP("link set v0 up mtu 1300");
    IP("link delete v0");
    NO_EVENT(monitor);
    tuntap_monitor_close(monitor);

    OK(tuntap_monitor_open(tap, 0, &monitor, &err));
    NEXT_OF(monitor, DEVICE, "t1");
    is_tap_with_its_addresses(index);
    NEXT(monitor, COMPLETE);
    IP("link set t0 mtu 1300");
    NO_EVENT(monitor);
    tuntap_monitor_close(monitor);
    tuntap_close(tun);
    tuntap_close(tap);
}

/** A monitor continues to watch a persistent device after its last handle was closed. */
static void a_monitor_outlives_the_handle(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_PERSIST, &dev, &err));
    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    tuntap_close(dev);
    NEXT(monitor, DEVICE);
    take_present_state(monitor);
    IP("link set t0 mtu 1300"); /* First comes the event that the carrier was lost with the handle. */
    while (take(monitor) == TUNTAP_EVENT_CARRIER_OFF)
        continue;
    CHECK(event.kind == TUNTAP_EVENT_MTU && event.mtu == 1300 && !event.carrier);
    IP("link delete t0");
    NEXT_OF(monitor, REMOVED, "t0");
    tuntap_monitor_close(monitor);
}

static void a_device_removed_with_its_handle_is_reported(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    take_present_state(monitor);
    tuntap_close(dev);
    while (take(monitor) == TUNTAP_EVENT_CARRIER_OFF)
        continue;
    CHECK(event.kind == TUNTAP_EVENT_REMOVED && strcmp(event.name, "t0") == 0);
    FAILS(tuntap_monitor_next(monitor, &event, sizeof event, -1, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_monitor_close(monitor);
}

/** The monitor of a device watches the device's network namespace. The monitor of all watches that of its opener. */
static void the_monitor_watches_the_namespace_of_the_device(void)
{
    tuntap *dev, *other;
    tuntap_monitor *here;
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    CHECK(unshare(CLONE_NEWNET) == 0);
    OK(tuntap_open("other", TUNTAP_TUN, &other, &err));
    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    OK(tuntap_monitor_open(NULL, 0, &here, &err));
    NEXT_OF(monitor, DEVICE, "t0");
    NEXT(monitor, COMPLETE);
    NEXT_OF(here, DEVICE, "other");
    NEXT(here, COMPLETE);
    IP("link set other mtu 1300");
    NO_EVENT(monitor);
    NEXT(here, MTU);
    tuntap_close(other);
    tuntap_monitor_close(here);

    CHECK(setns(home, CLONE_NEWNET) == 0);
    IP("link set t0 mtu 1200");
    NEXT(monitor, MTU);
    CHECK(event.mtu == 1200);
    tuntap_monitor_close(monitor);
    tuntap_close(dev);
    close(home);
}

static void is_route(const char *gateway, uint32_t metric, uint32_t table)
{
    CHECK(strcmp(event.gateway, gateway) == 0 && event.metric == metric && event.table == table);
    CHECK(event.addr[0] == 0 && event.addr_flags == 0 && event.route_type == TUNTAP_ROUTE_TYPE_UNICAST);
    CHECK(event.family == (strchr(event.destination, ':') ? TUNTAP_IPV6 : TUNTAP_IPV4));
}

/** Also for changes that the kernel does not announce. */
static void each_ipv4_route_is_an_event(void)
{
    IP("route add 10.9.0.0/16 via 10.8.0.2 dev t0 metric 7 table 100");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "10.9.0.0/16");
    is_route("10.8.0.2", 7, 100);
    CHECK(event.scope == TUNTAP_SCOPE_GLOBAL && event.protocol == RTPROT_BOOT && event.route_mtu == 0 && !event.source[0]);
    IP("route add 10.10.0.0/16 dev t1");
    IP("route add blackhole 10.11.0.0/16");
    NO_EVENT(monitor);
    IP("route del 10.9.0.0/16 table 100");
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "10.9.0.0/16");
    is_route("10.8.0.2", 7, 100);

    IP("route add 10.9.0.0/16 dev t0");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "10.9.0.0/16");
    IP("route replace 10.9.0.0/16 via 10.8.0.2 dev t0");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "10.9.0.0/16");
    is_route("10.8.0.2", 0, 254);
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "10.9.0.0/16");
    is_route("", 0, 254);
    IP("route replace 10.9.0.0/16 dev t1");
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "10.9.0.0/16");
    is_route("10.8.0.2", 0, 254);
    IP("route replace 10.9.0.0/16 dev t0");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "10.9.0.0/16");
    NO_EVENT(monitor);

    /* The route is removed with its source address. */
    IP("address add 10.8.7.1/32 dev t0");
    NEXT_ADDR(monitor, ADDR_ADDED, "10.8.7.1/32");
    IP("route add 10.12.0.0/16 dev t0 src 10.8.7.1 mtu 1300");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "10.12.0.0/16");
    CHECK(strcmp(event.source, "10.8.7.1") == 0 && event.route_mtu == 1300 && event.scope == TUNTAP_SCOPE_LINK);
    IP("address del 10.8.7.1/32 dev t0");
    int route = take(monitor) == TUNTAP_EVENT_ROUTE_REMOVED;
    CHECK(take(monitor) == (route ? TUNTAP_EVENT_ADDR_REMOVED : TUNTAP_EVENT_ROUTE_REMOVED));
    NO_EVENT(monitor);
}

static void routes_that_down_removes_are_events(void)
{
    int routes = 0;
    IP("link set t0 down");
    NEXT_OF(monitor, DOWN, "t0");
    for (; routes < 2; routes++) {
        NEXT(monitor, ROUTE_REMOVED);
        CHECK(strcmp(event.destination, "10.8.0.0/24") == 0 || strcmp(event.destination, "10.9.0.0/16") == 0);
    }
    NO_EVENT(monitor);
    IP_HAS_NOT("10.9.0.0", "route show dev t0");
    IP("link set t0 up");
    NEXT_OF(monitor, UP, "t0");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "10.8.0.0/24");
    NO_EVENT(monitor);
}

/** The kernel announces only that the nexthop object is removed. */
static void a_route_removed_with_its_nexthop_object_is_an_event(void)
{
    if (strcmp(output_of("ip nexthop add id 7 dev t0 2>&1"), "") != 0)
        return;
    IP("route add 10.13.0.0/16 nhid 7");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "10.13.0.0/16");
    IP("nexthop del id 7");
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "10.13.0.0/16");
    NO_EVENT(monitor);
}

/** When a multipath route loses a next hop, the kernel announces only that, or nothing if it is configured so. */
static void the_last_next_hop_of_a_route_is_an_event(void)
{
    const char *quiet = "/proc/sys/net/ipv6/route/skip_notify_on_dev_down";
    IP("-6 route add fd03::/64 via fe80::9 dev t0");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "fd03::/64");
    IP("-6 route append fd03::/64 via fe80::9 dev t1");
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "fd03::/64");
    IP("-6 route append fd03::/64 via fe80::a dev t1");
    IP("-6 route del fd03::/64 via fe80::a dev t1");
    NO_EVENT(monitor);
    IP("-6 route del fd03::/64 via fe80::9 dev t1");
    IP_HAS("fd03::/64", "-6 route show dev t0");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "fd03::/64");
    is_route("fe80::9", 1024, 254);
    /* A list of the kernel does not have a route between two next hops. */
    IP("-6 route append fd03::/64 dev t0");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "fd03::/64");
    IP("-6 route append fd03::/64 via fe80::9 dev t1");
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "fd03::/64");
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "fd03::/64");
    NO_EVENT(monitor);
    IP("-6 route del fd03::/64");
    IP_HAS("fd03::/64", "-6 route show dev t0");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "fd03::/64");
    is_route("", 1024, 254);
    IP("-6 route del fd03::/64");
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "fd03::/64");
    NO_EVENT(monitor);

    if (access(quiet, F_OK) != 0)
        return;
    IP("link add v0 type veth peer name v1");
    IP("link set v0 up");
    IP("-6 route add fd03::/64 nexthop via fe80::9 dev t0 nexthop via fe80::9 dev v0");
    NO_EVENT(monitor);
    write_file(quiet, "1");
    IP("link delete v0");
    write_file(quiet, "0");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "fd03::/64");
    IP("-6 route del fd03::/64");
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "fd03::/64");
    NO_EVENT(monitor);
}

static void each_ipv6_route_is_an_event(void)
{
    if (access("/proc/sys/net/ipv6", F_OK) != 0)
        return;
    write_file("/proc/sys/net/ipv6/conf/t0/disable_ipv6", "0");
    /* The kernel adds the link-local address a moment later. */
    int local = 0;
    while (tuntap_monitor_next(monitor, &event, sizeof event, local ? 300 : 5000, &err) == 0) {
        CHECK(event.kind == TUNTAP_EVENT_ROUTE_ADDED || event.kind == TUNTAP_EVENT_ADDR_ADDED);
        local |= event.kind == TUNTAP_EVENT_ADDR_ADDED;
    }
    IP("route add fd01::/64 dev t0");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "fd01::/64");
    is_route("", 1024, 254);
    IP("-6 route replace fd01::/64 dev t1");
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "fd01::/64");
    IP("route add fd02::/64 dev t0 metric 5");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "fd02::/64");
    is_route("", 5, 254);
    IP("route del fd02::/64 dev t0");
    NEXT_ROUTE(monitor, ROUTE_REMOVED, "fd02::/64");
    NO_EVENT(monitor);
    the_last_next_hop_of_a_route_is_an_event();
    write_file("/proc/sys/net/ipv6/conf/t0/disable_ipv6", "1");
    while (tuntap_monitor_next(monitor, &event, sizeof event, 300, &err) == 0)
        CHECK(event.kind == TUNTAP_EVENT_ROUTE_REMOVED || event.kind == TUNTAP_EVENT_ADDR_REMOVED);
}

/** Present routes are reported first. A monitor without TUNTAP_MONITOR_ROUTES reports no routes. */
static void routes_are_watched_on_request(void)
{
    tuntap *dev, *other;
    tuntap_monitor *without, *everything;
    IP("link set lo up");
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_open("t1", TUNTAP_TAP, &other, &err));
    if (access("/proc/sys/net/ipv6", F_OK) == 0) {
        write_file("/proc/sys/net/ipv6/conf/t0/disable_ipv6", "1");
        write_file("/proc/sys/net/ipv6/conf/t1/disable_ipv6", "0");
    }
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    IP("link set t1 up");
    OK(tuntap_monitor_open(dev, TUNTAP_MONITOR_ROUTES, &monitor, &err));
    OK(tuntap_monitor_open(NULL, TUNTAP_MONITOR_ROUTES, &everything, &err));
    OK(tuntap_monitor_open(dev, 0, &without, &err));
    NEXT_OF(monitor, DEVICE, "t0");
    NEXT_ADDR(monitor, ADDR_ADDED, "10.8.0.1/24");
    NEXT_ROUTE(monitor, ROUTE_ADDED, "10.8.0.0/24");
    is_route("", 0, 254);
    CHECK(strcmp(event.name, "t0") == 0 && event.flags == TUNTAP_TUN);
    NEXT(monitor, COMPLETE);
    CHECK(take_present_state(without) == 2);
    each_ipv4_route_is_an_event();
    a_route_removed_with_its_nexthop_object_is_an_event();
    routes_that_down_removes_are_events();
    each_ipv6_route_is_an_event();
    while (tuntap_monitor_next(without, &event, sizeof event, 0, &err) == 0)
        CHECK(event.kind != TUNTAP_EVENT_ROUTE_ADDED && event.kind != TUNTAP_EVENT_ROUTE_REMOVED);

    /* The monitor of all reports the routes of both devices. */
    unsigned routes_of[2] = {0, 0};
    while (tuntap_monitor_next(everything, &event, sizeof event, 0, &err) == 0)
        if (event.kind == TUNTAP_EVENT_ROUTE_ADDED)
            routes_of[strcmp(event.name, "t1") == 0]++;
    CHECK(routes_of[0] > 5 && routes_of[1] >= 2);
    tuntap_monitor_close(everything);
    tuntap_monitor_close(without);
    tuntap_monitor_close(monitor);
    tuntap_close(other);
    tuntap_close(dev);
}

/** A monitor and a handle can be closed in any order. */
static void a_monitor_and_a_handle_are_closed_in_any_order(void)
{
    for (int order = 0; order < 4; order++) {
        tuntap *dev;
        OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
        OK(tuntap_monitor_open(dev, order & 2 ? TUNTAP_MONITOR_ROUTES : 0, &monitor, &err));
        if (order & 1)
            tuntap_monitor_close(monitor);
        tuntap_close(dev);
        CHECK(!exists("t0"));
        if (order & 1)
            continue;
        while (tuntap_monitor_next(monitor, &event, sizeof event, 20000, &err) == 0)
            continue;
        CHECK(err.reason == TUNTAP_REASON_REMOVED);
        tuntap_monitor_close(monitor);
    }
}

static void invalid_requests_are_refused(void)
{
    tuntap *dev;
    struct rlimit before, few;
    tuntap_monitor *none = NULL;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    FAILS(tuntap_monitor_open(NULL, 0, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_monitor_open(dev, 0, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(tuntap_monitor_open(dev, 0, NULL, NULL) == -EINVAL);
    static const uint64_t unknown[] = {4, 7, UINT64_C(1) << 32, UINT64_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        FAILS(tuntap_monitor_open(i % 2 ? dev : NULL, unknown[i], &none, &err), EINVAL, TUNTAP_REASON_FLAGS);

    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    few = before;
    few.rlim_cur = (rlim_t)open("/dev/null", O_RDONLY | O_CLOEXEC);
    close((int)few.rlim_cur);
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    FAILS(tuntap_monitor_open(dev, 0, &none, &err), EMFILE, TUNTAP_REASON_SYSTEM);
    FAILS(tuntap_monitor_open(NULL, 0, &none, &err), EMFILE, TUNTAP_REASON_SYSTEM);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);

    IP("link delete t0");
    UNCHANGED(FAILS(tuntap_monitor_open(dev, 0, &none, &err), ENODEV, TUNTAP_REASON_REMOVED));
    CHECK(!none);
    tuntap_close(dev);
}

/** Drops privileges permanently, so this runs last. */
static void it_needs_no_privilege(void)
{
    tuntap *dev, *elsewhere;
    tuntap_monitor *none = NULL;
    OK(tuntap_open("t0", TUNTAP_TUN, &elsewhere, &err));
    CHECK(unshare(CLONE_NEWNET) == 0);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    drop_privileges();
    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    NEXT_OF(monitor, DEVICE, "t0");
    NEXT(monitor, COMPLETE);
    tuntap_monitor_close(monitor);
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    NEXT_OF(monitor, DEVICE, "t0");
    NEXT(monitor, COMPLETE);

    /* Watching a device in another network namespace needs privilege. */
    FAILS(tuntap_monitor_open(elsewhere, 0, &none, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    CHECK(!none);
    tuntap_close(elsewhere);
    tuntap_close(dev);
    tuntap_monitor_close(monitor);
}

int main(void)
{
    begin();
    an_empty_namespace_is_complete_at_once();
    all_devices_are_reported_and_nothing_else();
    a_monitor_outlives_the_handle();
    a_device_removed_with_its_handle_is_reported();
    the_monitor_watches_the_namespace_of_the_device();
    routes_are_watched_on_request();
    a_monitor_and_a_handle_are_closed_in_any_order();
    invalid_requests_are_refused();
    it_needs_no_privilege();
    return 0;
}
