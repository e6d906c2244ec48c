/* SPDX-License-Identifier: MIT
 *
 * What tuntap_list_addrs and tuntap_list_routes report can be added again. ip(8) configures the device with all its
 * options, and at the end shows the same as before. */
#include "test.h"

#include <linux/rtnetlink.h>

enum { ROOM = 32 };

static tuntap *dev;

/** All addresses and routes as ip(8) shows them, with lifetimes rounded to 100 seconds, because they decrease. */
static const char *shown(void)
{
    return output_of("(ip -j -d -p address show t0; ip -j -d -p -4 route show dev t0 table all;"
                     " ip -j -d -p -6 route show dev t0 table all)"
                     " | sed -E 's/(life_time\": [0-9]+)[0-9]{2},/\\1,/; s/(life_time\": [0-9]+)[0-9]{2}$/\\1/; /expires/d'");
}

/** Compares line by line, to report only the line that differs. */
static void is_unchanged_since(const char *before)
{
    const char *after = shown();
    for (int line = 1; *before || *after; line++) {
        size_t one = strcspn(before, "\n"), other = strcspn(after, "\n");
        if (one != other || strncmp(before, after, one) != 0) {
            fprintf(stderr, "line %d: %.300s\n", line, before);
            char shown_now[301];
            snprintf(shown_now, sizeof shown_now, "%s", after);
            fail(__FILE__, __LINE__, "is not what it was", shown_now);
        }
        before += one + (before[one] != 0);
        after += other + (after[other] != 0);
    }
}

static void add_addresses(int is_tap)
{
    IP("address add 10.8.0.1/24 dev t0 label t0:one metric 77");
    IP("address add 10.8.0.2/24 dev t0 valid_lft 5050 preferred_lft 4050");
    IP("address add 10.8.6.1/24 dev t0 scope link noprefixroute");
    IP("address add 10.8.0.3/24 dev t0 brd 10.8.0.250");
    IP("address add 10.8.4.1/24 dev t0 brd +");
    IP("address add 10.8.1.1 peer 10.8.1.2/32 dev t0 scope site");
    IP("address add 10.8.1.1 peer 10.8.7.2/24 dev t0");
    IP("address add 127.0.0.9/32 dev t0 scope global");
    IP("address add 10.8.5.1/24 dev t0 preferred_lft 0");
    IP("address add fd00::1/64 dev t0 nodad metric 78");
    IP("address add fd00::2 peer fd00::3/128 dev t0 nodad");
    IP("address add fd00::4/64 dev t0 nodad noprefixroute valid_lft 5050 preferred_lft 0");
    IP("address add fd00::5/64 dev t0 nodad valid_lft 5050 preferred_lft 4050");
    IP("address add fe80::1/64 dev t0 nodad");
    if (is_tap)
        IP("address add fd00::6/128 dev t0");
}

static void add_routes(void)
{
    IP("route add 10.9.0.0/16 dev t0 metric 7 table 100000 proto boot mtu 1300");
    IP("route add 10.10.0.0/16 via 10.8.0.9 dev t0 src 10.8.0.2");
    IP("route add 10.11.0.0/16 via 192.0.2.9 dev t0 onlink");
    IP("route add 10.12.0.0/16 dev t0 scope site proto 200");
    IP("route add default via 10.8.0.9 dev t0 metric 9");
    IP("route add multicast 239.0.0.0/8 dev t0");
    IP("route add local 10.13.0.0/16 dev t0 table 100");
    IP("route add broadcast 10.14.255.255 dev t0 table 100");
    IP("route add 10.15.0.0/16 via inet6 fe80::9 dev t0");
    IP("-6 route add fd09::/48 dev t0 metric 7 table 100 mtu 1300 proto boot");
    IP("-6 route add fd0a::/48 via fd00::9 dev t0 src fd00::1");
    IP("-6 route add fd0b::/48 via fe80::9 dev t0 onlink");
    IP("-6 route add default dev t0 metric 9");
    IP("-6 route add anycast fd0c::/64 dev t0 table 100");
}

/** The route to the network of an IPv6 address expires with the address. A tuntap_route cannot express that. */
static int is_temporary(const tuntap_route *route)
{
    if (!(route->flags & TUNTAP_ROUTE_PARTIAL))
        return 0;
    CHECK(strcmp(route->destination, "fd00::/64") == 0 && route->protocol == RTPROT_KERNEL);
    return 1;
}

