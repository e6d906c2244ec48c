/* SPDX-License-Identifier: MIT */
#include "ready.h"

#include <pthread.h>

static uint8_t buf[70000], data[200];

static void a_waiting_packet_is_read_with_any_limit(uint64_t flags, size_t header)
{
    static const int32_t limits[] = {0, 1, 60000, INT32_MAX, -1, INT32_MIN};
    tuntap *dev = ready(flags);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        udp_send(sock, "10.8.0.2", PORT, data, 100 + i);
        ssize_t got = tuntap_read_timeout(dev, buf, i % 2 ? 2000 : sizeof buf, limits[i], &err);
        CHECK(got == (ssize_t)(header + UDP_OVERHEAD + 100 + i));
        is_udp_packet(buf + header, (size_t)got - header, "10.8.0.2", data, 100 + i);
    }
    finish(dev);
}

/** The call does not change whether the handle is nonblocking. */
static void a_wait_lasts_at_least_its_time_limit(uint64_t flags)
{
    static const int32_t limits[] = {1, 2, 10, 45, 99};
    tuntap *dev = ready(flags);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        TAKES_AT_LEAST(limits[i], FAILS(tuntap_read_timeout(dev, buf, 1500, limits[i], &err), ETIMEDOUT,
                                        TUNTAP_REASON_TIMEOUT));
        MESSAGE_HAS("time limit");
        TAKES_AT_LEAST(limits[i], CHECK(tuntap_read_timeout(dev, buf, sizeof buf, limits[i], NULL) == -ETIMEDOUT));
    }
    for (int i = 0; i < 1000; i++)
        CHECK(tuntap_read_timeout(dev, buf, 1500, 0, NULL) == -ETIMEDOUT);
    if (flags & TUNTAP_NONBLOCK)
        FAILS(tuntap_read(dev, buf, 1500, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    finish(dev);
}

static void do_nothing(int number)
{
    (void)number;
}

/** A signal ends a wait early, but not a call that has a packet to read or whose limit is 0. */
static void a_signal_handler_ends_the_wait(uint64_t flags, int action)
{
    static const int32_t limits[] = {-1, INT32_MIN, 60000, INT32_MAX};
    tuntap *dev = ready(flags);
    start_signals(do_nothing, action);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        FAILS(tuntap_read_timeout(dev, buf, i % 2 ? 1500 : sizeof buf, limits[i], &err), EINTR,
              TUNTAP_REASON_INTERRUPTED);
        MESSAGE_HAS("signal");
        udp_send(sock, "10.8.0.2", PORT, data, 50);
        CHECK(tuntap_read_timeout(dev, buf, sizeof buf, limits[i], &err) > UDP_OVERHEAD);
    }
    for (int i = 0; i < 1000; i++)
        CHECK(tuntap_read_timeout(dev, buf, 1500, 0, NULL) == -ETIMEDOUT);
    stop_signals();
    finish(dev);
}

struct reader {
    tuntap *dev;
    int32_t limit;
    ssize_t result;
    long thread;
    pthread_barrier_t started;
    tuntap_error err;
};

static void *read_one(void *argument)
{
    struct reader *reader = argument;
    reader->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&reader->started);
    reader->result = tuntap_read_timeout(reader->dev, buf, 1500, reader->limit, &reader->err);
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

/** A reader waits without a limit and with a long one, on a blocking and on a nonblocking handle. */
static void a_wait_ends_with(void (*action)(tuntap *), uint64_t flags, int number, uint32_t reason)
{
    for (int i = 0; i < 4; i++) {
        struct reader reader = {.dev = ready(flags | (i % 2 ? TUNTAP_NONBLOCK : 0)), .limit = i < 2 ? -1 : 600000};
        pthread_t thread;
        CHECK(pthread_barrier_init(&reader.started, NULL, 2) == 0);
        CHECK(pthread_create(&thread, NULL, read_one, &reader) == 0);
        pthread_barrier_wait(&reader.started);
        wait_for_reader(reader.thread, tuntap_get_fd(reader.dev, NULL));
        action(reader.dev);
        pthread_join(thread, NULL);
        pthread_barrier_destroy(&reader.started);
        CHECK(reader.result == -number && reader.err.code == -number && reader.err.reason == reason);
        finish(reader.dev);
    }
}

static void it_fails_like_read(void)
{
    tuntap *dev = ready(TUNTAP_TUN | TUNTAP_PI);
    udp_send(sock, "10.8.0.2", PORT, data, 100);
    udp_send(sock, "10.8.0.2", PORT, data, 99);
    FAILS(tuntap_read_timeout(dev, buf, 4 + UDP_OVERHEAD + 99, 1000, &err), EMSGSIZE, TUNTAP_REASON_BUFFER);
    CHECK(tuntap_read_timeout(dev, buf, 4 + UDP_OVERHEAD + 99, 1000, &err) == 4 + UDP_OVERHEAD + 99);
    FAILS(tuntap_read_timeout(dev, buf, 3, 1000, &err), EINVAL, TUNTAP_REASON_BUFFER);
    FAILS(tuntap_read_timeout(dev, NULL, 1500, 1000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_read_timeout(NULL, buf, 1500, 1000, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(tuntap_read_timeout(NULL, buf, 1500, -1, NULL) == -EINVAL);
    IP("link delete t0");
    for (int32_t limit = -1; limit < 2; limit++)
        FAILS(tuntap_read_timeout(dev, buf, 1500, limit, &err), ENODEV, TUNTAP_REASON_REMOVED);
    finish(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    a_waiting_packet_is_read_with_any_limit(TUNTAP_TUN, 0);
    a_waiting_packet_is_read_with_any_limit(TUNTAP_TAP | TUNTAP_PI | TUNTAP_NONBLOCK, 18);
    a_wait_lasts_at_least_its_time_limit(TUNTAP_TUN);
    a_wait_lasts_at_least_its_time_limit(TUNTAP_TAP | TUNTAP_NONBLOCK);
    a_signal_handler_ends_the_wait(TUNTAP_TUN, 0);
    a_signal_handler_ends_the_wait(TUNTAP_TAP | TUNTAP_NONBLOCK, SA_RESTART);
    a_wait_ends_with(wake, TUNTAP_TUN, ECANCELED, TUNTAP_REASON_WOKEN);
    a_wait_ends_with(delete, TUNTAP_TAP, ENODEV, TUNTAP_REASON_REMOVED);
    it_fails_like_read();
    return 0;
}
