// SPDX-License-Identifier: MIT
// A monitor of all devices and a monitor of one device report what ip(8) changes.
#include <poll.h>

#include "test.hpp"

using namespace test;
using libtuntap::event_kind;

static libtuntap::event change;

/** The next event of a monitor is of this kind. */
static bool is_next(libtuntap::monitor &monitor, event_kind kind)
{
    change = {};
    if (!monitor.next(change, 20000ms).ok())
        return false;
    if (event_kind{change.kind} != kind)
        std::fprintf(stderr, "not %s, but %s\n", to_string(kind), to_string(event_kind{change.kind}));
    return event_kind{change.kind} == kind;
}

static bool is_readable(int fd)
{
    pollfd wanted{fd, POLLIN, 0};
    return poll(&wanted, 1, 20000) == 1;
}

int main()
{
    ipv4_only();
    tuntap_error err{};
    libtuntap::monitor all;
    CHECK(is_next(all, event_kind::complete));
    IS_ERROR(all.next(change, 0ms, &err), err, ETIMEDOUT, reason::timeout);
    libtuntap::device dev("t0", open_flags::tun);
    libtuntap::monitor one(dev, libtuntap::monitor_flags::routes);
    CHECK(is_next(one, event_kind::device) && std::string(change.name) == "t0" && change.index == dev.get_index());
    CHECK(is_next(one, event_kind::complete));
    CHECK(is_readable(all.get_fd()) && is_next(all, event_kind::device));

    ip("address add 10.8.0.1/24 dev t0");
    CHECK(is_next(one, event_kind::addr_added) && std::string(change.addr) == "10.8.0.1/24");
    CHECK(is_next(all, event_kind::addr_added));
    ip("link set t0 mtu 1400");
    CHECK(is_next(one, event_kind::mtu) && change.mtu == 1400 && is_next(all, event_kind::mtu));
    ip("link set t0 up");
    CHECK(is_next(one, event_kind::up) && is_next(all, event_kind::up));
    CHECK(is_next(one, event_kind::route_added) && std::string(change.destination) == "10.8.0.0/24");
    ip("route add 10.9.0.0/16 dev t0");
    CHECK(is_next(one, event_kind::route_added) && std::string(change.destination) == "10.9.0.0/16");
    ip("route delete 10.9.0.0/16 dev t0");
    CHECK(is_next(one, event_kind::route_removed));

    libtuntap::monitor uplink(dev, libtuntap::monitor_flags::default_route);
    CHECK(is_next(uplink, event_kind::device) && is_next(uplink, event_kind::addr_added));
    CHECK(is_next(uplink, event_kind::complete));
    ip("link add up0 type veth peer name far0");
    ip("link set up0 up");
    ip("address add 192.0.2.2/24 dev up0");
    ip("route add default via 192.0.2.1 dev up0");
    CHECK(is_next(uplink, event_kind::default_route) && std::string(change.name) == "up0");
    CHECK(std::string(change.destination) == "0.0.0.0/0" && std::string(change.gateway) == "192.0.2.1");
    ip("link delete up0");
    CHECK(is_next(uplink, event_kind::default_route) && !*change.destination);
    CHECK(libtuntap::family{change.family} == libtuntap::family::ipv4);
    CHECK(to_string(event_kind::addr_added) == std::string("address added"));

    dev.close();
    libtuntap::result<> taken;
    while ((taken = one.next(change)).ok() && event_kind{change.kind} != event_kind::removed)
        continue;
    CHECK(taken.ok());
    IS_ERROR(one.next(change, libtuntap::no_limit, &err), err, ENODEV, reason::removed);
    all.shutdown();
    IS_ERROR(all.next(change, libtuntap::no_limit, &err), err, ECANCELED, reason::shutdown);
    all.close();
    CHECK(!all);
    THROWS(libtuntap::monitor(dev), EINVAL, reason::argument);
}
