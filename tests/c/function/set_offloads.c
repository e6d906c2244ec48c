/* SPDX-License-Identifier: MIT */
#include "vnet.h"
#include "tunnel.h"

#define ALL \
    (TUNTAP_F_CSUM | TUNTAP_F_TSO4 | TUNTAP_F_TSO6 | TUNTAP_F_TSO_ECN | TUNTAP_F_USO4 | TUNTAP_F_USO6)

/** All offloads that this kernel supports. */
static uint64_t all_offloads(void)
{
    return kernel_has_uso() ? ALL : ALL & ~(uint64_t)(TUNTAP_F_USO4 | TUNTAP_F_USO6);
}

static struct super super;
static struct packets packets;

/** How many packets the device reads for a super-packet of 10 segments: 1 or 10. */
static size_t count_packets(tuntap *dev, int sock)
{
    clear(&packets);
    udp_super(&super, 10, 100);
    CHECK(send_super(sock, 0, &super) == 0);
    take_packets(tuntap_get_fd(dev, NULL), &packets);
    return packets.count;
}

static void offloads_are_turned_on_and_off(void)
{
    uint64_t offloads;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    CHECK(count_packets(dev, sock) == 1);
    OK(tuntap_set_offloads(dev, TUNTAP_F_CSUM | TUNTAP_F_TSO4, &err));
    CHECK(count_packets(dev, sock) == 10);
    OK(tuntap_get_offloads(dev, &offloads, &err));
    CHECK(offloads == (TUNTAP_F_CSUM | TUNTAP_F_TSO4));
    OK(tuntap_set_offloads(dev, 0, &err));
    CHECK(count_packets(dev, sock) == 10);
    OK(tuntap_set_offloads(dev, ALL, &err));
    CHECK(count_packets(dev, sock) == 1);

    /* UFO, which the kernel no longer supports, and an unknown offload. */
    FAILS(tuntap_set_offloads(dev, TUNTAP_F_CSUM | 0x10, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_set_offloads(dev, TUNTAP_F_CSUM | UINT64_C(1) << 40, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_set_offloads(dev, TUNTAP_F_TSO4, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    MESSAGE_HAS("TUNTAP_F_CSUM");
    FAILS(tuntap_set_offloads(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(count_packets(dev, sock) == 1);
    IP("link delete t0");
    FAILS(tuntap_set_offloads(dev, ALL, &err), ENODEV, TUNTAP_REASON_REMOVED);
    close(sock);
    tuntap_close(dev);
}

/** A writer joins packets only for the offloads that are on. */
static void a_writer_joins_only_for_offloads_that_are_on(void)
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

/** A persistent device keeps its offloads, but a handle without offload cannot read super-packets. */
static void a_handle_without_offload_turns_offloads_off(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_PERSIST, &dev, &err));
    tuntap_close(dev);
    dev = ready_tun(TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    CHECK(count_packets(dev, sock) == 10);
    close(sock);
    tuntap_close(dev);
    dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    sock = offload_socket("t0");
    CHECK(count_packets(dev, sock) == 1);
    OK(tuntap_set_persist(dev, 0, &err));
    close(sock);
    tuntap_close(dev);
}

static uint64_t tunnel_offloads_of(tuntap *dev)
{
    uint64_t offloads;
    OK(tuntap_get_offloads(dev, &offloads, &err));
    return offloads & TUNNEL_OFFLOADS;
}

/** A device whose header is too short for tunnels has no tunnel offloads, refuses them, and works. */
static void has_no_tunnel_offloads(tuntap *dev, int size)
{
    CHECK(header_size(tuntap_get_fd(dev, NULL)) == size && tunnel_offloads_of(dev) == 0);
    FAILS(tuntap_set_offloads(dev, TUNTAP_F_CSUM | TUNTAP_F_TSO4 | TUNTAP_F_UDP_TUNNEL_GSO, &err), EINVAL,
          TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("tuntap_config_set_vnet_hdr_size");
    CHECK(tunnel_offloads_of(dev) == 0);
    every_function_works(dev);
}

/** Only a new device gets a header that is long enough for tunnels. An existing device keeps its header. */
static void tunnel_offloads_need_a_long_header(void)
{
    tuntap_config *config;
    tuntap *dev;
    uint64_t flags = TUNTAP_TUN | TUNTAP_OFFLOAD, all = kernel_has_tunnels() ? TUNNEL_OFFLOADS : 0;
    OK(tuntap_open("t0", flags, &dev, &err));
    CHECK(header_size(tuntap_get_fd(dev, NULL)) == new_header_size() && tunnel_offloads_of(dev) == all);
    tuntap_close(dev);

    OK(tuntap_open("t0", flags | TUNTAP_PERSIST, &dev, &err));
    has_no_tunnel_offloads(dev, 10);
    tuntap_close(dev);
    OK(tuntap_open("t0", flags, &dev, &err));
    has_no_tunnel_offloads(dev, 10);
    tuntap_close(dev);
    IP("link delete t0");

    prepare("t0", IFF_TUN, 12);
    OK(tuntap_open("t0", flags, &dev, &err));
    has_no_tunnel_offloads(dev, 12);
    tuntap_close(dev);
    IP("link delete t0");

    prepare("t0", IFF_TUN, TUNNEL_HDR);
    OK(tuntap_open("t0", flags, &dev, &err));
    CHECK(header_size(tuntap_get_fd(dev, NULL)) == TUNNEL_HDR && tunnel_offloads_of(dev) == all);
    tuntap_close(dev);

    /* Another open makes the header too short for the tunnel offloads of the last handle. */
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_vnet_hdr_size(config, 20, &err));
    OK(tuntap_open_config("t0", flags, config, &dev, &err));
    has_no_tunnel_offloads(dev, 20);
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
    CHECK(tunnel_offloads_of(dev) == TUNTAP_F_UDP_TUNNEL_GSO);
    tuntap_close(dev);
}

static void a_device_without_offload_has_no_offloads(void)
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
    a_writer_joins_only_for_offloads_that_are_on();
    a_device_without_offload_has_no_offloads();
    offloads_are_turned_on_and_off();
    a_handle_without_offload_turns_offloads_off();
    tunnel_offloads_need_a_long_header();
    return 0;
}
