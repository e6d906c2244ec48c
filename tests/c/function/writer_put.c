/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;
static struct packets packets;

static void put_all(tuntap_writer *writer)
{
    for (size_t i = 0; i < packets.count; i++)
        OK(tuntap_writer_put(writer, packet_of(&packets, i), length_of(&packets, i), &err));
}

/** The writer copies each packet: the caller overwrites its memory after each put. */
static void packets_arrive_unchanged(uint64_t flags)
{
    static uint8_t own[2000];
    tuntap_writer *writer;
    tuntap *dev = ready_tun(flags);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    udp_super(&super, 40, 1000);
    clear(&packets);
    split_super(&super, TUNTAP_TUN, &packets);
    for (size_t i = 0; i < packets.count; i++) {
        memcpy(own, packet_of(&packets, i), length_of(&packets, i));
        OK(tuntap_writer_put(writer, own, length_of(&packets, i), &err));
        memset(own, 0, sizeof own);
    }
    OK(tuntap_writer_flush(writer, &err));
    receives_super(sock, 40, 1000);
    tuntap_writer_free(writer);
    close(sock);
    tuntap_close(dev);
}

/** The writer does not correct a wrong checksum: the kernel drops only that packet. */
static void a_wrong_checksum_stays_wrong(size_t offset, size_t bad)
{
    tuntap_writer *writer;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);
    uint8_t data[100];
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    udp_super(&super, 10, 100);
    clear(&packets);
    split_super(&super, TUNTAP_TUN, &packets);
    packets.bytes[packets.at[bad] + offset] ^= 1;
    put_all(writer);
    OK(tuntap_writer_flush(writer, &err));
    for (size_t i = 0; i < 10; i++) {
        memset(data, (int)i, sizeof data);
        if (i != bad)
            udp_receives(sock, data, sizeof data);
    }
    CHECK(!is_readable(sock));
    tuntap_writer_free(writer);
    close(sock);
    tuntap_close(dev);
}

/** With TUNTAP_TRUSTED, a packet with a wrong checksum arrives. */
static void trust_skips_the_check(void)
{
    tuntap_writer *writer;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_writer_new(dev, TUNTAP_TRUSTED, &writer, &err));
    for (size_t count = 10; count > 0; count /= 10) {
        udp_super(&super, count, 100);
        clear(&packets);
        split_super(&super, TUNTAP_TUN, &packets);
        packets.bytes[packets.at[0] + 26] ^= 1;
        put_all(writer);
        OK(tuntap_writer_flush(writer, &err));
        receives_super(sock, count, 100);
    }
    tuntap_writer_free(writer);
    close(sock);
    tuntap_close(dev);
}

/** A full writer writes its packets before the flush. */
static void a_full_writer_writes(void)
{
    tuntap_writer *writer;
    tuntap_stats stats;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    for (unsigned i = 0; i < 3000; i++) {
        super.size = udp_packet(super.packet, "10.8.0.2", "10.8.0.1", 2000 + i, "hello", 5);
        OK(tuntap_writer_put(writer, super.packet, super.size, &err));
    }
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(stats.rx_packets > 1000 && stats.rx_packets < 3000);
    OK(tuntap_writer_flush(writer, &err));
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    CHECK(stats.rx_packets == 3000);
    tuntap_writer_free(writer);
    tuntap_close(dev);
}

static void invalid_packets_are_refused(uint64_t flags)
{
    tuntap_writer *writer;
    tuntap *dev = ready_tun(flags);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    memset(super.packet, 0, sizeof super.packet);
    FAILS(tuntap_writer_put(writer, super.packet, 0, &err), EINVAL, TUNTAP_REASON_PACKET);
    FAILS(tuntap_writer_put(writer, super.packet, 100, &err), EINVAL, TUNTAP_REASON_PACKET);
    super.packet[0] = 0x45;
    FAILS(tuntap_writer_put(writer, super.packet, 19, &err), EINVAL, TUNTAP_REASON_PACKET);
    FAILS(tuntap_writer_put(writer, super.packet, 65536, &err), EMSGSIZE, TUNTAP_REASON_PACKET);
    FAILS(tuntap_writer_put(writer, NULL, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_writer_put(NULL, super.packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_writer_free(writer);
    tuntap_close(dev);
}

/** tuntap_write and tuntap_writev write plain packets to a device with offload. */
static void write_and_writev_still_write_plain_packets(void)
{
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);
    super.size = udp_packet(super.packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    struct iovec parts[2] = {{super.packet, 7}, {super.packet + 7, super.size - 7}};
    CHECK(tuntap_write(dev, super.packet, super.size, NULL) == (ssize_t)super.size);
    udp_receives(sock, "hello", 5);
    CHECK(tuntap_writev(dev, parts, 2, NULL) == (ssize_t)super.size);
    udp_receives(sock, "hello", 5);
    close(sock);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    packets_arrive_unchanged(TUNTAP_OFFLOAD);
    packets_arrive_unchanged(0);
    for (size_t bad = 0; bad < 10; bad += 3) {
        a_wrong_checksum_stays_wrong(50, bad);
        a_wrong_checksum_stays_wrong(27, bad);
        a_wrong_checksum_stays_wrong(11, bad);
    }
    trust_skips_the_check();
    a_full_writer_writes();
    invalid_packets_are_refused(TUNTAP_OFFLOAD);
    invalid_packets_are_refused(0);
    write_and_writev_still_write_plain_packets();
    return 0;
}
