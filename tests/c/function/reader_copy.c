/* SPDX-License-Identifier: MIT */
#include "super.h"

enum { MANY = 300, ROOM = 1100 };

static struct super super;
static struct packets expected;
static tuntap_packet buffers[MANY];
static uint8_t memory[MANY][ROOM];

static void set_buffers(size_t size)
{
    memset(memory, 0xee, sizeof memory);
    for (size_t i = 0; i < MANY; i++)
        buffers[i] = (tuntap_packet){memory[i] + 32, size, 12345};
}

/** The buffers have the packets from this one on. The bytes beside the packets did not change. */
static void packets_are_in_the_buffers(size_t from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = length_of(&expected, from + i);
        CHECK(buffers[i].data == memory[i] + 32 && buffers[i].size == size && buffers[i].run == 1);
        CHECK(memcmp(memory[i] + 32, packet_of(&expected, from + i), size) == 0);
        CHECK(memory[i][31] == 0xee && memory[i][32 + size] == 0xee);
    }
    CHECK(buffers[count].size == ROOM - 64 && buffers[count].run == 12345);
}

static void each_packet_is_copied_to_its_buffer(uint64_t flags)
{
    tuntap_reader *reader;
    tuntap *dev = ready_tun(flags | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    OK(tuntap_reader_set_room(reader, 100, 100, &err)); /* The room applies only to tuntap_reader_batch. */
    for (size_t size = 1; size < 1000; size += 111) {
        clear(&expected);
        udp_super(&super, 30, size);
        CHECK(send_super(sock, 0, &super) == 0);
        split_super(&super, TUNTAP_TUN, &expected);
        set_buffers(ROOM - 64);
        CHECK(tuntap_reader_copy(reader, buffers, MANY, sizeof *buffers, NULL) == 30);
        packets_are_in_the_buffers(0, 30);
        CHECK(tuntap_reader_copy(reader, buffers, MANY, sizeof *buffers, NULL) == 0);
        FAILS(tuntap_reader_copy(reader, buffers, MANY, sizeof *buffers, &err), EAGAIN, TUNTAP_REASON_AGAIN);

        CHECK(send_super(sock, 0, &super) == 0);
        for (size_t from = 0; from < 30; from += 10) {
            set_buffers(ROOM - 64);
            CHECK(tuntap_reader_copy(reader, buffers, 10, sizeof *buffers, NULL) == 10);
            packets_are_in_the_buffers(from, 10);
        }
        CHECK(tuntap_reader_copy(reader, buffers, MANY, sizeof *buffers, NULL) == 0);
    }
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

/** A packet that is too long is not lost: a call with a larger buffer, or another function, returns it. */
static void a_packet_that_is_too_long_stays_the_next(uint64_t flags)
{
    void *packet;
    tuntap_reader *reader;
    tuntap *dev = ready_tun(flags | TUNTAP_NONBLOCK);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    for (int turn = 0; turn < 3; turn++) {
        uint8_t data[1000];
        memset(data, turn, sizeof data);
        udp_send(sock, "10.8.0.2", PORT, data, 100);
        udp_send(sock, "10.8.0.2", PORT, data, 1000);
        udp_send(sock, "10.8.0.2", PORT, data, 200);
        set_buffers(1027);
        CHECK(tuntap_reader_copy(reader, buffers, MANY, sizeof *buffers, NULL) == 1);
        is_udp_packet(buffers[0].data, buffers[0].size, "10.8.0.2", data, 100);
        set_buffers(1027);
        FAILS(tuntap_reader_copy(reader, buffers, MANY, sizeof *buffers, &err), EMSGSIZE, TUNTAP_REASON_BUFFER);
        MESSAGE_HAS("1028");
        CHECK(buffers[0].size == 1027 && memory[0][32] == 0xee);
        set_buffers(1028);
        if (turn == 0) {
            CHECK(tuntap_reader_copy(reader, buffers, MANY, sizeof *buffers, NULL) == 2);
            is_udp_packet(buffers[0].data, buffers[0].size, "10.8.0.2", data, 1000);
            is_udp_packet(buffers[1].data, buffers[1].size, "10.8.0.2", data, 200);
        } else if (turn == 1) {
            CHECK(tuntap_reader_next(reader, &packet, NULL) == 1028);
            is_udp_packet(packet, 1028, "10.8.0.2", data, 1000);
            CHECK(tuntap_reader_next(reader, &packet, NULL) == 228);
        } else {
            CHECK(tuntap_reader_batch(reader, buffers, MANY, sizeof *buffers, NULL) == 2);
            is_udp_packet(buffers[0].data, buffers[0].size, "10.8.0.2", data, 1000);
        }
        CHECK(tuntap_reader_copy(reader, buffers, MANY, sizeof *buffers, NULL) == 0);
    }
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

/** The structure of an earlier version is shorter, and the structure of a later version is longer. */
static void structures_of_other_versions_are_accepted(void)
{
    struct later {
        tuntap_packet packet;
        size_t more; /* size_t: padding would have to be 0 */
    } later[3];
    struct earlier {
        void *data;
        size_t size;
    } earlier[3];
    tuntap_reader *reader;
    tuntap *dev = ready_tun(TUNTAP_NONBLOCK);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    for (int i = 0; i < 4; i++)
        udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    for (int i = 0; i < 3; i++) {
        later[i] = (struct later){{memory[i], ROOM, 9}, 0};
        earlier[i] = (struct earlier){memory[i], ROOM};
    }
    CHECK(tuntap_reader_copy(reader, (tuntap_packet *)(void *)earlier, 2, sizeof *earlier, NULL) == 2);
    CHECK(earlier[1].size == 33 && earlier[2].data == memory[2] && earlier[2].size == ROOM);
    CHECK(tuntap_reader_copy(reader, &later[0].packet, 2, sizeof *later, NULL) == 2);
    CHECK(later[1].packet.size == 33 && later[1].packet.run == 1 && later[2].packet.size == ROOM);
    later[1].more = 1;
    FAILS(tuntap_reader_copy(reader, &later[0].packet, 2, sizeof *later, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_copy(reader, buffers, 2, 2 * sizeof(void *) - 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_copy(reader, buffers, 2, 4097, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_copy(reader, buffers, 0, sizeof *buffers, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_copy(reader, buffers, (size_t)-11, sizeof *buffers, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_copy(reader, NULL, 2, sizeof *buffers, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_copy(NULL, buffers, 2, sizeof *buffers, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    set_buffers(100);
    buffers[1].data = NULL;
    FAILS(tuntap_reader_copy(reader, buffers, 2, sizeof *buffers, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    each_packet_is_copied_to_its_buffer(TUNTAP_OFFLOAD);
    each_packet_is_copied_to_its_buffer(0);
    a_packet_that_is_too_long_stays_the_next(TUNTAP_OFFLOAD);
    a_packet_that_is_too_long_stays_the_next(0);
    structures_of_other_versions_are_accepted();
    return 0;
}
