/* SPDX-License-Identifier: MIT */
#include "super.h"

#include <pthread.h>

static struct super super;
static struct packets expected, got;

/** Reads one batch to its end. */
static void take_batch(tuntap_reader *reader)
{
    void *packet;
    ssize_t length;
    while ((length = tuntap_reader_next(reader, &packet, NULL)) > 0)
        append(&got, packet, (size_t)length);
    CHECK(length == 0);
}

static void is_as_expected(void)
{
    CHECK(got.count == expected.count);
    for (size_t i = 0; i < got.count; i++)
        CHECK(length_of(&got, i) == length_of(&expected, i) &&
              memcmp(packet_of(&got, i), packet_of(&expected, i), length_of(&got, i)) == 0);
}

/** Reads all queued batches. The kernel splits a super-packet of more than 64 KiB into two. */
static void take_batches(tuntap_reader *reader)
{
    void *packet;
    ssize_t length;
    do {
        while ((length = tuntap_reader_next(reader, &packet, NULL)) > 0) {
            append(&got, packet, (size_t)length);
            /* The caller may overwrite the packet: the next packets do not change. */
            memset(packet, 0xaa, (size_t)length);
        }
    } while (length == 0);
    CHECK(length == -EAGAIN);
}

/** The packets are the same as from a device without offload, where the kernel splits super-packets. */
static void super_packets_are_split_into_packets(uint64_t kind)
{
    tuntap *dev, *plain;
    tuntap_reader *reader;
    OK(tuntap_open("t0", kind | TUNTAP_OFFLOAD | TUNTAP_NONBLOCK, &dev, &err));
    OK(tuntap_open("t1", kind | TUNTAP_NONBLOCK, &plain, &err));
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    IP("link set t0 up txqueuelen 5000");
    IP("link set t1 up txqueuelen 5000");
    int sock = offload_socket("t0"), plain_sock = offload_socket("t1");
    for (int i = 0; i < 1000; i++) {
        random_super(&super, kind == TUNTAP_TAP, 0xf9);
        clear(&got);
        clear(&expected);
        CHECK(send_super(sock, kind == TUNTAP_TAP, &super) == 0);
        CHECK(send_super(plain_sock, kind == TUNTAP_TAP, &super) == 0);
        take_packets(tuntap_get_fd(plain, NULL), &expected);
        take_batches(reader);
        is_as_expected();
    }
    tuntap_reader_free(reader);
    close(sock);
    close(plain_sock);
    tuntap_close(plain);
    tuntap_close(dev);
}

/** A batch has all queued packets, up to a limit. A single packet does not wait for others. */
static void a_batch_has_all_queued_packets(uint64_t flags)
{
    void *packet;
    tuntap_reader *reader;
    tuntap *dev = ready_tun(flags | TUNTAP_NONBLOCK);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    for (size_t count = 1; count <= 64; count += 21) {
        for (size_t i = 0; i < count; i++)
            udp_send(sock, "10.8.0.2", PORT, "hello", 5);
        for (size_t i = 0; i < count; i++)
            CHECK(tuntap_reader_next(reader, &packet, NULL) == UDP_OVERHEAD + 5);
        CHECK(tuntap_reader_next(reader, &packet, NULL) == 0);
        FAILS(tuntap_reader_next(reader, &packet, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    }
    for (int i = 0; i < 300; i++)
        udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    clear(&got);
    take_batch(reader);
    CHECK(got.count == 256);
    take_batch(reader);
    CHECK(got.count == 300);
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

static void *send_later(void *argument)
{
    usleep(100000);
    udp_send(*(int *)argument, "10.8.0.2", PORT, "hello", 5);
    return NULL;
}

static void *wake_later(void *argument)
{
    usleep(100000);
    tuntap_wake(argument);
    return NULL;
}

static void a_blocking_reader_waits_for_the_first_packet(void)
{
    void *packet;
    pthread_t thread;
    tuntap_reader *reader;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&thread, NULL, send_later, &sock) == 0);
        CHECK(tuntap_reader_next(reader, &packet, NULL) == UDP_OVERHEAD + 5);
        CHECK(tuntap_reader_next(reader, &packet, NULL) == 0);
        pthread_join(thread, NULL);
    }
    CHECK(pthread_create(&thread, NULL, wake_later, dev) == 0);
    FAILS(tuntap_reader_next(reader, &packet, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    pthread_join(thread, NULL);
    FAILS(tuntap_reader_next(NULL, &packet, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_next(reader, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_reader_next(reader, &packet, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

/** tuntap_read and tuntap_readv also return the packets of a super-packet one by one. */
static void read_and_readv_return_one_packet_per_call(void)
{
    static uint8_t buf[2000], parts[2][700];
    struct iovec iovecs[2] = {{parts[0], sizeof parts[0]}, {parts[1], sizeof parts[1]}};
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    udp_super(&super, 10, 1000);
    clear(&expected);
    split_super(&super, TUNTAP_TUN, &expected);
    CHECK(send_super(sock, 0, &super) == 0);
    for (size_t i = 0; i < 5; i++) {
        CHECK(tuntap_read(dev, buf, sizeof buf, NULL) == UDP_OVERHEAD + 1000);
        CHECK(memcmp(buf, packet_of(&expected, i), UDP_OVERHEAD + 1000) == 0);
    }
    CHECK(tuntap_readv(dev, iovecs, 2, NULL) == UDP_OVERHEAD + 1000);
    CHECK(memcmp(parts[0], packet_of(&expected, 5), 700) == 0);
    CHECK(memcmp(parts[1], packet_of(&expected, 5) + 700, UDP_OVERHEAD + 300) == 0);
    FAILS(tuntap_read(dev, buf, 1000, &err), EMSGSIZE, TUNTAP_REASON_BUFFER);
    FAILS(tuntap_readv(dev, iovecs, 1, &err), EMSGSIZE, TUNTAP_REASON_BUFFER);
    for (size_t i = 8; i < 10; i++) {
        CHECK(tuntap_read(dev, buf, sizeof buf, NULL) == UDP_OVERHEAD + 1000);
        CHECK(memcmp(buf, packet_of(&expected, i), UDP_OVERHEAD + 1000) == 0);
    }
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    close(sock);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    super_packets_are_split_into_packets(TUNTAP_TUN);
    super_packets_are_split_into_packets(TUNTAP_TAP);
    a_batch_has_all_queued_packets(TUNTAP_OFFLOAD);
    a_batch_has_all_queued_packets(0);
    a_blocking_reader_waits_for_the_first_packet();
    read_and_readv_return_one_packet_per_call();
    return 0;
}
