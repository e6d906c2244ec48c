/* SPDX-License-Identifier: MIT
 *
 * A cipher may leave values in the upper halves of the vector registers, which slow down all that follows. Each
 * function that reads or writes a packet zeroes them, with TUNTAP_TRUSTED and a short packet too, where no sum is
 * computed. */
#include "super.h"

#ifdef __x86_64__

/* Builds for processors with AVX zero them at other times as well, but never set them. */
static void dirty(void)
{
    static const uint8_t ones[32] = {[0] = 1, [16] = 1, [31] = 1};
    __asm__ volatile("vmovdqu %0, %%ymm15" : : "m"(ones) : "xmm15");
}

static int is_dirty(void)
{
    uint8_t now[32];
    __asm__ volatile("vmovdqu %%ymm15, %0" : "=m"(now));
    for (size_t i = 16; i < sizeof now; i++)
        if (now[i] != 0)
            return 1;
    return 0;
}

/** The call succeeds, and leaves no upper half. */
#define CLEANS(call)         \
    do {                     \
        dirty();             \
        CHECK(is_dirty());   \
        OK(call);            \
        CHECK(!is_dirty());  \
    } while (0)

enum { SIZE = 32 };

static void in_memory(void)
{
    static struct super super;
    static uint8_t room[LARGEST];
    tuntap_splitter *splitter;
    tuntap_joiner *joiner;
    void *packet;
    OK(tuntap_splitter_new(TUNTAP_TUN | TUNTAP_TRUSTED, &splitter, &err));
    OK(tuntap_joiner_new(TUNTAP_TUN | TUNTAP_TRUSTED, &joiner, &err));
    udp_super(&super, 3, SIZE);
    OK(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, super.packet, super.size, &err));
    CLEANS(tuntap_splitter_next(splitter, &packet, &err));
    CLEANS(tuntap_splitter_copy(splitter, room, sizeof room, &err));
    CLEANS(tuntap_joiner_put(joiner, room, UDP_OVERHEAD + SIZE, &err));
    tuntap_joiner_free(joiner);
    tuntap_splitter_free(splitter);
}

static void reads(tuntap *dev)
{
    static uint8_t room[LARGEST];
    const uint8_t data[SIZE] = {0};
    tuntap_packet packets[4] = {{room, sizeof room, 0}};
    tuntap_reader *reader;
    void *packet;
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_reader_new(dev, TUNTAP_TRUSTED, &reader, &err));
    for (int i = 0; i < 4; i++)
        udp_send(sock, "10.8.0.2", PORT, data, sizeof data);
    CLEANS(tuntap_reader_next(reader, &packet, &err));
    CLEANS(tuntap_reader_copy(reader, packets, 1, sizeof *packets, &err));
    CLEANS(tuntap_reader_batch(reader, packets, 2, sizeof *packets, &err));
    tuntap_reader_free(reader);
    close(sock);
}

static void writes(tuntap *dev)
{
    const uint8_t data[SIZE] = {0};
    uint8_t packet[UDP_OVERHEAD + SIZE];
    size_t length = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, data, sizeof data), taken;
    const tuntap_packet packets[1] = {{packet, length, 0}};
    tuntap_writer *writer;
    void *room;
    OK(tuntap_writer_new(dev, TUNTAP_TRUSTED, &writer, &err));
    CLEANS(tuntap_writer_put(writer, packet, length, &err));
    OK(tuntap_writer_reserve(writer, length, &room, &err));
    memcpy(room, packet, length);
    CLEANS(tuntap_writer_commit(writer, length, &err));
    CLEANS(tuntap_writer_batch(writer, packets, 1, sizeof *packets, &taken, &err));
    tuntap_writer_free(writer);
}

int main(void)
{
    begin();
    if (!__builtin_cpu_supports("avx2"))
        skip("the processor has no AVX2");
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    in_memory();
    reads(dev);
    writes(dev);
    tuntap_close(dev);
    return 0;
}

#else

int main(void)
{
    return 0;
}

#endif
