/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;

static ssize_t write_it(tuntap *dev, tuntap_error *error)
{
    return tuntap_write_super(dev, &super.hdr, sizeof super.hdr, super.packet, super.size, error);
}

static void is_refused(tuntap *dev, int number, uint32_t why)
{
    tuntap_stats before, after;
    OK(tuntap_get_stats(dev, &before, sizeof before, &err));
    FAILS(write_it(dev, &err), number, why);
    CHECK(tuntap_get_stats(dev, &after, sizeof after, NULL) == 0);
    CHECK(after.rx_packets == before.rx_packets);
}

/** Members that an older program does not have count as 0. Members that this version does not know must be 0. */
static void the_header_has_the_given_size(tuntap *dev, int sock)
{
    static const size_t sizes[] = {10, 11, 12, 14, 16, 20, 4096}, wrong[] = {0, 9, 4097, SIZE_MAX};
    static union sized_hdr sized;
    udp_super(&super, 10, 100);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = sizes[i];
        memset(&sized, 0, sizeof sized);
        sized.hdr = super.hdr;
        sized.hdr.num_buffers = 0x5555;
        memset(sized.bytes + size, 0x55, sizeof sized - size);
        CHECK(tuntap_write_super(dev, &sized.hdr, size, super.packet, super.size, &err) == (ssize_t)super.size);
        receives_super(sock, 10, 100);
        if (size <= sizeof sized.hdr)
            continue;
        sized.bytes[size - 1] = 1;
        FAILS(tuntap_write_super(dev, &sized.hdr, size, super.packet, super.size, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        MESSAGE_HAS("is not 0");
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(tuntap_write_super(dev, &super.hdr, wrong[i], super.packet, super.size, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(!is_readable(sock));
}

int main(void)
{
    tuntap *plain;
    begin();
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);

    udp_super(&super, 40, 1000);
    if (!kernel_has_uso()) {
        is_refused(dev, EINVAL, TUNTAP_REASON_PACKET);
        MESSAGE_HAS("Linux 6.2");
        needs_uso();
    }
    CHECK(write_it(dev, NULL) == (ssize_t)super.size);
    receives_super(sock, 40, 1000);
    super.size = udp_packet(super.packet, "10.8.0.2", "10.8.0.1", PORT, "plain", 5);
    memset(&super.hdr, 0, sizeof super.hdr);
    CHECK(write_it(dev, NULL) == (ssize_t)super.size);
    udp_receives(sock, "plain", 5);

    the_header_has_the_given_size(dev, sock);

    udp_super(&super, 129, 10);
    is_refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    udp_super(&super, 4, 10);
    super.hdr.flags = 0;
    is_refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    udp_super(&super, 4, 10);
    super.hdr.csum_start = 60000;
    is_refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    udp_super(&super, 4, 10);
    super.hdr.gso_type = 77;
    is_refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    /* Linux 6.18 accepts super-packets of tunnels only through a TAP. */
    super.hdr.gso_type = TUNTAP_VNET_HDR_GSO_UDP_L4 | TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV4;
    is_refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    MESSAGE_HAS("super-packets of tunnels need a TAP");
    super.packet[0] = 0;
    is_refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    FAILS(tuntap_write_super(NULL, &super.hdr, sizeof super.hdr, super.packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_write_super(dev, NULL, sizeof(tuntap_vnet_hdr), super.packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_write_super(dev, &super.hdr, sizeof super.hdr, NULL, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    udp_super(&super, 4, 10);
    IP("link set t0 down");
    FAILS(write_it(dev, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    close(sock);
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TUN, &plain, &err));
    FAILS(write_it(plain, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    tuntap_close(plain);
    return 0;
}
