/* SPDX-License-Identifier: MIT */
#include "test.h"

enum { MOST = 32 };

static tuntap_route routes[MOST];

static const tuntap_route *find(ssize_t count, const char *destination, uint32_t table)
{
    for (ssize_t i = 0; i < count; i++)
        if (strcmp(routes[i].destination, destination) == 0 && routes[i].table == table)
            return &routes[i];
    fail(__FILE__, __LINE__, "not listed", destination);
    return NULL;
}

static void routes_are_those_of_the_kernel(uint64_t kind)
{
    tuntap *dev, *other;
    OK(tuntap_open("t0", kind, &dev, &err));
    OK(tuntap_open("t1", kind, &other, &err));
    CHECK(tuntap_list_routes(dev, routes, MOST, sizeof *routes, &err) == 0);
    IP("link set t0 addrgenmode none");
    IP("link set t0 up");
    IP("link set t1 up");
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add fd00::1/64 dev t0 nodad");
    IP("route add 192.0.2.0/24 dev t1");
    IP("route add 10.9.0.0/16 dev t0 metric 7 table 100000");
    IP("route add default via 10.8.0.2 dev t0");
    IP("route add fd01::1 dev t0");
    IP("-6 route add default via fd00::2 dev t0 metric 9 table 100");
    ssize_t count = tuntap_list_routes(dev, routes, MOST, sizeof *routes, &err);
    CHECK(count == 6);
    const tuntap_route *route = find(count, "10.8.0.0/24", 254);
    CHECK(route->family == TUNTAP_IPV4 && route->prefix == 24 && route->metric == 0);
    CHECK(route->gateway[0] == 0);
    route = find(count, "10.9.0.0/16", 100000);
    CHECK(route->metric == 7 && route->prefix == 16);
    route = find(count, "0.0.0.0/0", 254);
    CHECK(strcmp(route->gateway, "10.8.0.2") == 0 && route->prefix == 0);
    route = find(count, "fd00::/64", 254);
    CHECK(route->family == TUNTAP_IPV6 && route->metric == 256);
    route = find(count, "fd01::1/128", 254);
    CHECK(route->prefix == 128 && route->metric == 1024);
    route = find(count, "::/0", 100);
    CHECK(strcmp(route->gateway, "fd00::2") == 0 && route->metric == 9);
    for (ssize_t i = 0; i < count; i++)
        CHECK((routes[i].family == TUNTAP_IPV4) == (i < 3));
    tuntap_close(other);
    tuntap_close(dev);
}

/** A caller may have room for fewer entries, or know more members than this library. */
static void only_as_many_as_fit_are_written(void)
{
    struct {
        tuntap_route known;
        uint64_t later[3];
    } longer[3];
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link set t0 addrgenmode none");
    IP("link set t0 up");
    for (int i = 1; i <= 3; i++)
        IP("route add 10.%d.0.0/16 dev t0", i);
    CHECK(tuntap_list_routes(dev, NULL, 0, sizeof *routes, &err) == 3);
    memset(routes, 0x55, sizeof routes);
    CHECK(tuntap_list_routes(dev, routes, 2, sizeof *routes, &err) == 3);
    CHECK(strcmp(routes[1].destination, "10.2.0.0/16") == 0 && routes[2].gateway[0] == 0x55);
    memset(longer, 0x55, sizeof longer);
    CHECK(tuntap_list_routes(dev, &longer[0].known, 2, sizeof *longer, &err) == 3);
    CHECK(strcmp(longer[1].known.destination, "10.2.0.0/16") == 0);
    CHECK(longer[0].later[0] == 0 && longer[1].later[2] == 0 && longer[2].known.gateway[0] == 0x55);
    memset(routes, 0x55, sizeof routes);
    FAILS(tuntap_list_routes(dev, routes, 3, sizeof *routes - 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list_routes(dev, routes, 3, 4097, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("sizeof(tuntap_route)");
    FAILS(tuntap_list_routes(dev, NULL, 3, sizeof *routes, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list_routes(dev, routes, (size_t)-11, sizeof *routes, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list_routes(dev, routes, 3, (size_t)-11, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list_routes(NULL, routes, 3, sizeof *routes, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_list_routes(dev, routes, 3, sizeof *routes, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(routes[0].gateway[0] == 0x55);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    routes_are_those_of_the_kernel(TUNTAP_TUN);
    routes_are_those_of_the_kernel(TUNTAP_TAP);
    only_as_many_as_fit_are_written();
    return 0;
}
