/* SPDX-License-Identifier: MIT */
#include "super.h"

#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { MANY = 4097 };

static struct super super;
static struct packets expected;
static tuntap_packet got[MANY];

/** Sends super-packets of `count` datagrams of `size` bytes and one of `last` bytes. */
static void send_run(int sock, size_t count, size_t size, size_t last)
{
    udp_super(&super, count + (last > 0), size);
    super.size -= last > 0 ? size - last : 0;
    put16(super.packet + 2, super.size);
    put16(super.packet + 24, super.size - 20);
    put16(super.packet + 10, 0);
    put16(super.packet + 10, checksum(super.packet, 20, 0));
    uint32_t pseudo = (uint32_t)(super.size - 20) + IPPROTO_UDP + sum_of(super.packet + 12, 8);
    put16(super.packet + 26, (uint16_t)~checksum(NULL, 0, pseudo));
    CHECK(send_super(sock, 0, &super) == 0);
    split_super(&super, TUNTAP_TUN, &expected);
}

/** The caller may write to the room before and behind each packet: no packet changes. */
static void is_as_expected(size_t count, size_t headroom, size_t tailroom)
{
    CHECK(count == expected.count);
    for (size_t i = 0; i < count; i++) {
        CHECK(got[i].size == length_of(&expected, i));
        memset((uint8_t *)got[i].data - headroom, 0xaa, headroom);
        memset((uint8_t *)got[i].data + got[i].size, 0x55, tailroom);
        if (i > 0)
            CHECK((uint8_t *)got[i].data - headroom == (uint8_t *)got[i - 1].data + got[i - 1].size + tailroom);
    }
    for (size_t i = 0; i < count; i++)
        CHECK(memcmp(got[i].data, packet_of(&expected, i), got[i].size) == 0);
}

