/* SPDX-License-Identifier: MIT */
#include "uplink.h"

static int gateways;

static void a_bypassed_destination_uses_the_uplink(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    /* A bypass can be added before the default route or after it. */
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    OK(tuntap_add_default_route(dev, 0, NULL, TUNTAP_OVERRIDE, &err));
    OK(tuntap_add_bypass(dev, SERVER6, 0, 0, 0, &err));
    OK(tuntap_add_bypass(dev, "192.0.0.0/16", 0, 0, 0, &err));
    LEAVES("a0", SERVER);
    LEAVES("a0", SERVER6);
    LEAVES("a0", "192.0.1.77");
    LEAVES("t0", "203.0.113.2");
    LEAVES("t0", ANYWHERE);
    LEAVES("t0", "2001:db8:1::77");
    char *before = strdup(all_rules());
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    OK(tuntap_add_bypass(dev, SERVER "/32", 0, 0, 0, &err));
    CHECK(strcmp(before, all_rules()) == 0);
    free(before);
    tuntap_close(dev);
    CHECK(!has_traces());
}

/** Bypassed packets follow the uplinks without a further call, and always arrive at the server. */
static void a_bypass_follows_changes_of_the_uplinks(void)
{
    int server = -1, sock;
    INSIDE(gateways, server = udp_socket(SERVER, 7777));
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    OK(tuntap_add_bypass(dev, SERVER6, 0, 0, 0, &err));
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    CHECK((sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) >= 0);
    LEAVES("a0", SERVER);
    udp_send(sock, SERVER, 7777, "over a", 6);
    udp_receives(server, "over a", 6);
    IP("link set a0 down");
    LEAVES("b0", SERVER);
    LEAVES("b0", SERVER6);
    LEAVES("t0", ANYWHERE);
    udp_send(sock, SERVER, 7777, "over b", 6);
    udp_receives(server, "over b", 6);
    IP("address add 2001:db8:1::2/64 dev a0 nodad");
    IP("link set a0 up");
    route_through('a');
    LEAVES("a0", SERVER);
    LEAVES("a0", SERVER6);
    IP("route replace default via 192.0.1.99 metric 10");
    IP_HAS("\"gateway\":\"192.0.1.99\"", "route get " SERVER);
    route_through('a');
    IP("route add " SERVER "/32 via 192.0.2.1");
    LEAVES("b0", SERVER);
    IP("route del " SERVER "/32");
    close(sock);
    close(server);
    tuntap_close(dev);
    CHECK(!has_traces());
}

static void packets_with_a_bypassed_mark_use_the_uplink(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    OK(tuntap_add_bypass(dev, NULL, 0x77, 0, 0, &err));
    OK(tuntap_add_bypass(dev, NULL, 0x100, 0xff00, 0, &err));
    OK(tuntap_add_bypass(dev, ANYWHERE, 0x5, 0, 0, &err));
    LEAVES("a0", ANYWHERE " mark 0x77");
    LEAVES("a0", ANYWHERE6 " mark 0x77");
    LEAVES("a0", ANYWHERE " mark 0x123");
    LEAVES("t0", ANYWHERE " mark 0x223");
    LEAVES("t0", ANYWHERE " mark 0x177000");
    LEAVES("a0", ANYWHERE " mark 0x5");
    LEAVES("t0", SERVER " mark 0x5");
    LEAVES("t0", ANYWHERE);
    tuntap_close(dev);
    CHECK(!has_traces());
}

/** Rules of the host that come after the rules of the device apply to bypassed packets. */
static void later_rules_apply_to_bypassed_packets(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    IP("rule add priority 32000 to " SERVER " table 77");
    IP("route add default via 192.0.2.1 table 77");
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err));
    OK(tuntap_add_default_route(dev, 0, NULL, 0, &err));
    LEAVES("b0", SERVER);
    tuntap_close(dev);
    LEAVES("b0", SERVER);
    IP("rule del priority 32000");
    IP("route flush table 77");
    CHECK(!has_traces());
}

static void with_keep_a_bypass_outlives_its_handle(void)
{
    tuntap *dev = open_tunnel("t0", TUNTAP_PERSIST);
    OK(tuntap_add_bypass(dev, SERVER, 0, 0, TUNTAP_KEEP, &err));
    OK(tuntap_add_bypass(dev, SERVER6, 0, 0, 0, &err));
    OK(tuntap_add_default_route(dev, 0, NULL, TUNTAP_KEEP, &err));
    tuntap_close(dev);
    LEAVES("a0", SERVER);
    LEAVES("t0", SERVER6);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    LEAVES("a0", SERVER);
    OK(tuntap_set_persist(dev, 0, &err));
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_add_bypass(dev, SERVER6, 0, 0, 0, &err));
    tuntap_close(dev);
    CHECK(!has_traces());
}

static void failed_calls_change_nothing(void)
{
    tuntap *dev = open_tunnel("t0", 0);
    char *before = strdup(all_rules());
    FAILS(tuntap_add_bypass(dev, NULL, 0, 0, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_add_bypass(dev, NULL, 0x100, 0xff, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_add_bypass(dev, SERVER, 0, 0xff, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_add_bypass(dev, "0.0.0.0/0", 0, 0, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_add_bypass(dev, SERVER, 0, 0, TUNTAP_OVERRIDE, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_add_bypass(dev, "203.0.113.1/24", 0, 0, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_add_bypass(dev, "vpn.example.org", 0, 0, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_add_bypass(NULL, SERVER, 0, 0, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strcmp(before, all_rules()) == 0);
    drop_privileges();
    FAILS(tuntap_add_bypass(dev, SERVER, 0, 0, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    CHECK(strcmp(before, all_rules()) == 0);
    free(before);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    gateways = make_uplinks();
    a_bypassed_destination_uses_the_uplink();
    a_bypass_follows_changes_of_the_uplinks();
    packets_with_a_bypassed_mark_use_the_uplink();
    later_rules_apply_to_bypassed_packets();
    with_keep_a_bypass_outlives_its_handle();
    failed_calls_change_nothing();
    close(gateways);
    return 0;
}
