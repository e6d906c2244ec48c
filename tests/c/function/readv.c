/* SPDX-License-Identifier: MIT */
#include "ready.h"

#include <pthread.h>

static uint8_t buf[140000], data[1472];

static size_t header_of(uint64_t flags)
{
    return (flags & TUNTAP_PI ? 4 : 0) + (flags & TUNTAP_TAP ? 14 : 0);
}

/** The parts are adjacent in buf, so that buf has the whole packet if the parts are filled in order. */
static ssize_t read_into(tuntap *dev, const size_t *sizes, size_t count)
{
    static struct iovec parts[1023];
    uint8_t *at = buf;
    memset(buf, 0xee, sizeof buf);
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct iovec){at, sizes[i]};
        at += sizes[i];
    }
    ssize_t got = tuntap_readv(dev, parts, count, &err);
    for (size_t i = (size_t)(at - buf); i < sizeof buf; i++)
        CHECK(buf[i] == 0xee);
    for (size_t i = 0; i < count; i++)
        CHECK(parts[i].iov_len == sizes[i]);
    return got;
}

static void the_parts_are_filled_in_order(uint64_t flags)
{
    static const size_t divisions[][6] = {
        {2000}, {70000, 70000}, {1, 1999}, {1999, 1}, {0, 1999, 0, 1}, {4, 14, 20, 8, 1472, 0}, {3, 1, 1, 1, 1, 65600},
    };
    static const size_t counts[] = {1, 2, 2, 2, 4, 6, 6};
    static const size_t sizes[] = {0, 1, 700, 1400};
    size_t header = header_of(flags);
    tuntap *dev = ready(flags);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            udp_send(sock, "10.8.0.2", PORT, data, sizes[j]);
            ssize_t got = read_into(dev, divisions[i], counts[i]);
            CHECK(got == (ssize_t)(header + UDP_OVERHEAD + sizes[j]));
            is_udp_packet(buf + header, (size_t)got - header, "10.8.0.2", data, sizes[j]);
            CHECK(buf[got] == 0xee);
        }
    finish(dev);
}

/** The parts need not be adjacent in memory. */
static void each_header_can_have_its_own_part(void)
{
    uint8_t information[4], ethernet[14], ip[20], udp[8], rest[100];
    struct iovec parts[] = {{information, 4}, {ethernet, 14}, {ip, 20}, {udp, 8}, {rest, sizeof rest}};
    tuntap *dev = ready(TUNTAP_TAP | TUNTAP_PI);
    udp_send(sock, "10.8.0.2", PORT, data, 100);
    CHECK(tuntap_readv(dev, parts, 5, &err) == 146);
    CHECK(memcmp(information, "\0\0\x08\0", 4) == 0);
    CHECK(memcmp(ethernet, "\2\0\0\0\0\2", 6) == 0 && memcmp(ethernet + 12, "\x08\0", 2) == 0);
    CHECK(ip[0] == 0x45 && ip[9] == IPPROTO_UDP && udp[2] == PORT >> 8 && udp[3] == (PORT & 0xff));
    CHECK(memcmp(rest, data, 100) == 0);
    finish(dev);
}

static void only_a_packet_that_is_too_long_is_lost(uint64_t flags)
{
    tuntap *dev = ready(flags);
    size_t header = header_of(flags), length = header + UDP_OVERHEAD + 100;
    size_t fits[] = {header + UDP_OVERHEAD, 0, 100}, one_less[] = {header + UDP_OVERHEAD, 0, 99};
    size_t tiny[] = {header, 0, 1};
    for (int i = 0; i < 4; i++)
        udp_send(sock, "10.8.0.2", PORT, data, 100);
    CHECK(read_into(dev, fits, 3) == (ssize_t)length);
    FAILS(read_into(dev, one_less, 3), EMSGSIZE, TUNTAP_REASON_BUFFER);
    char size[64];
    snprintf(size, sizeof size, "read t0: a packet was longer than the buffer of %zu bytes", length - 1);
    CHECK(strstr(err.message, size));
    FAILS(read_into(dev, tiny, 3), EMSGSIZE, TUNTAP_REASON_BUFFER);
    CHECK(read_into(dev, fits, 3) == (ssize_t)length);
    is_udp_packet(buf + header, UDP_OVERHEAD + 100, "10.8.0.2", data, 100);

    /* With 0 bytes, every packet is too long. The packet information needs 4 bytes. */
    size_t nothing[] = {0, 0}, three[] = {1, 2};
    udp_send(sock, "10.8.0.2", PORT, data, 100);
    if (flags & TUNTAP_PI) {
        FAILS(read_into(dev, nothing, 2), EINVAL, TUNTAP_REASON_BUFFER);
        FAILS(read_into(dev, three, 2), EINVAL, TUNTAP_REASON_BUFFER);
        CHECK(read_into(dev, fits, 3) == (ssize_t)length);
    } else {
        FAILS(read_into(dev, nothing, 2), EMSGSIZE, TUNTAP_REASON_BUFFER);
    }
    CHECK(!is_readable(tuntap_get_fd(dev, NULL)));
    finish(dev);
}