static void packets_have_room(uint64_t flags, size_t headroom, size_t tailroom)
{
    static const size_t runs[] = {6, 5, 4, 3, 2, 1, 4, 3, 2, 1, 1};
    tuntap_reader *reader;
    tuntap *dev = ready_tun(flags | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    OK(tuntap_reader_set_room(reader, headroom, tailroom, &err));
    for (int turn = 0; turn < 3; turn++) {
        clear(&expected);
        send_run(sock, 5, 100, 40);
        send_run(sock, 3, 200, 150);
        send_run(sock, 1, 700, 0);
        CHECK(tuntap_reader_batch(reader, got, MANY, sizeof *got, NULL) == 11);
        is_as_expected(11, headroom, tailroom);
        for (size_t i = 0; i < 11; i++)
            CHECK(got[i].run == runs[i]);
        CHECK(tuntap_reader_batch(reader, got, MANY, sizeof *got, NULL) == 0);
    }

    /* A run ends with the list. */
    clear(&expected);
    send_run(sock, 5, 100, 0);
    CHECK(tuntap_reader_batch(reader, got, 3, sizeof *got, NULL) == 3);
    CHECK(got[0].run == 3 && got[1].run == 2 && got[2].run == 1);
    CHECK(tuntap_reader_batch(reader, got, 3, sizeof *got, NULL) == 2);
    CHECK(got[0].run == 2 && got[1].run == 1);
    CHECK(tuntap_reader_batch(reader, got, 3, sizeof *got, NULL) == 0);

    /* Packets that do not fit into the memory of the reader, or into the batch, come with the next calls. */
    clear(&expected);
    send_run(sock, 60, 1000, 0);
    size_t all = 0;
    ssize_t count;
    while ((count = tuntap_reader_batch(reader, got + all, MANY - all, sizeof *got, NULL)) >= 0) {
        for (ssize_t i = 0; i < count; i++, all++)
            CHECK(got[all].size == 1028 && memcmp(got[all].data, packet_of(&expected, all), 1028) == 0);
    }
    CHECK(count == -EAGAIN && all == 60);
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

static void room_has_a_limit(void)
{
    tuntap_reader *reader;
    tuntap *dev = ready_tun(0);
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    OK(tuntap_reader_set_room(reader, 4096, 0, &err));
    OK(tuntap_reader_set_room(reader, 0, 4096, &err));
    OK(tuntap_reader_set_room(reader, 0, 0, &err));
    FAILS(tuntap_reader_set_room(reader, 4096, 1, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_reader_set_room(reader, (size_t)-1, (size_t)-1, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_reader_set_room(NULL, 1, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_reader_free(reader);
    tuntap_close(dev);
}

/** A run has no more packets, and with their room no more bytes, than one send with UDP_SEGMENT accepts. */
static void runs_have_limits(void)
{
    tuntap_reader *reader;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    OK(tuntap_reader_set_room(reader, 300, 200, &err));
    clear(&expected);
    send_run(sock, 100, 72, 10);
    CHECK(tuntap_reader_batch(reader, got, MANY, sizeof *got, NULL) == 101);
    for (size_t i = 0; i < 101; i++)
        CHECK(got[i].run == (101 - i < 60 ? 101 - i : 60));
    CHECK(tuntap_reader_batch(reader, got, MANY, sizeof *got, NULL) == 0);

    clear(&expected);
    send_run(sock, 60, 1000, 0);
    CHECK(tuntap_reader_batch(reader, got, MANY, sizeof *got, NULL) == 60);
    size_t most = 65507 / (1000 + UDP_OVERHEAD + 500);
    for (size_t i = 0; i < 60; i++)
        CHECK(got[i].run == (60 - i < most ? 60 - i : most));
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

/** If packets were read one by one, a batch ends with a run, so that one send is enough for each batch. */
static void batches_end_with_a_run(uint64_t flags)
{
    enum { COUNT = 100, SIZE = 1400, HEADROOM = 16, TAILROOM = 16 };
    enum { FITS = 65507 / (HEADROOM + UDP_OVERHEAD + SIZE + TAILROOM) };
    static const ssize_t batches[] = {FITS, 0, FITS, 0, COUNT - 2 * FITS, 0, -EAGAIN};
    tuntap_reader *reader;
    tuntap *dev = ready_tun(flags | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    OK(tuntap_reader_set_room(reader, HEADROOM, TAILROOM, &err));
    for (int i = 0; i < COUNT; i++) {
        clear(&expected);
        send_run(sock, 1, SIZE, 0);
    }
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        CHECK(tuntap_reader_batch(reader, got, MANY, sizeof *got, NULL) == batches[i]);
        CHECK(batches[i] <= 0 || got[0].run == (size_t)batches[i]);
    }
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

/** Each packet gets 16 bytes before and behind it in place, and one call sends the whole run. */
static void a_run_is_sent_at_once(void)
{
    enum { HEADER = 16, TAG = 16, SIZE = 500, COUNT = 40 };
    static uint8_t sealed[2000];
    tuntap_reader *reader;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    IP("link set lo up");
    int sock = offload_socket("t0"), out = udp_socket("127.0.0.1", PORT), in = udp_socket("127.0.0.1", PORT + 1);
    int segment = HEADER + UDP_OVERHEAD + SIZE + TAG;
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    OK(tuntap_reader_set_room(reader, HEADER, TAG, &err));
    clear(&expected);
    send_run(sock, COUNT, SIZE, 123);
    CHECK(tuntap_reader_batch(reader, got, MANY, sizeof *got, NULL) == COUNT + 1 && got[0].run == COUNT + 1);
    for (int i = 0; i <= COUNT; i++) {
        memset((uint8_t *)got[i].data - HEADER, i, HEADER);
        memset((uint8_t *)got[i].data + got[i].size, ~i, TAG);
    }
    const uint8_t *start = (const uint8_t *)got[0].data - HEADER;
    size_t bytes = (size_t)((uint8_t *)got[COUNT].data + got[COUNT].size + TAG - start);
    CHECK(setsockopt(out, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0);
    udp_send(out, "127.0.0.1", PORT + 1, start, bytes);
    for (size_t i = 0; i <= COUNT; i++) {
        size_t size = length_of(&expected, i);
        memset(sealed, (int)i, HEADER);
        memcpy(sealed + HEADER, packet_of(&expected, i), size);
        memset(sealed + HEADER + size, (int)~i, TAG);
        udp_receives(in, sealed, HEADER + size + TAG);
    }
    tuntap_reader_free(reader);
    close(sock);
    close(out);
    close(in);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    packets_have_room(TUNTAP_OFFLOAD, 0, 0);
    packets_have_room(TUNTAP_OFFLOAD, 32, 16);
    packets_have_room(TUNTAP_OFFLOAD, 4095, 1);
    packets_have_room(TUNTAP_OFFLOAD, 0, 7);
    packets_have_room(0, 48, 16);
    room_has_a_limit();
    runs_have_limits();
    batches_end_with_a_run(0);
    batches_end_with_a_run(TUNTAP_OFFLOAD);
    a_run_is_sent_at_once();
    return 0;
}
