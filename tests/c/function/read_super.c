/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super sent, got;

static ssize_t read_it(tuntap *dev, size_t size, tuntap_error *error)
{
    return tuntap_read_super(dev, &got.offload, got.packet, size, error);
}

static void a_super_packet_comes_as_it_is(tuntap *dev, int sock)
{
    for (int i = 0; i < 1000; i++) {
        struct shape shape = random_super(&sent, 0, 0xf9);
        CHECK(send_super(sock, 0, &sent) == 0);
        CHECK(read_it(dev, tuntap_read_size(dev), NULL) == (ssize_t)sent.size);
        CHECK(memcmp(got.packet, sent.packet, sent.size) == 0);
        /* What is no longer than one segment, the kernel takes for no super-packet. */
        if (shape.payload > shape.size)
            CHECK(got.offload.kind == sent.offload.kind && got.offload.segment_size == shape.size);
        CHECK(got.offload.flags == TUNTAP_NEEDS_CHECKSUM);
        CHECK(got.offload.checksum_start == sent.offload.checksum_start);
        CHECK(got.offload.checksum_offset == sent.offload.checksum_offset);
    }
}

static void a_plain_packet_comes_with_zeros(tuntap *dev, int sock)
{
    sent.size = udp_packet(sent.packet, "10.8.0.1", "10.8.0.2", PORT, "plain", 5);
    memset(&sent.offload, 0, sizeof sent.offload);
    memset(&got.offload, 0x55, sizeof got.offload);
    CHECK(send_super(sock, 0, &sent) == 0);
    OK(read_it(dev, sizeof got.packet, &err));
    CHECK(memcmp(&got.offload, &sent.offload, sizeof got.offload) == 0);
    CHECK(memcmp(got.packet, sent.packet, sent.size) == 0);
}

/** At the end of memory that may be written: not a byte goes beyond. */
static void a_short_buffer_cuts_nothing(tuntap *dev, int sock)
{
    udp_super(&sent, 10, 100);
    for (size_t room = 0; room <= sent.size; room += room < 20 ? 1 : 59) {
        size_t size = room > sent.size ? sent.size : room;
        CHECK(send_super(sock, 0, &sent) == 0);
        memset(got.packet, 0xee, sizeof got.packet);
        got.offload.kind = 99;
        if (size < sent.size) {
            FAILS(read_it(dev, size, &err), EMSGSIZE, TUNTAP_REASON_BUFFER);
            CHECK(got.offload.kind == 99);
        } else {
            OK(read_it(dev, size, &err));
        }
        CHECK(got.packet[size] == 0xee);
    }
    FAILS(read_it(dev, sizeof got.packet, &err), EAGAIN, TUNTAP_REASON_AGAIN);
}

int main(void)
{
    tuntap *plain;
    begin();
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    a_super_packet_comes_as_it_is(dev, sock);
    a_plain_packet_comes_with_zeros(dev, sock);
    a_short_buffer_cuts_nothing(dev, sock);
    FAILS(tuntap_read_super(NULL, &got.offload, got.packet, 9000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_read_super(dev, NULL, got.packet, 9000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_read_super(dev, &got.offload, NULL, 9000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    close(sock);
    tuntap_close(dev);
    FAILS(read_it(NULL, 9000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_open("t0", TUNTAP_TUN, &plain, &err));
    FAILS(read_it(plain, 9000, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    tuntap_close(plain);
    return 0;
}
