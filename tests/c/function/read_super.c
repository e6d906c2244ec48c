/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super sent, got;

static ssize_t read_it(tuntap *dev, size_t size, tuntap_error *error)
{
    return tuntap_read_super(dev, &got.hdr, sizeof got.hdr, got.packet, size, error);
}

static void a_super_packet_is_read_unchanged(tuntap *dev, int sock)
{
    for (int i = 0; i < 1000; i++) {
        struct shape shape = random_super(&sent, 0, 0xf9);
        CHECK(send_super(sock, 0, &sent) == 0);
        CHECK(read_it(dev, tuntap_read_size(dev), NULL) == (ssize_t)sent.size);
        CHECK(memcmp(got.packet, sent.packet, sent.size) == 0);
        /* The kernel treats a super-packet of at most one segment as a plain packet. */
        if (shape.payload > shape.size)
            CHECK(got.hdr.gso_type == sent.hdr.gso_type && got.hdr.gso_size == shape.size);
        CHECK(got.hdr.flags == TUNTAP_VNET_HDR_F_NEEDS_CSUM);
        CHECK(got.hdr.csum_start == sent.hdr.csum_start);
        CHECK(got.hdr.csum_offset == sent.hdr.csum_offset);
    }
}

static void a_plain_packet_has_a_header_of_zeros(tuntap *dev, int sock)
{
    sent.size = udp_packet(sent.packet, "10.8.0.1", "10.8.0.2", PORT, "plain", 5);
    memset(&sent.hdr, 0, sizeof sent.hdr);
    memset(&got.hdr, 0x55, sizeof got.hdr);
    CHECK(send_super(sock, 0, &sent) == 0);
    OK(read_it(dev, sizeof got.packet, &err));
    CHECK(memcmp(&got.hdr, &sent.hdr, sizeof got.hdr) == 0);
    CHECK(memcmp(got.packet, sent.packet, sent.size) == 0);
}

/** A buffer that is too short: the call fails, and writes nothing behind the buffer. */
static void a_super_packet_is_never_truncated(tuntap *dev, int sock)
{
    udp_super(&sent, 10, 100);
    for (size_t room = 0; room <= sent.size; room += room < 20 ? 1 : 59) {
        size_t size = room > sent.size ? sent.size : room;
        CHECK(send_super(sock, 0, &sent) == 0);
        memset(got.packet, 0xee, sizeof got.packet);
        got.hdr.gso_type = 99;
        if (size < sent.size) {
            FAILS(read_it(dev, size, &err), EMSGSIZE, TUNTAP_REASON_BUFFER);
            CHECK(got.hdr.gso_type == 99);
        } else {
            OK(read_it(dev, size, &err));
        }
        CHECK(got.packet[size] == 0xee);
    }
    FAILS(read_it(dev, sizeof got.packet, &err), EAGAIN, TUNTAP_REASON_AGAIN);
}

/** A shorter header, of an older program, gets fewer members. In a longer header, the additional members get zeros. */
static void the_header_has_the_given_size(tuntap *dev, int sock)
{
    static const size_t sizes[] = {10, 11, 12, 20, 4096}, wrong[] = {0, 9, 4097, SIZE_MAX};
    static union sized_hdr sized;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = sizes[i];
        udp_super(&sent, 10, 100);
        CHECK(send_super(sock, 0, &sent) == 0);
        memset(&sized, 0x55, sizeof sized);
        CHECK(tuntap_read_super(dev, &sized.hdr, size, got.packet, sizeof got.packet, &err) == (ssize_t)sent.size);
        CHECK(sized.hdr.gso_type == TUNTAP_VNET_HDR_GSO_UDP_L4 && sized.hdr.gso_size == 100 && sized.hdr.csum_offset == 6);
        for (size_t at = 10; at < size; at++)
            CHECK(sized.bytes[at] == 0);
        CHECK(sized.bytes[size] == 0x55);
    }
    CHECK(send_super(sock, 0, &sent) == 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(tuntap_read_super(dev, &sized.hdr, wrong[i], got.packet, 9000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("sizeof(tuntap_vnet_hdr), from 10 to 4096 bytes");
    OK(read_it(dev, sizeof got.packet, &err));
}

int main(void)
{
    tuntap *plain;
    begin();
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    a_super_packet_is_read_unchanged(dev, sock);
    a_plain_packet_has_a_header_of_zeros(dev, sock);
    a_super_packet_is_never_truncated(dev, sock);
    the_header_has_the_given_size(dev, sock);
    FAILS(tuntap_read_super(NULL, &got.hdr, sizeof got.hdr, got.packet, 9000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_read_super(dev, NULL, sizeof(tuntap_vnet_hdr), got.packet, 9000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_read_super(dev, &got.hdr, sizeof got.hdr, NULL, 9000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    close(sock);
    tuntap_close(dev);
    FAILS(read_it(NULL, 9000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_open("t0", TUNTAP_TUN, &plain, &err));
    FAILS(read_it(plain, 9000, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    tuntap_close(plain);
    return 0;
}
