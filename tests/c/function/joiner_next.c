/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;
static struct packets packets;

static void put_some(tuntap_joiner *joiner, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        OK(tuntap_joiner_put(joiner, packet_of(&packets, i), length_of(&packets, i), &err));
}

/** The super-packet that the packets were made of, byte for byte, its offload header too. */
static void it_is_the_same_again(tuntap_joiner *joiner)
{
    tuntap_offload offload;
    void *packet;
    put_some(joiner, 0, 10);
    CHECK(tuntap_joiner_next(joiner, &offload, &packet, NULL) == (ssize_t)super.size);
    CHECK(memcmp(packet, super.packet, super.size) == 0);
    CHECK(memcmp(&offload, &super.offload, sizeof offload) == 0);
    CHECK(tuntap_joiner_next(joiner, &offload, &packet, NULL) == 0);
    CHECK(tuntap_joiner_next(joiner, &offload, &packet, NULL) == 0);
}

/** What was given already is not joined to any more, even when others are still there. */
static void what_comes_between_is_not_lost(tuntap_joiner *joiner)
{
    tuntap_offload offload;
    void *packet;
    static uint8_t other[100];
    size_t size = udp_packet(other, "10.8.0.2", "10.8.0.1", 9, "hello", 5);
    put_some(joiner, 0, 4);
    OK(tuntap_joiner_put(joiner, other, size, &err));
    CHECK(tuntap_joiner_next(joiner, &offload, &packet, NULL) == UDP_OVERHEAD + 400);
    CHECK(tuntap_joiner_next(joiner, &offload, &packet, NULL) == (ssize_t)size);
    put_some(joiner, 4, 10);
    CHECK(tuntap_joiner_next(joiner, &offload, &packet, NULL) == UDP_OVERHEAD + 600);
    CHECK(tuntap_joiner_next(joiner, &offload, &packet, NULL) == 0);
}

/** One by one, each put after the one before it was given: the same packets, of which none is lost. */
static void one_by_one(tuntap_joiner *joiner)
{
    tuntap_offload offload;
    void *packet;
    for (size_t i = 0; i < packets.count; i++) {
        put_some(joiner, i, i + 1);
        CHECK(tuntap_joiner_next(joiner, &offload, &packet, NULL) == (ssize_t)length_of(&packets, i));
        CHECK(memcmp(packet, packet_of(&packets, i), length_of(&packets, i)) == 0);
        CHECK(offload.kind == TUNTAP_KIND_NONE && offload.flags == 0);
    }
    CHECK(tuntap_joiner_next(joiner, &offload, &packet, NULL) == 0);
}

int main(void)
{
    tuntap_offload offload;
    void *packet;
    tuntap_joiner *joiner;
    begin();
    OK(tuntap_joiner_new(TUNTAP_TUN, &joiner, &err));
    CHECK(tuntap_joiner_next(joiner, &offload, &packet, NULL) == 0);
    udp_super(&super, 10, 100);
    split_super(&super, TUNTAP_TUN, &packets);
    it_is_the_same_again(joiner);
    it_is_the_same_again(joiner);
    what_comes_between_is_not_lost(joiner);
    one_by_one(joiner);
    CHECK(tuntap_joiner_next(NULL, &offload, &packet, NULL) == -EINVAL);
    CHECK(tuntap_joiner_next(joiner, NULL, &packet, NULL) == -EINVAL);
    CHECK(tuntap_joiner_next(joiner, &offload, NULL, NULL) == -EINVAL);
    tuntap_joiner_free(joiner);
    return 0;
}
