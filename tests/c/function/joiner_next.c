/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;
static struct packets packets;

static void put_some(tuntap_joiner *joiner, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        OK(tuntap_joiner_put(joiner, packet_of(&packets, i), length_of(&packets, i), &err));
}

/** The joiner returns the super-packet that was split, byte for byte, with the same virtio header. */
static void packets_are_joined_to_the_former_super_packet(tuntap_joiner *joiner)
{
    tuntap_vnet_hdr hdr;
    void *packet;
    put_some(joiner, 0, 10);
    CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &packet, NULL) == (ssize_t)super.size);
    CHECK(memcmp(packet, super.packet, super.size) == 0);
    CHECK(memcmp(&hdr, &super.hdr, sizeof hdr) == 0);
    CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &packet, NULL) == 0);
    CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &packet, NULL) == 0);
}

/** Packets are not joined to a super-packet that was returned, and a packet of another flow is not lost. */
static void packets_are_not_joined_to_a_returned_one(tuntap_joiner *joiner)
{
    tuntap_vnet_hdr hdr;
    void *packet;
    static uint8_t other[100];
    size_t size = udp_packet(other, "10.8.0.2", "10.8.0.1", 9, "hello", 5);
    put_some(joiner, 0, 4);
    OK(tuntap_joiner_put(joiner, other, size, &err));
    CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &packet, NULL) == UDP_OVERHEAD + 400);
    CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &packet, NULL) == (ssize_t)size);
    put_some(joiner, 4, 10);
    CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &packet, NULL) == UDP_OVERHEAD + 600);
    CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &packet, NULL) == 0);
}

/** Each packet is put after the previous one was returned: the joiner returns every packet unchanged. */
static void packets_put_one_by_one_are_not_joined(tuntap_joiner *joiner)
{
    tuntap_vnet_hdr hdr;
    void *packet;
    for (size_t i = 0; i < packets.count; i++) {
        put_some(joiner, i, i + 1);
        CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &packet, NULL) == (ssize_t)length_of(&packets, i));
        CHECK(memcmp(packet, packet_of(&packets, i), length_of(&packets, i)) == 0);
        CHECK(hdr.gso_type == TUNTAP_VNET_HDR_GSO_NONE && hdr.flags == 0);
    }
    CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &packet, NULL) == 0);
}

static void the_header_has_the_given_size(tuntap_joiner *joiner)
{
    static const size_t sizes[] = {10, 12, 20, 4096}, wrong[] = {0, 9, 4097, SIZE_MAX};
    static union sized_hdr sized;
    void *packet;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        put_some(joiner, 0, 10);
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++)
            CHECK(tuntap_joiner_next(joiner, &sized.hdr, wrong[j], &packet, NULL) == -EINVAL);
        memset(&sized, 0x55, sizeof sized);
        CHECK(tuntap_joiner_next(joiner, &sized.hdr, sizes[i], &packet, NULL) == (ssize_t)super.size);
        CHECK(memcmp(&sized.hdr, &super.hdr, 10) == 0 && sized.bytes[sizes[i]] == 0x55);
        for (size_t at = 10; at < sizes[i]; at++)
            CHECK(sized.bytes[at] == 0);
        CHECK(tuntap_joiner_next(joiner, &sized.hdr, sizes[i], &packet, NULL) == 0);
    }
}

int main(void)
{
    tuntap_vnet_hdr hdr;
    void *packet;
    tuntap_joiner *joiner;
    begin();
    OK(tuntap_joiner_new(TUNTAP_TUN, &joiner, &err));
    CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &packet, NULL) == 0);
    udp_super(&super, 10, 100);
    split_super(&super, TUNTAP_TUN, &packets);
    packets_are_joined_to_the_former_super_packet(joiner);
    packets_are_joined_to_the_former_super_packet(joiner);
    packets_are_not_joined_to_a_returned_one(joiner);
    packets_put_one_by_one_are_not_joined(joiner);
    the_header_has_the_given_size(joiner);
    CHECK(tuntap_joiner_next(NULL, &hdr, sizeof hdr, &packet, NULL) == -EINVAL);
    CHECK(tuntap_joiner_next(joiner, NULL, sizeof(tuntap_vnet_hdr), &packet, NULL) == -EINVAL);
    CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, NULL, NULL) == -EINVAL);
    tuntap_joiner_free(joiner);
    return 0;
}
