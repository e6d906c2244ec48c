/* SPDX-License-Identifier: MIT
 *
 * Does what OpenVPN does: opens a persistent TUN with an MTU, a peer, an IPv6 address and a route, all or nothing;
 * changes the peer without a gap in the routes; and deletes the device by its name. */
#include "announced.h"

static int open_vpn(const char *gateway, tuntap **dev)
{
    tuntap_config *config;
    tuntap_addr ipv4 = {.addr = "10.8.0.6", .peer = "10.8.0.5"}, ipv6 = {.addr = "fd00::6/64"};
    tuntap_route route = {.destination = "10.9.0.0/16", .metric = 100};
    snprintf(route.gateway, sizeof route.gateway, "%s", gateway);

    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_mtu(config, 1400, &err));
    OK(tuntap_config_set_up(config, 1, &err));
    OK(tuntap_config_add_addr(config, &ipv4, sizeof ipv4, 0, &err));
    OK(tuntap_config_add_addr(config, &ipv6, sizeof ipv6, 0, &err));
    OK(tuntap_config_add_route(config, &route, sizeof route, 0, &err));
    int result = tuntap_open_config("vpn0", TUNTAP_TUN | TUNTAP_PERSIST | TUNTAP_NONBLOCK, config, dev, &err);
    tuntap_config_free(config);
    return result;
}

static void change_peer(tuntap *dev)
{
    tuntap_addr from = {.addr = "10.8.0.6", .peer = "10.8.0.5"}, to = {.addr = "10.8.0.10", .peer = "10.8.0.9"};
    tuntap_route route = {.destination = "10.9.0.0/16", .gateway = "10.8.0.9", .metric = 100};
    OK(tuntap_add_addr(dev, &to, sizeof to, 0, &err));
    OK(tuntap_add_route(dev, &route, sizeof route, TUNTAP_REPLACE, &err));
    OK(tuntap_del_addr(dev, &from, sizeof from, &err));
}

/** While the peer changes, the kernel announces no removal of the route: the new route replaces the old one. */
static void the_peer_changes_without_a_gap(tuntap *dev)
{
    static char messages[65536];
    int replaced = 0, left;
    listen_to_changes();
    change_peer(dev);
    for (ssize_t length; (length = recv(listener, messages, sizeof messages, 0)) > 0;) {
        left = (int)length;
        for (struct nlmsghdr *header = (struct nlmsghdr *)messages; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
            struct rtmsg *route = NLMSG_DATA(header);
            CHECK(header->nlmsg_type != RTM_DELADDR || replaced);
            CHECK(header->nlmsg_type != RTM_DELROUTE || route->rtm_dst_len != 16);
            replaced += header->nlmsg_type == RTM_NEWROUTE && route->rtm_dst_len == 16;
        }
    }
    CHECK(replaced == 1);
    close(listener);
}

/** A packet to the network behind the gateway is sent from this address. */
static void sends_from(tuntap *dev, const char *address)
{
    uint8_t packet[1500], sender[4];
    int sock = udp_socket("0.0.0.0", PORT);
    ssize_t length;
    CHECK(inet_pton(AF_INET, address, sender) == 1);
    udp_send(sock, "10.9.1.1", PORT, "hello", 5);
    do /* The kernel's IPv6 also sends packets. */
        OK(length = tuntap_read_timeout(dev, packet, sizeof packet, 20000, &err));
    while (packet[0] >> 4 != 4);
    is_udp_packet(packet, (size_t)length, "10.9.1.1", "hello", 5);
    CHECK(memcmp(packet + 12, sender, 4) == 0);
    close(sock);
}

int main(void)
{
    static const char everything[] = "ip -br addr show vpn0; ip -d route; ip -6 -d route";
    static char before[65536];
    tuntap *dev = NULL;
    begin();
    CHECK(open_vpn("192.0.2.1", &dev) == -ENETUNREACH && dev == NULL);
    MESSAGE_HAS("10.9.0.0/16");
    CHECK(!exists("vpn0"));

    OK(open_vpn("10.8.0.5", &dev));
    IP_HAS("\"mtu\":1400", "link show vpn0");
    IP_HAS("\"local\":\"10.8.0.6\",\"address\":\"10.8.0.5\",\"prefixlen\":32", "addr show vpn0");
    IP_HAS("\"local\":\"fd00::6\",\"prefixlen\":64", "addr show vpn0");
    IP_HAS("\"gateway\":\"10.8.0.5\",\"dev\":\"vpn0\",\"protocol\":\"static\",\"scope\":\"global\",\"metric\":100", "route show 10.9.0.0/16");
    sends_from(dev, "10.8.0.6");

    the_peer_changes_without_a_gap(dev);
    IP_HAS("\"local\":\"10.8.0.10\",\"address\":\"10.8.0.9\",\"prefixlen\":32", "addr show vpn0");
    IP_HAS_NOT("10.8.0.6", "addr show vpn0");
    IP_HAS("\"gateway\":\"10.8.0.9\"", "route show 10.9.0.0/16");
    IP_HAS_NOT("10.8.0.5", "route show");
    sends_from(dev, "10.8.0.10");

    /* A failed open does not change the present device. */
    tuntap_close(dev);
    wait_for_no_carrier("vpn0");
    snprintf(before, sizeof before, "%s", output_of("%s", everything));
    CHECK(open_vpn("192.0.2.1", &dev) == -ENETUNREACH);
    wait_for_no_carrier("vpn0");
    CHECK(strstr(before, "10.9.0.0/16") && strcmp(output_of("%s", everything), before) == 0);

    CHECK(exists("vpn0"));
    OK(tuntap_delete("vpn0", 0, &err));
    CHECK(!exists("vpn0"));
    return 0;
}
