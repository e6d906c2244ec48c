/* SPDX-License-Identifier: MIT
 *
 * What a program without any privilege does with a device that was prepared for its user: everything, and no system
 * call of it is refused. tests/strace.sh prepares the device and looks on.
 *
 *     owner NODE */
#include "../c/packet.h"

int main(int argc, char **argv)
{
    static uint8_t buf[65536];
    tuntap_config *config;
    tuntap *dev;
    tuntap_monitor *monitor;
    tuntap_event event;
    tuntap_addr addrs[4];
    tuntap_route routes[8];
    tuntap_stats stats;
    char text[TUNTAP_ALIAS_SIZE];
    uint32_t number;
    uint64_t bits;
    CHECK(argc == 2);

    /* All of it is so already. */
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_node(config, argv[1], &err));
    OK(tuntap_config_set_owner(config, geteuid(), &err));
    OK(tuntap_config_set_mtu(config, 1400, &err));
    OK(tuntap_config_set_alias(config, "prepared", &err));
    OK(tuntap_config_set_txqueuelen(config, 77, &err));
    OK(config_add_addr(config, "10.8.0.1/24", NULL, 0, &err));
    OK(config_add_addr(config, "fd00::1/64", NULL, 0, &err));
    OK(tuntap_config_set_up(config, 1, &err));
    OK(config_add_route(config, "10.9.0.0/16", NULL, 0, 0, &err));
    OK(config_add_route(config, "fd01::/64", NULL, 0, 0, &err));
    uint64_t flags = TUNTAP_TUN | TUNTAP_MULTI_QUEUE | TUNTAP_EXISTING | TUNTAP_PERSIST;
    OK(tuntap_open_config("vpn0", flags, config, &dev, &err));
    tuntap_config_free(config);

    OK(tuntap_up(dev, &err));
    OK(tuntap_set_mtu(dev, 1400, &err));
    OK(tuntap_set_name(dev, "vpn0", &err));
    OK(tuntap_set_alias(dev, "prepared", &err));
    OK(tuntap_set_addr(dev, "10.8.0.1/24", &err));
    OK(tuntap_set_addr(dev, "fd00::1/64", &err));
    OK(add_addr(dev, "10.8.0.1", NULL, 0, &err));
    OK(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
    OK(tuntap_set_master(dev, NULL, &err));
    OK(tuntap_get_ipv6(dev, TUNTAP_IPV6_DISABLE, &number, &err));
    OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_DISABLE, number, &err));
    OK(tuntap_find_route(dev, "10.9.0.1", NULL, 0, routes, sizeof *routes, &err));
    OK(tuntap_get_name(dev, text, sizeof text, &err));
    OK(tuntap_get_alias(dev, text, sizeof text, &err));
    OK(tuntap_get_addr(dev, text, sizeof text, &err));
    OK(tuntap_get_netmask(dev, text, sizeof text, &err));
    OK(tuntap_get_mtu(dev, &number, &err));
    OK(tuntap_get_index(dev, &number, &err));
    OK(tuntap_get_owner(dev, &number, &err));
    OK(tuntap_get_txqueuelen(dev, &number, &err));
    OK(tuntap_get_sndbuf(dev, &number, &err));
    OK(tuntap_get_flags(dev, &bits, &err));
    OK(tuntap_get_offloads(dev, &bits, &err));
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(tuntap_list_addrs(dev, addrs, 4, sizeof *addrs, &err) >= 2);
    CHECK(tuntap_list_routes(dev, routes, 8, sizeof *routes, &err) >= 4);

    /* And what its owner may change. */
    OK(tuntap_set_sndbuf(dev, 1000000, &err));
    OK(tuntap_set_carrier(dev, 0, &err));
    OK(tuntap_set_carrier(dev, 1, &err));
    tuntap *queue, *copy;
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_detach(queue, &err));
    OK(tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW, &copy, &err));
    tuntap_close(copy);
    tuntap_close(queue);

    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    do
        OK(tuntap_monitor_next(monitor, &event, sizeof event, 20000, &err));
    while (event.kind != TUNTAP_EVENT_COMPLETE);
    tuntap_monitor_close(monitor);

    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    do
        OK(tuntap_read_timeout(dev, buf, sizeof buf, 20000, &err));
    while (buf[0] >> 4 != 4);
    is_udp_packet(buf, UDP_OVERHEAD + 5, "10.8.0.2", "hello", 5);
    size_t length = udp_packet(buf, "10.8.0.2", "10.8.0.1", PORT, "and back", 8);
    OK(tuntap_write(dev, buf, length, &err));
    udp_receives(sock, "and back", 8);
    close(sock);
    tuntap_wake(dev);
    tuntap_close(dev);
    return 0;
}
