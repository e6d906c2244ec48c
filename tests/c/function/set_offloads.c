/* SPDX-License-Identifier: MIT */
#include "vnet.h"
#include "tunnel.h"

#define ALL \
    (TUNTAP_F_CSUM | TUNTAP_F_TSO4 | TUNTAP_F_TSO6 | TUNTAP_F_TSO_ECN | TUNTAP_F_USO4 | TUNTAP_F_USO6)

/** Those that this kernel has. */
static uint64_t all_offloads(void)
{
    return kernel_has_uso() ? ALL : ALL & ~(uint64_t)(TUNTAP_F_USO4 | TUNTAP_F_USO6);
}

static struct super super;
static struct packets packets;

/** What the kernel hands over of a super-packet of 10 segments: one, or 10 packets. */
static size_t handed_over(tuntap *dev, int sock)
{
    clear(&packets);
    udp_super(&super, 10, 100);
    CHECK(send_super(sock, 0, &super) == 0);
    take_packets(tuntap_get_fd(dev, NULL), &packets);
    return packets.count;
}

static void each_is_turned_on_and_off(void)
{
    uint64_t offloads;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    CHECK(handed_over(dev, sock) == 1);
    OK(tuntap_set_offloads(dev, TUNTAP_F_CSUM | TUNTAP_F_TSO4, &err));
    CHECK(handed_over(dev, sock) == 10);
    OK(tuntap_get_offloads(dev, &offloads, &err));
    CHECK(offloads == (TUNTAP_F_CSUM | TUNTAP_F_TSO4));
    OK(tuntap_set_offloads(dev, 0, &err));
    CHECK(handed_over(dev, sock) == 10);
    OK(tuntap_set_offloads(dev, ALL, &err));
    CHECK(handed_over(dev, sock) == 1);

    /* UFO, which the kernel no longer knows, and an unknown offload. */
    FAILS(tuntap_set_offloads(dev, TUNTAP_F_CSUM | 0x10, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_set_offloads(dev, TUNTAP_F_CSUM | UINT64_C(1) << 40, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_set_offloads(dev, TUNTAP_F_TSO4, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    MESSAGE_HAS("TUNTAP_F_CSUM");
    FAILS(tuntap_set_offloads(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(handed_over(dev, sock) == 1);
    IP("link delete t0");
    FAILS(tuntap_set_offloads(dev, ALL, &err), ENODEV, TUNTAP_REASON_REMOVED);
    close(sock);
    tuntap_close(dev);
}

/** A writer joins packets only for the offloads that are on. */
static void a_writer_joins_only_what_is_on(void)
{
    tuntap_writer *writer;
    tuntap_stats before, after;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    udp_super(&super, 10, 100);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    for (int on = 1; on >= 0; on--) {
        OK(tuntap_set_offloads(dev, on ? all_offloads() : 0, &err));
        OK(tuntap_writer_flush(writer, &err));
        clear(&packets);
        split_super(&super, TUNTAP_TUN, &packets);
        OK(tuntap_get_stats(dev, &before, sizeof before, &err));
        for (size_t i = 0; i < packets.count; i++)
            OK(tuntap_writer_put(writer, packet_of(&packets, i), length_of(&packets, i), &err));
        OK(tuntap_writer_flush(writer, &err));
        OK(tuntap_get_stats(dev, &after, sizeof after, &err));
        CHECK(after.rx_packets - before.rx_packets == (on ? joined(10) : 10));
    }
    tuntap_writer_free(writer);
    tuntap_close(dev);
}

/** A persistent device keeps what was asked for, and a handle without offload could not read it. */
static void a_plain_handle_turns_off_what_was_left(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_PERSIST, &dev, &err));
    tuntap_close(dev);
    dev = ready_tun(TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    CHECK(handed_over(dev, sock) == 10);
    close(sock);
    tuntap_close(dev);
    dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    sock = offload_socket("t0");
    CHECK(handed_over(dev, sock) == 1);
    OK(tuntap_set_persist(dev, 0, &err));
    close(sock);
    tuntap_close(dev);
}

static uint64_t tunnels_of(tuntap *dev)
{
    uint64_t offloads;
    OK(tuntap_get_offloads(dev, &offloads, &err));
    return offloads & TUNNEL_OFFLOADS;
}

/** A device whose header is too short for tunnels: it has no such offloads, does not take them, and works. */
static void is_without_tunnels(tuntap *dev, int size)
{
    CHECK(header_size(tuntap_get_fd(dev, NULL)) == size && tunnels_of(dev) == 0);
    FAILS(tuntap_set_offloads(dev, TUNTAP_F_CSUM | TUNTAP_F_TSO4 | TUNTAP_F_UDP_TUNNEL_GSO, &err), EINVAL,
          TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("tuntap_config_set_vnet_hdr_size");
    CHECK(tunnels_of(dev) == 0);
    every_function_is_right(dev);
}

/** Only a new device gets a header that has room for tunnels; that of an existing one is not changed. */
static void tunnels_go_with_the_header(void)
{
    tuntap_config *config;
    tuntap *dev;
    uint64_t flags = TUNTAP_TUN | TUNTAP_OFFLOAD, all = kernel_has_tunnels() ? TUNNEL_OFFLOADS : 0;
    OK(tuntap_open("t0", flags, &dev, &err));
    CHECK(header_size(tuntap_get_fd(dev, NULL)) == new_header_size() && tunnels_of(dev) == all);
    tuntap_close(dev);

    OK(tuntap_open("t0", flags | TUNTAP_PERSIST, &dev, &err));
    is_without_tunnels(dev, 10);
    tuntap_close(dev);
    OK(tuntap_open("t0", flags, &dev, &err));
    is_without_tunnels(dev, 10);
    tuntap_close(dev);
    IP("link delete t0");

    prepare("t0", IFF_TUN, 12);
    OK(tuntap_open("t0", flags, &dev, &err));
    is_without_tunnels(dev, 12);
    tuntap_close(dev);
    IP("link delete t0");

    prepare("t0", IFF_TUN, TUNNEL_HDR);
    OK(tuntap_open("t0", flags, &dev, &err));
    CHECK(header_size(tuntap_get_fd(dev, NULL)) == TUNNEL_HDR && tunnels_of(dev) == all);
    tuntap_close(dev);

    /* The size is changed below what the tunnels of the last handle need. */
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_vnet_hdr_size(config, 20, &err));
    OK(tuntap_open_config("t0", flags, config, &dev, &err));
    is_without_tunnels(dev, 20);
    tuntap_close(dev);
    IP("link delete t0");
    tuntap_config_free(config);

    needs_tunnels();
    OK(tuntap_open("t0", flags, &dev, &err));
    FAILS(tuntap_set_offloads(dev, TUNTAP_F_CSUM | TUNTAP_F_UDP_TUNNEL_GSO, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    FAILS(tuntap_set_offloads(dev, TUNTAP_F_CSUM | TUNTAP_F_TSO4 | TUNTAP_F_UDP_TUNNEL_GSO_CSUM, &err), EOPNOTSUPP,
          TUNTAP_REASON_KERNEL);
    MESSAGE_HAS("UDP_TUNNEL_GSO");
    OK(tuntap_set_offloads(dev, TUNTAP_F_CSUM | TUNTAP_F_TSO4 | TUNTAP_F_UDP_TUNNEL_GSO, &err));
    CHECK(tunnels_of(dev) == TUNTAP_F_UDP_TUNNEL_GSO);
    tuntap_close(dev);
}

static void a_device_without_offload_has_none(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    FAILS(tuntap_set_offloads(dev, ALL, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("TUNTAP_OFFLOAD");
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    a_writer_joins_only_what_is_on();
    a_device_without_offload_has_none();
    each_is_turned_on_and_off();
    a_plain_handle_turns_off_what_was_left();
    tunnels_go_with_the_header();
    return 0;
}
