/* SPDX-License-Identifier: MIT
 *
 * Super-packets of UDP tunnels for the tests. */
#ifndef TUNNEL_H
#define TUNNEL_H

#include "super.h"

/** <linux/virtio_net.h> of Linux 6.17: the size of struct virtio_net_hdr_v1_hash_tunnel. */
#define TUNNEL_HDR 24
#define TUNNEL_OFFLOADS (TUNTAP_F_UDP_TUNNEL_GSO | TUNTAP_F_UDP_TUNNEL_GSO_CSUM)

/** Whether the driver takes super-packets of tunnels: queries a device of its own. */
UNUSED static int kernel_has_tunnels(void)
{
    static int known = -1;
    if (known < 0) {
        int fd = join_by_hand("", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
        CHECK(fd >= 0);
        known = ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | (unsigned long)TUNNEL_OFFLOADS) == 0;
        close(fd);
    }
    return known;
}

/** The size of the virtio header of a device that the library creates. */
UNUSED static int new_header_size(void)
{
    return kernel_has_tunnels() ? TUNNEL_HDR : 10;
}

UNUSED static void needs_tunnels(void)
{
    if (!kernel_has_tunnels())
        needs_kernel(6, 17, "super-packets of tunnels");
}

/** A random frame of a tunnel that carries a random super-packet. Nothing reads the bytes between their headers. */
UNUSED static void random_tunnel(struct super *super, unsigned flags)
{
    static struct super inside;
    struct shape inner = random_super(&inside, 0, flags), outer = {.tap = 1, .vlan = below(4) == 0, .v6 = (int)below(2)};
    size_t extension = below(4) ? 0 : 8 * (1 + below(4)), options = below(4) ? 0 : 4 * (1 + below(10));
    outer.network = outer.vlan ? 18 : 14;
    outer.transport = outer.network + (outer.v6 ? 40 + extension : 20 + options);
    outer.headers = outer.transport + 8;
    size_t between = 8 + 4 * below(16) + 14, start = outer.headers + between;
    while (start + inside.size > 65535)
        inner = random_super(&inside, 0, flags);
    super->size = start + inside.size;
    memcpy(super->packet + start, inside.packet, inside.size);
    fill_random(super->packet + outer.headers, between);
    put_link(super->packet, &outer);
    put_ip(super->packet, &outer, super->size);
    put_transport(super->packet, &outer, super->size, 0);
    super->hdr = inside.hdr;
    super->hdr.gso_type |= outer.v6 ? TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV6 : TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV4;
    super->hdr.hdr_len = (uint16_t)(start + inner.headers);
    super->hdr.csum_start = (uint16_t)(start + inner.transport);
    super->hdr.outer_th_offset = (uint16_t)outer.transport;
    super->hdr.inner_nh_offset = (uint16_t)start;
    switch (below(4)) {
    case 0: /* no checksum */
        put16(super->packet + outer.transport + 6, 0);
        break;
    case 1: /* a checksum that stays as it is */
        break;
    default:
        super->hdr.flags |= TUNTAP_VNET_HDR_F_UDP_TUNNEL_CSUM;
    }
}

#endif
