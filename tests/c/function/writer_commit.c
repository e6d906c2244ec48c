/* SPDX-License-Identifier: MIT */
#include "super.h"

static uint8_t packet[200];

static uint64_t received(tuntap *dev)
{
    tuntap_stats stats;
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    return stats.rx_packets;
}

/** The memory of a refused packet stays reserved. The caller can correct the packet and commit it. */
static void it_fails_like_put(uint64_t flags)
{
    void *memory;
    tuntap_writer *writer;
    tuntap *dev = ready_tun(flags);
    int sock = udp_socket("10.8.0.1", PORT);
    size_t size = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    FAILS(tuntap_writer_commit(writer, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_writer_reserve(writer, size, &memory, &err));
    memset(memory, 0, size);
    FAILS(tuntap_writer_commit(writer, size, &err), EINVAL, TUNTAP_REASON_PACKET);
    memcpy(memory, packet, size);
    FAILS(tuntap_writer_commit(writer, size + 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_writer_commit(writer, (size_t)-1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_writer_commit(writer, 0, &err), EINVAL, TUNTAP_REASON_PACKET);
    FAILS(tuntap_writer_commit(writer, 19, &err), EINVAL, TUNTAP_REASON_PACKET);
    FAILS(tuntap_writer_commit(NULL, size, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_writer_commit(writer, size, &err));
    FAILS(tuntap_writer_commit(writer, size, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_writer_flush(writer, &err));
    udp_receives(sock, "hello", 5);
    CHECK(!is_readable(sock) && received(dev) == 1);
    tuntap_writer_free(writer);
    close(sock);
    tuntap_close(dev);
}

/** Without offload the commit reports it, otherwise the flush. */
static void a_device_that_is_down_is_reported(void)
{
    for (int i = 0; i < 2; i++) {
        void *memory;
        tuntap_writer *writer;
        tuntap *dev = ready_tun(i ? TUNTAP_OFFLOAD : 0);
        size_t size = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
        OK(tuntap_writer_new(dev, 0, &writer, &err));
        OK(tuntap_writer_reserve(writer, size, &memory, &err));
        memcpy(memory, packet, size);
        IP("link set t0 down");
        if (i) {
            OK(tuntap_writer_commit(writer, size, &err));
            FAILS(tuntap_writer_flush(writer, &err), ENETDOWN, TUNTAP_REASON_DOWN);
            MESSAGE_HAS("1 packet is lost");
        } else {
            FAILS(tuntap_writer_commit(writer, size, &err), ENETDOWN, TUNTAP_REASON_DOWN);
            IP("link set t0 up");
            OK(tuntap_writer_commit(writer, size, &err));
            CHECK(received(dev) == 1);
        }
        tuntap_writer_free(writer);
        tuntap_close(dev);
    }
}

/** Without room a packet stays in the writer. Each packet is written once. */
static void without_room_packets_stay_in_the_writer(uint64_t flags)
{
    enum { MANY = 3000 };
    void *memory;
    tuntap_writer *writer;
    int taken = 0, result = 0;
    tuntap *dev = full_device(flags | TUNTAP_NONBLOCK, 1);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    uint64_t before = received(dev);
    for (; taken < MANY; taken++) {
        result = tuntap_writer_reserve(writer, sizeof stray_frame, &memory, &err);
        if (result < 0)
            break;
        memcpy(memory, stray_frame, sizeof stray_frame);
        result = tuntap_writer_commit(writer, sizeof stray_frame, &err);
        if (result < 0)
            break;
    }
    CHECK(result == -EAGAIN && err.reason == TUNTAP_REASON_AGAIN && (flags ? taken > 100 : taken == 0));
    make_room();
    OK(tuntap_set_sndbuf(dev, 1 << 30, &err));
    if (flags) {
        OK(tuntap_writer_reserve(writer, sizeof stray_frame, &memory, &err));
        memcpy(memory, stray_frame, sizeof stray_frame);
    }
    OK(tuntap_writer_commit(writer, sizeof stray_frame, &err));
    OK(tuntap_writer_flush(writer, &err));
    CHECK(received(dev) == before + (uint64_t)taken + 1);
    tuntap_writer_free(writer);
    close_full_device(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    it_fails_like_put(TUNTAP_OFFLOAD);
    it_fails_like_put(0);
    a_device_that_is_down_is_reported();
    without_room_packets_stay_in_the_writer(TUNTAP_OFFLOAD);
    without_room_packets_stay_in_the_writer(0);
    return 0;
}
