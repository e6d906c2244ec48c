/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;
static struct packets packets;

/** Writes a packet into the writer's memory, like a program that decrypts into it. */
static void write_packet(tuntap_writer *writer, size_t number, size_t spare)
{
    void *memory;
    size_t size = length_of(&packets, number);
    OK(tuntap_writer_reserve(writer, size + spare, &memory, &err));
    memset(memory, 0xee, size + spare);
    memcpy(memory, packet_of(&packets, number), size);
    OK(tuntap_writer_commit(writer, size, &err));
}

static uint64_t received(tuntap *dev)
{
    tuntap_stats stats;
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    return stats.rx_packets;
}

static void packets_arrive(uint64_t flags, uint64_t trust)
{
    tuntap_writer *writer;
    tuntap *dev = ready_tun(flags);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_writer_new(dev, trust, &writer, &err));
    for (size_t size = 1; size <= 1000; size += 333) {
        clear(&packets);
        udp_super(&super, 40, size);
        split_super(&super, TUNTAP_TUN, &packets);
        uint64_t before = received(dev);
        for (size_t i = 0; i < packets.count; i++)
            write_packet(writer, i, i % 3 == 0 ? 16 : 0);
        OK(tuntap_writer_flush(writer, &err));
        receives_super(sock, 40, size);
        CHECK(received(dev) == before + (flags ? joined(40) : 40));
    }
    tuntap_writer_free(writer);
    close(sock);
    tuntap_close(dev);
}

/** Memory that is reserved but not committed does not change the packets before and after it. */
static void uncommitted_memory_is_dropped(uint64_t flags)
{
    void *memory;
    tuntap_writer *writer;
    tuntap *dev = ready_tun(flags);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    clear(&packets);
    udp_super(&super, 20, 900);
    split_super(&super, TUNTAP_TUN, &packets);
    for (size_t i = 0; i < packets.count; i++) {
        if (i % 2)
            write_packet(writer, i, 0);
        else
            OK(tuntap_writer_put(writer, packet_of(&packets, i), length_of(&packets, i), &err));
        OK(tuntap_writer_reserve(writer, 1400, &memory, &err));
        memset(memory, 0xdd, 1400);
    }
    OK(tuntap_writer_flush(writer, &err));
    FAILS(tuntap_writer_commit(writer, 928, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    receives_super(sock, 20, 900);
    OK(tuntap_writer_reserve(writer, 1400, &memory, &err));
    tuntap_writer_free(writer);
    close(sock);
    tuntap_close(dev);
}

/** Packets of two flows alternate, and some packets are never joined: all arrive in order. */
static void flows_may_alternate(void)
{
    enum { TURNS = 50 };
    static uint8_t data[3][800];
    tuntap_writer *writer;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int socks[] = {udp_socket("10.8.0.1", PORT), udp_socket("10.8.0.1", PORT + 1), udp_socket("10.8.0.1", PORT + 2)};
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    for (int i = 0; i < TURNS; i++)
        for (unsigned flow = 0; flow < 3; flow++) {
            void *memory;
            size_t size = flow < 2 ? 800 : 1 + (size_t)i * 7;
            memset(data[flow], i + (int)flow, size);
            OK(tuntap_writer_reserve(writer, UDP_OVERHEAD + size, &memory, &err));
            udp_packet(memory, "10.8.0.2", "10.8.0.1", PORT + flow, data[flow], size);
            if (flow == 2)
                memset((uint8_t *)memory + 26, 0, 2); /* no checksum */
            OK(tuntap_writer_commit(writer, UDP_OVERHEAD + size, &err));
        }
    OK(tuntap_writer_flush(writer, &err));
    for (int i = 0; i < TURNS; i++)
        for (unsigned flow = 0; flow < 3; flow++) {
            size_t size = flow < 2 ? 800 : 1 + (size_t)i * 7;
            memset(data[flow], i + (int)flow, size);
            udp_receives(socks[flow], data[flow], size);
        }
    tuntap_writer_free(writer);
    for (int i = 0; i < 3; i++)
        close(socks[i]);
    tuntap_close(dev);
}

/** When the writer is full, it writes its packets and has room again. */
static void a_full_writer_writes(void)
{
    enum { MANY = 3000, SIZE = 1400 };
    static uint8_t packet[UDP_OVERHEAD + SIZE], data[SIZE];
    tuntap_writer *writer;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    for (unsigned i = 0; i < MANY; i++) {
        void *memory;
        size_t size = udp_packet(packet, "10.8.0.2", "10.8.0.1", 2000 + i, data, i % SIZE);
        OK(tuntap_writer_reserve(writer, size, &memory, &err));
        memcpy(memory, packet, size);
        OK(tuntap_writer_commit(writer, size, &err));
    }
    OK(tuntap_writer_flush(writer, &err));
    CHECK(received(dev) == MANY);
    tuntap_writer_free(writer);
    tuntap_close(dev);
}

int main(void)
{
    tuntap_writer *writer;
    void *memory;
    begin();
    ipv4_only();
    packets_arrive(TUNTAP_OFFLOAD, 0);
    packets_arrive(TUNTAP_OFFLOAD, TUNTAP_TRUSTED);
    packets_arrive(0, 0);
    uncommitted_memory_is_dropped(TUNTAP_OFFLOAD);
    uncommitted_memory_is_dropped(0);
    flows_may_alternate();
    a_full_writer_writes();
    for (int i = 0; i < 2; i++) {
        tuntap *dev = ready_tun(i ? TUNTAP_OFFLOAD : 0);
        OK(tuntap_writer_new(dev, 0, &writer, &err));
        FAILS(tuntap_writer_reserve(writer, 0, &memory, &err), EINVAL, TUNTAP_REASON_PACKET);
        FAILS(tuntap_writer_reserve(writer, 65536, &memory, &err), EMSGSIZE, TUNTAP_REASON_PACKET);
        FAILS(tuntap_writer_reserve(writer, (size_t)-1, &memory, &err), EMSGSIZE, TUNTAP_REASON_PACKET);
        OK(tuntap_writer_reserve(writer, 65535, &memory, &err));
        memset(memory, 0, 65535);
        FAILS(tuntap_writer_reserve(writer, 100, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        FAILS(tuntap_writer_reserve(NULL, 100, &memory, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        tuntap_writer_free(writer);
        tuntap_close(dev);
    }
    return 0;
}
