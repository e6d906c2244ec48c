/* SPDX-License-Identifier: MIT
 *
 * A tunnel that encrypts in place: it reads packets with room for a header and a tag, seals them there, sends them as
 * runs with UDP_SEGMENT over the loopback device, and unseals them into the memory of a writer. All packets that went
 * out through the first device arrive on the other one. */
#include "super.h"

#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { HEADER = 16, TAG = 16, MANY = 256, MAX_SEGMENTS = 64, MAX_BYTES = 65507, TURNS = 300 };

static struct super super;
static tuntap_packet packets[MANY];
static uint64_t sealed, opened;

/** The key byte of a trivial cipher, from the packet's number and the byte's offset. The tag is a sum of the bytes. */
static uint8_t key_of(uint64_t number, size_t memory)
{
    return (uint8_t)(number * 31 + memory * 7 + 5);
}

static void seal(tuntap_packet *packet)
{
    uint8_t *bytes = packet->data, sum[TAG] = {0};
    memset(bytes - HEADER, 0, HEADER);
    memcpy(bytes - HEADER, &sealed, sizeof sealed);
    for (size_t i = 0; i < packet->size; i++) {
        sum[i % TAG] = (uint8_t)(sum[i % TAG] * 3 + bytes[i]);
        bytes[i] ^= key_of(sealed, i);
    }
    memcpy(bytes + packet->size, sum, TAG);
    sealed++;
}

/** Decrypts a datagram, and checks its tag. */
static void unseal(uint8_t *to, const uint8_t *from, size_t size)
{
    uint8_t sum[TAG] = {0};
    CHECK(memcmp(from, &opened, sizeof opened) == 0);
    for (size_t i = 0; i < size; i++) {
        to[i] = from[HEADER + i] ^ key_of(opened, i);
        sum[i % TAG] = (uint8_t)(sum[i % TAG] * 3 + to[i]);
    }
    CHECK(memcmp(from + HEADER + size, sum, TAG) == 0);
    opened++;
}

/** Receives a datagram, and decrypts its packet into the writer's memory. */
static void receive(int in, tuntap_writer *writer)
{
    static uint8_t datagram[LARGEST];
    void *memory;
    wait_for(in, POLLIN);
    ssize_t length = recv(in, datagram, sizeof datagram, 0);
    CHECK(length > HEADER + TAG);
    size_t size = (size_t)length - HEADER - TAG;
    OK(tuntap_writer_reserve(writer, size, &memory, &err));
    unseal(memory, datagram, size);
    OK(tuntap_writer_commit(writer, size, &err));
}

/** Sends a run of evenly spaced packets with one call. Returns the number of packets. */
static size_t send_run(int out, tuntap_packet *first)
{
    size_t stride = HEADER + first->size + TAG, count = first->run;
    if (count > MAX_SEGMENTS)
        count = MAX_SEGMENTS;
    if (count > MAX_BYTES / stride)
        count = MAX_BYTES / stride;
    for (size_t i = 0; i < count; i++)
        seal(first + i);
    const uint8_t *start = (const uint8_t *)first->data - HEADER;
    const uint8_t *end = (const uint8_t *)first[count - 1].data + first[count - 1].size + TAG;
    int segment = (int)stride;
    CHECK(setsockopt(out, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0);
    udp_send(out, "127.0.0.1", PORT + 1, start, (size_t)(end - start));
    return count;
}

/** Forwards a batch through the tunnel. Returns the number of sends. */
static size_t forward(tuntap_reader *reader, tuntap_writer *writer, int out, int in)
{
    size_t sends = 0;
    ssize_t count;
    while ((count = tuntap_reader_batch(reader, packets, MANY, sizeof *packets, &err)) > 0)
        for (ssize_t at = 0; at < count; sends++) {
            size_t sent = send_run(out, packets + at);
            for (size_t i = 0; i < sent; i++)
                receive(in, writer);
            at += (ssize_t)sent;
        }
    CHECK(count == 0);
    OK(tuntap_writer_flush(writer, &err));
    return sends;
}

static void all_packets_arrive(uint64_t flags)
{
    tuntap *from, *to;
    tuntap_reader *reader;
    tuntap_writer *writer;
    OK(tuntap_open("t0", TUNTAP_TUN | flags | TUNTAP_NONBLOCK, &to, &err));
    OK(tuntap_open("t1", TUNTAP_TUN | flags | TUNTAP_NONBLOCK, &from, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    IP("link set t1 up txqueuelen 5000");
    int raw = offload_socket("t1"), sock = udp_socket("10.8.0.1", PORT);
    int out = udp_socket("127.0.0.1", PORT), in = udp_socket("127.0.0.1", PORT + 1);
    OK(tuntap_reader_new(from, 0, &reader, &err));
    OK(tuntap_reader_set_room(reader, HEADER, TAG, &err));
    OK(tuntap_writer_new(to, 0, &writer, &err));
    size_t sends = 0, all = 0;
    sealed = opened = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        size_t count = 2 + below(40), size = 1 + below(turn % 2 ? 100 : 1400);
        udp_super(&super, count, size);
        CHECK(send_super(raw, 0, &super) == 0);
        sends += forward(reader, writer, out, in);
        all += count;
        receives_super(sock, count, size);
    }
    CHECK(sealed == all && opened == all && sends < all / 4);
    tuntap_reader_free(reader);
    tuntap_writer_free(writer);
    close(raw);
    close(sock);
    close(out);
    close(in);
    tuntap_close(from);
    tuntap_close(to);
}

int main(void)
{
    begin();
    ipv4_only();
    IP("link set lo up");
    all_packets_arrive(TUNTAP_OFFLOAD);
    all_packets_arrive(0);
    return 0;
}