/** 1023 parts of one byte: a packet that is one byte longer is detected too. */
static void up_to_1023_parts_are_accepted(void)
{
    static size_t ones[1023];
    tuntap *dev = ready(TUNTAP_TUN);
    for (size_t i = 0; i < 1023; i++)
        ones[i] = 1;
    udp_send(sock, "10.8.0.2", PORT, data, 1023 - UDP_OVERHEAD);
    CHECK(read_into(dev, ones, 1023) == 1023);
    is_udp_packet(buf, 1023, "10.8.0.2", data, 1023 - UDP_OVERHEAD);
    udp_send(sock, "10.8.0.2", PORT, data, 1024 - UDP_OVERHEAD);
    FAILS(read_into(dev, ones, 1023), EMSGSIZE, TUNTAP_REASON_BUFFER);
    ones[1022] = 70000;
    udp_send(sock, "10.8.0.2", PORT, data, 1472);
    CHECK(read_into(dev, ones, 1023) == 1500);
    is_udp_packet(buf, 1500, "10.8.0.2", data, 1472);
    finish(dev);
}

static void invalid_lists_are_refused_and_take_no_packet(void)
{
    static struct iovec parts[1024];
    static const size_t counts[] = {0, SIZE_MAX, SIZE_MAX / 16 + 2, 1024, INT32_MAX};
    tuntap *dev = ready(TUNTAP_TUN);
    for (size_t i = 0; i < 1024; i++)
        parts[i] = (struct iovec){buf, 2000};
    udp_send(sock, "10.8.0.2", PORT, data, 100);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        FAILS(tuntap_readv(dev, parts, counts[i], &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        MESSAGE_HAS("parts: give 1 to 1023");
        CHECK(tuntap_readv(dev, parts, counts[i], NULL) == -EINVAL);
    }
    FAILS(tuntap_readv(dev, NULL, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_readv(dev, NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_readv(NULL, parts, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    parts[1] = (struct iovec){NULL, 10};
    FAILS(tuntap_readv(dev, parts, 2, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    parts[1] = (struct iovec){NULL, 0};
    FAILS(tuntap_readv(dev, parts, 2, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(tuntap_readv(dev, parts, 1, &err) == UDP_OVERHEAD + 100);
    finish(dev);
}

struct reader {
    tuntap *dev;
    long thread;
    ssize_t result;
    pthread_barrier_t started;
    tuntap_error err;
};

static void *read_in_parts(void *argument)
{
    struct reader *reader = argument;
    struct iovec parts[] = {{buf, 20}, {buf + 20, 2000}};
    reader->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&reader->started);
    reader->result = tuntap_readv(reader->dev, parts, 2, &reader->err);
    return NULL;
}

static void wake(tuntap *dev)
{
    tuntap_wake(dev);
}

static void delete(tuntap *dev)
{
    (void)dev;
    IP("link delete t0");
}

static void send_one(tuntap *dev)
{
    (void)dev;
    udp_send(sock, "10.8.0.2", PORT, data, 100);
}

static struct reader wait_ended_by(void (*action)(tuntap *))
{
    struct reader reader = {.dev = ready(TUNTAP_TUN)};
    pthread_t thread;
    CHECK(pthread_barrier_init(&reader.started, NULL, 2) == 0);
    CHECK(pthread_create(&thread, NULL, read_in_parts, &reader) == 0);
    pthread_barrier_wait(&reader.started);
    wait_for_reader(reader.thread, tuntap_get_fd(reader.dev, NULL));
    action(reader.dev);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&reader.started);
    finish(reader.dev);
    return reader;
}

static void do_nothing(int number)
{
    (void)number;
}

static void it_waits_like_read(void)
{
    struct iovec part = {buf, sizeof buf};
    CHECK(wait_ended_by(send_one).result == UDP_OVERHEAD + 100);
    is_udp_packet(buf, UDP_OVERHEAD + 100, "10.8.0.2", data, 100);
    struct reader reader = wait_ended_by(wake);
    CHECK(reader.result == -ECANCELED && reader.err.reason == TUNTAP_REASON_WOKEN);
    reader = wait_ended_by(delete);
    CHECK(reader.result == -ENODEV && reader.err.reason == TUNTAP_REASON_REMOVED);

    tuntap *dev = ready(TUNTAP_TUN);
    start_signals(do_nothing, SA_RESTART);
    FAILS(tuntap_readv(dev, &part, 1, &err), EINTR, TUNTAP_REASON_INTERRUPTED);
    stop_signals();
    OK(tuntap_set_nonblock(dev, 1, &err));
    FAILS(tuntap_readv(dev, &part, 1, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    IP("link delete t0");
    FAILS(tuntap_readv(dev, &part, 1, &err), ENODEV, TUNTAP_REASON_REMOVED);
    finish(dev);
}

int main(void)
{
    static const uint64_t kinds[] = {TUNTAP_TUN, TUNTAP_TUN | TUNTAP_PI, TUNTAP_TAP, TUNTAP_TAP | TUNTAP_PI};
    begin();
    ipv4_only();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        the_parts_are_filled_in_order(kinds[i]);
        only_a_packet_that_is_too_long_is_lost(kinds[i]);
    }
    each_header_can_have_its_own_part();
    up_to_1023_parts_are_accepted();
    invalid_lists_are_refused_and_take_no_packet();
    it_waits_like_read();
    return 0;
}
