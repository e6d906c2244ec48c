/* SPDX-License-Identifier: MIT
 *
 * A cipher may leave values in the upper halves of the vector registers, which slow down later instructions. Each
 * function that reads or writes a packet zeroes them, also with TUNTAP_TRUSTED and a short packet, where no checksum is
 * computed. */
#include "super.h"

#ifdef __x86_64__

/* Builds for processors with AVX zero them at other times as well, but never set them. */
static void set_upper_half(void)
{
    static const uint8_t ones[32] = {[0] = 1, [16] = 1, [31] = 1};
    __asm__ volatile("vmovdqu %0, %%ymm15" : : "m"(ones) : "xmm15");
}

static int upper_half_is_set(void)
{
    uint8_t now[32];
    __asm__ volatile("vmovdqu %%ymm15, %0" : "=m"(now));
    for (size_t i = 16; i < sizeof now; i++)
        if (now[i] != 0)
            return 1;
    return 0;
}

/** The call succeeds and zeroes the upper halves. */
#define ZEROES(call)         \
    do {                     \
        set_upper_half();             \
        CHECK(upper_half_is_set());   \
        OK(call);            \
        CHECK(!upper_half_is_set());  \
    } while (0)

enum { SIZE = 32 };

static void splitter_and_joiner_zero_them(void)
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
    ZEROES(tuntap_splitter_next(splitter, &packet, &err));
    ZEROES(tuntap_splitter_copy(splitter, room, sizeof room, &err));
    ZEROES(tuntap_joiner_put(joiner, room, UDP_OVERHEAD + SIZE, &err));
    tuntap_joiner_free(joiner);
    tuntap_splitter_free(splitter);
}

static void reads_zero_them(tuntap *dev)
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
    ZEROES(tuntap_reader_next(reader, &packet, &err));
    ZEROES(tuntap_reader_copy(reader, packets, 1, sizeof *packets, &err));
    ZEROES(tuntap_reader_batch(reader, packets, 2, sizeof *packets, &err));
    tuntap_reader_free(reader);
    close(sock);
}

static void writes_zero_them(tuntap *dev)
{
    const uint8_t data[SIZE] = {0};
    uint8_t packet[UDP_OVERHEAD + SIZE];
    size_t length = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, data, sizeof data), taken;
    const tuntap_packet packets[1] = {{packet, length, 0}};
    tuntap_writer *writer;
    void *room;
    OK(tuntap_writer_new(dev, TUNTAP_TRUSTED, &writer, &err));
    ZEROES(tuntap_writer_put(writer, packet, length, &err));
    OK(tuntap_writer_reserve(writer, length, &room, &err));
    memcpy(room, packet, length);
    ZEROES(tuntap_writer_commit(writer, length, &err));
    ZEROES(tuntap_writer_batch(writer, packets, 1, sizeof *packets, &taken, &err));
    tuntap_writer_free(writer);
}

int main(void)
{
    begin();
    if (!__builtin_cpu_supports("avx2"))
        skip("the processor has no AVX2");
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    splitter_and_joiner_zero_them();
    reads_zero_them(dev);
    writes_zero_them(dev);
    tuntap_close(dev);
    return 0;
}

#else

int main(void)
{
    return 0;
}

#endif
