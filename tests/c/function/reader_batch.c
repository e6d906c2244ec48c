/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;
static struct packets expected;
static tuntap_packet got[4097];

static void is_as_expected(size_t count)
{
    CHECK(count == expected.count);
    for (size_t i = 0; i < count; i++)
        CHECK(got[i].size == length_of(&expected, i) &&
              memcmp(got[i].data, packet_of(&expected, i), got[i].size) == 0);
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
        clear(&expected);
        for (int j = 0; j < 3; j++) {
            random_super(&super, kind == TUNTAP_TAP, 0xf9);
            if (super.size > 20000)
                continue;
            CHECK(send_super(sock, kind == TUNTAP_TAP, &super) == 0);
            CHECK(send_super(plain_sock, kind == TUNTAP_TAP, &super) == 0);
        }
        take_packets(tuntap_get_fd(plain, NULL), &expected);
        if (expected.count == 0)
            continue;
        ssize_t count = tuntap_reader_batch(reader, got, 4097, sizeof *got, &err);
        CHECK(count > 0);
        is_as_expected((size_t)count);
        CHECK(tuntap_reader_batch(reader, got, 4097, sizeof *got, NULL) == 0);
    }
    tuntap_reader_free(reader);
    close(sock);
    close(plain_sock);
    tuntap_close(plain);
    tuntap_close(dev);
}

/** If the caller's list or the library's memory is too small, the other packets come with the next calls. */
static void packets_that_do_not_fit_come_with_the_next_calls(void)
{
    tuntap_reader *reader;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    int sock = offload_socket("t0");
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    udp_super(&super, 10, 100);
    CHECK(send_super(sock, 0, &super) == 0);
    CHECK(tuntap_reader_batch(reader, got, 4, sizeof *got, NULL) == 4);
    CHECK(tuntap_reader_batch(reader, got, 4, sizeof *got, NULL) == 4);
    CHECK(tuntap_reader_batch(reader, got, 4, sizeof *got, NULL) == 2);
    CHECK(((uint8_t *)got[1].data)[UDP_OVERHEAD] == 9);
    CHECK(tuntap_reader_batch(reader, got, 4, sizeof *got, NULL) == 0);
    FAILS(tuntap_reader_batch(reader, got, 4, sizeof *got, &err), EAGAIN, TUNTAP_REASON_AGAIN);

    tcp_super(&super, 6000, 10);
    CHECK(send_super(sock, 0, &super) == 0);
    size_t all = 0;
    ssize_t count;
    while ((count = tuntap_reader_batch(reader, got, 4097, sizeof *got, NULL)) > 0)
        all += (size_t)count;
    CHECK(count == 0 && all == 6000);

    FAILS(tuntap_reader_batch(reader, got, 0, sizeof *got, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_batch(reader, got, (size_t)-11, sizeof *got, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_batch(reader, NULL, 4, sizeof *got, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_batch(NULL, got, 4, sizeof *got, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_reader_batch(reader, got, 4, sizeof *got, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

/** After 0 the reader has no packets, and poll(2) tells whether the device has some. An event loop needs no -EAGAIN. */
static void zero_ends_a_batch(uint64_t flags)
{
    void *packet;
    tuntap_reader *reader;
    tuntap *dev = ready_tun(flags | TUNTAP_NONBLOCK);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    for (size_t all = 1; all < 600; all += 99) {
        size_t seen = 0;
        for (size_t i = 0; i < all; i++)
            udp_send(sock, "10.8.0.2", PORT, "hello", 5);
        while (is_readable(tuntap_get_fd(dev, NULL))) {
            ssize_t count;
            while ((count = tuntap_reader_batch(reader, got, 100, sizeof *got, NULL)) > 0)
                seen += (size_t)count;
            CHECK(count == 0);
        }
        CHECK(seen == all);
    }

    /* The end is reported once, by the next call of either function. */
    for (int i = 0; i < 2; i++) {
        udp_send(sock, "10.8.0.2", PORT, "hello", 5);
        udp_send(sock, "10.8.0.2", PORT, "hello", 5);
        CHECK(tuntap_reader_batch(reader, got, 100, sizeof *got, NULL) == 2);
        CHECK(tuntap_reader_next(reader, &packet, NULL) == 0);
        FAILS(i ? tuntap_reader_next(reader, &packet, &err) : tuntap_reader_batch(reader, got, 4, sizeof *got, &err),
              EAGAIN, TUNTAP_REASON_AGAIN);
    }

    /* A failure behind packets is also reported once. */
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    CHECK(tuntap_reader_batch(reader, got, 1, sizeof *got, NULL) == 1);
    IP("link delete t0");
    ssize_t last = tuntap_reader_batch(reader, got, 100, sizeof *got, &err);
    CHECK(last == 0 || last == -ENODEV);
    FAILS(tuntap_reader_batch(reader, got, 4, sizeof *got, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    super_packets_are_split_into_packets(TUNTAP_TUN);
    super_packets_are_split_into_packets(TUNTAP_TAP);
    packets_that_do_not_fit_come_with_the_next_calls();
    zero_ends_a_batch(TUNTAP_OFFLOAD);
    zero_ends_a_batch(0);
    return 0;
}