static void everything_that_is_listed_can_be_added_again(int is_tap)
{
    static tuntap_addr addrs[ROOM];
    static tuntap_route through[ROOM];
    OK(tuntap_open("t0", is_tap ? TUNTAP_TAP : TUNTAP_TUN, &dev, &err));
    IP("link set t0 addrgenmode none");
    IP("link set t0 up");
    add_addresses(is_tap);
    wait_for_local("fd00::5 ");
    add_routes();
    usleep(2500000); /* Duplicate address detection on a TAP ends within this time. */
    char *before = strdup(shown());
    ssize_t addresses = tuntap_list_addrs(dev, addrs, ROOM, sizeof *addrs, &err);
    ssize_t count = tuntap_list_routes(dev, through, ROOM, sizeof *through, &err);
    CHECK(addresses == 14 + is_tap);
    CHECK(count > 14 && count < ROOM);

    /* The routes first, because IPv6 changes routes when their source address is removed. */
    for (ssize_t i = 0; i < count; i++)
        OK(tuntap_del_route(dev, &through[i], sizeof through[i], &err));
    for (ssize_t i = 0; i < addresses; i++)
        OK(tuntap_del_addr(dev, &addrs[i], sizeof addrs[i], &err));
    CHECK(tuntap_list_addrs(dev, NULL, 0, sizeof *addrs, &err) == 0);
    CHECK(tuntap_list_routes(dev, NULL, 0, sizeof *through, &err) == 0);

    /* The kernel lists the newest IPv6 address of a scope first. */
    for (ssize_t i = 0; i < addresses; i++)
        if (addrs[i].family == TUNTAP_IPV4)
            OK(tuntap_add_addr(dev, &addrs[i], sizeof addrs[i], 0, &err));
    for (ssize_t i = addresses - 1; i >= 0; i--)
        if (addrs[i].family == TUNTAP_IPV6)
            OK(tuntap_add_addr(dev, &addrs[i], sizeof addrs[i], 0, &err));
    wait_for_local("fd00::5 ");
    /* Routes without a gateway first: the other routes need them. */
    for (int by_gateway = 0; by_gateway < 2; by_gateway++)
        for (ssize_t i = 0; i < count; i++)
            if ((through[i].gateway[0] != 0) == by_gateway && !is_temporary(&through[i]))
                OK(tuntap_add_route(dev, &through[i], sizeof through[i], 0, &err));
    if (is_tap)
        usleep(2500000);
    is_unchanged_since(before);

    /* An entry that exists can be added again, unless it expires. */
    for (ssize_t i = 0; i < addresses; i++)
        if (addrs[i].valid == 0)
            OK(tuntap_add_addr(dev, &addrs[i], sizeof addrs[i], 0, &err));
        else
            FAILS(tuntap_add_addr(dev, &addrs[i], sizeof addrs[i], 0, &err), EEXIST, TUNTAP_REASON_BUSY);
    for (ssize_t i = 0; i < count; i++)
        if (!is_temporary(&through[i]))
            OK(tuntap_add_route(dev, &through[i], sizeof through[i], 0, &err));
    is_unchanged_since(before);
    free(before);
    tuntap_close(dev);
}

/** A route that tuntap_route cannot fully express is listed as partial. It can be deleted, but not added. */
static void a_partial_route_is_not_added(void)
{
    tuntap_route route;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link set t0 addrgenmode none");
    IP("link set t0 up");
    IP("-6 route add fd09::/48 dev t0 expires 1000");
    CHECK(tuntap_list_routes(dev, &route, 1, sizeof route, &err) == 1);
    CHECK(route.flags == TUNTAP_ROUTE_PARTIAL && strcmp(route.destination, "fd09::/48") == 0);
    FAILS(tuntap_add_route(dev, &route, sizeof route, 0, &err), EINVAL, TUNTAP_REASON_FLAGS);
    MESSAGE_HAS("TUNTAP_ROUTE_PARTIAL");
    OK(tuntap_del_route(dev, &route, sizeof route, &err));
    IP_HAS_NOT("fd09::/48", "-6 route show dev t0");
    FAILS(tuntap_del_route(dev, &route, sizeof route, &err), ENOENT, TUNTAP_REASON_UNSET);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    everything_that_is_listed_can_be_added_again(0);
    everything_that_is_listed_can_be_added_again(1);
    a_partial_route_is_not_added();
    return 0;
}
