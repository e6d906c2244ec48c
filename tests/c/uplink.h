/* SPDX-License-Identifier: MIT
 *
 * A host with two uplinks, a0 and b0. Their gateways are in another network namespace, together with a server that both
 * reach: 203.0.113.1 and 2001:db8:5::1. The default routes lead through a0 while it is up, otherwise through b0. */
#ifndef UPLINK_H
#define UPLINK_H

#include "netns.h"

#include <signal.h>

#define SERVER "203.0.113.1"
#define SERVER6 "2001:db8:5::1"
/** An Internet address: only a default route leads there. */
#define ANYWHERE "198.18.0.1"
#define ANYWHERE6 "2001:db8:9::1"

/** Sets the default routes through an uplink, after it went up. */
UNUSED static void route_through(char uplink)
{
    int net = uplink == 'a' ? 1 : 2, metric = uplink == 'a' ? 10 : 20;
    IP("route replace default via 192.0.%d.1 metric %d", net, metric);
    IP("-6 route replace default via 2001:db8:%d::1 metric %d", net, metric);
}

UNUSED static void make_uplink(char uplink)
{
    int net = uplink == 'a' ? 1 : 2;
    IP("link add %c0 type veth peer name %c1", uplink, uplink);
    IP("address add 192.0.%d.2/24 dev %c0", net, uplink);
    IP("address add 2001:db8:%d::2/64 dev %c0 nodad", net, uplink);
    IP("link set %c0 up", uplink);
}

/** The other end of an uplink, in this namespace. */
UNUSED static void make_gateway(char uplink)
{
    int net = uplink == 'a' ? 1 : 2;
    IP("address add 192.0.%d.1/24 dev %c1", net, uplink);
    IP("address add 2001:db8:%d::1/64 dev %c1 nodad", net, uplink);
    IP("link set %c1 up", uplink);
}

/** Makes the uplinks. Returns a descriptor of the gateways' network namespace. */
UNUSED static int make_uplinks(void)
{
    int home = own_netns();
    CHECK(unshare(CLONE_NEWNET) == 0);
    int gateways = own_netns();
    CHECK(setns(home, CLONE_NEWNET) == 0);
    close(home);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), gateways);
    IP("link set lo up");
    for (const char *uplink = "ab"; *uplink; uplink++) {
        make_uplink(*uplink);
        IP("link set %c1 netns %s", *uplink, path);
        INSIDE(gateways, make_gateway(*uplink));
        route_through(*uplink);
    }
    INSIDE(gateways, {
        IP("link set lo up");
        IP("address add " SERVER "/32 dev lo");
        IP("address add " SERVER6 "/128 dev lo nodad");
    });
    return gateways;
}

/** Packets to this address, with these words of `ip route get`, leave through this interface. */
#define LEAVES(interface, ...) LEAVES_IT(1, interface, __VA_ARGS__)
#define LEAVES_NOT(interface, ...) LEAVES_IT(0, interface, __VA_ARGS__)
#define LEAVES_IT(wanted, interface, ...) IP_SAYS(wanted, "\"dev\":\"" interface "\"", "route get " __VA_ARGS__)

/** All rules and routes of both families except link-local routes, which the kernel adds at any time. */
UNUSED static const char *all_rules(void)
{
    return output_of("(ip rule; ip -6 rule; ip route show table all; ip -6 route show table all) | grep -v -e fe80 -e ff00");
}

/** Whether a rule or a route that the library added exists. */
UNUSED static int has_traces(void)
{
    return strstr(all_rules(), " 200000000") || strstr(all_rules(), "3000");
}

/** A TUN with addresses of both families that is up. */
UNUSED static tuntap *open_tunnel(const char *name, uint64_t flags)
{
    tuntap *dev;
    char local[64];
    OK(tuntap_open(name, TUNTAP_TUN | flags, &dev, &err));
    IP("address replace 10.8.0.2/24 dev %s", name);
    IP("address replace fd00::2/64 dev %s nodad", name);
    IP("link set %s up", name);
    snprintf(local, sizeof local, "fd00::2 dev %s ", name);
    wait_for_local(local);
    return dev;
}

/** Runs the action in a child process, which then kills itself. */
UNUSED static void be_killed_after(void (*action)(void))
{
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        action();
        raise(SIGKILL);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

#endif
