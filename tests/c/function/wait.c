/* SPDX-License-Identifier: MIT */
#include "ready.h"

#include <pthread.h>

static uint8_t buf[70000];

static const uint32_t both = TUNTAP_WAIT_READ | TUNTAP_WAIT_WRITE;

static void send_one(void)
{
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
}

static void nothing_is_ready(tuntap *dev)
{
    FAILS(tuntap_wait(dev, TUNTAP_WAIT_READ, 0, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    FAILS(tuntap_wait(dev, TUNTAP_WAIT_READ, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    MESSAGE_HAS("time limit");
}

/** The events are reported with any limit. The call reads nothing: the packet is still ready afterwards. */
static void ready_events_are_reported(uint64_t flags)
{
    static const int32_t limits[] = {0, 1, 60000, INT32_MAX, -1, INT32_MIN};
    tuntap *dev = ready(flags);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        nothing_is_ready(dev);
        CHECK(tuntap_wait(dev, both, limits[i], &err) == TUNTAP_WAIT_WRITE);
        CHECK(tuntap_wait(dev, TUNTAP_WAIT_WRITE, limits[i], NULL) == TUNTAP_WAIT_WRITE);
        send_one();
        for (int j = 0; j < 2; j++) {
            CHECK(tuntap_wait(dev, TUNTAP_WAIT_READ, limits[i], &err) == TUNTAP_WAIT_READ);
            CHECK(tuntap_wait(dev, both, limits[i], &err) == (int)both);
        }
        OK(tuntap_read_timeout(dev, buf, sizeof buf, 0, &err));
    }
    finish(dev);
}

static void a_wait_lasts_at_least_its_time_limit(uint64_t flags)
{
    static const int32_t limits[] = {1, 2, 10, 45, 99, 230};
    tuntap *dev = ready(flags);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        TAKES_AT_LEAST(limits[i], FAILS(tuntap_wait(dev, TUNTAP_WAIT_READ, limits[i], &err), ETIMEDOUT,
                                        TUNTAP_REASON_TIMEOUT));
    finish(dev);
}

/** The other packets of a super-packet are in the library's memory, so poll(2) does not report them. */
static void the_rest_of_a_super_packet_is_ready(void)
{
    tuntap *dev = ready(TUNTAP_TUN | TUNTAP_OFFLOAD);
    static const char data[2 * 1000];
    needs_kernel(6, 2, "super-packets of UDP");
    OK(tuntap_set_offloads(dev, TUNTAP_F_CSUM | TUNTAP_F_USO4 | TUNTAP_F_USO6, &err));
    int segment = 1000;
    if (setsockopt(sock, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &segment, sizeof segment) != 0)
        skip("this kernel has no UDP_SEGMENT");
    udp_send(sock, "10.8.0.2", PORT, data, sizeof data);
    CHECK(tuntap_wait(dev, TUNTAP_WAIT_READ, -1, &err) == TUNTAP_WAIT_READ);
    CHECK(tuntap_read(dev, buf, sizeof buf, &err) == 1000 + UDP_OVERHEAD);
    CHECK(!is_readable(tuntap_get_fd(dev, NULL)));
    for (int32_t limit = -1; limit < 2; limit++) {
        CHECK(tuntap_wait(dev, TUNTAP_WAIT_READ, limit, &err) == TUNTAP_WAIT_READ);
        CHECK(tuntap_wait(dev, both, limit, &err) == (int)both);
    }
    CHECK(tuntap_read(dev, buf, sizeof buf, &err) == 1000 + UDP_OVERHEAD);
    nothing_is_ready(dev);
    finish(dev);
}

/** After a reader returned 0 it has no packets, so the descriptor is readable if and only if packets are queued. */
static void waiting_works_after_a_reader_returned_0(void)
{
    tuntap *dev = ready(TUNTAP_TUN | TUNTAP_NONBLOCK);
    tuntap_reader *reader;
    void *packet;
    ssize_t got;
    int count = 0;
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i <= round; i++)
            send_one();
        for (int left = round + 1; left > 0;) {
            CHECK(tuntap_wait(dev, TUNTAP_WAIT_READ, 20000, &err) == TUNTAP_WAIT_READ);
            while ((got = tuntap_reader_next(reader, &packet, &err)) > 0) {
                left--;
                count++;
            }
            CHECK(got == 0 || got == -EAGAIN);
        }
    }
    CHECK(count == 210);
    tuntap_reader_free(reader);
    finish(dev);
}

struct waiter {
    tuntap *dev;
    uint32_t events;
    int32_t limit;
    int result;
    long thread;
    tuntap_error err;
    pthread_t id;
    pthread_barrier_t started;
};

static void *run_waiter(void *argument)
{
    struct waiter *waiter = argument;
    waiter->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&waiter->started);
    waiter->result = tuntap_wait(waiter->dev, waiter->events, waiter->limit, &waiter->err);
    return NULL;
}

static void start(struct waiter *waiter, tuntap *dev, uint32_t events, int32_t limit)
{
    *waiter = (struct waiter){.dev = dev, .events = events, .limit = limit};
    CHECK(pthread_barrier_init(&waiter->started, NULL, 2) == 0);
    CHECK(pthread_create(&waiter->id, NULL, run_waiter, waiter) == 0);
    pthread_barrier_wait(&waiter->started);
    wait_for_reader(waiter->thread, tuntap_get_fd(dev, NULL));
}

static void expect_end(struct waiter *waiter, int result, uint32_t reason)
{
    CHECK(pthread_join(waiter->id, NULL) == 0);
    pthread_barrier_destroy(&waiter->started);
    CHECK(waiter->result == result);
    CHECK(result > 0 || (waiter->err.code == result && waiter->err.reason == reason));
}

/** On a blocking and a nonblocking handle, with a limit and without. */
static void each_event_ends_a_wait(uint64_t flags)
{
    static struct waiter waiter;
    for (int i = 0; i < 4; i++) {
        int32_t limit = i < 2 ? -1 : 600000;
        tuntap *dev = ready(flags | (i % 2 ? TUNTAP_NONBLOCK : 0));
        start(&waiter, dev, TUNTAP_WAIT_READ, limit);
        send_one();
        expect_end(&waiter, TUNTAP_WAIT_READ, 0);
        OK(tuntap_read(dev, buf, sizeof buf, &err));
        start(&waiter, dev, TUNTAP_WAIT_READ, limit);
        tuntap_wake(dev);
        expect_end(&waiter, -ECANCELED, TUNTAP_REASON_WOKEN);
        start(&waiter, dev, TUNTAP_WAIT_READ, limit);
        IP("link delete t0");
        expect_end(&waiter, TUNTAP_WAIT_READ, 0);
        CHECK(tuntap_wait(dev, both, limit, &err) == (int)both);
        FAILS(tuntap_read(dev, buf, sizeof buf, &err), ENODEV, TUNTAP_REASON_REMOVED);
        finish(dev);
    }
}

static void free_room_ends_a_wait(void)
{
    static struct waiter waiters[2];
    tuntap *dev = full_device(0, 4000);
    FAILS(tuntap_wait(dev, both, 0, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    TAKES_AT_LEAST(250, FAILS(tuntap_wait(dev, both, 250, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT));
    start(&waiters[0], dev, TUNTAP_WAIT_WRITE, -1);
    start(&waiters[1], dev, both, 600000);
    make_room();
    expect_end(&waiters[0], TUNTAP_WAIT_WRITE, 0);
    expect_end(&waiters[1], TUNTAP_WAIT_WRITE, 0);
    CHECK(tuntap_write(dev, stray_frame, sizeof stray_frame, &err) == sizeof stray_frame);
    close_full_device(dev);
}

static void a_device_that_is_down_is_not_writable(void)
{
    tuntap *dev = ready(TUNTAP_TUN);
    IP("link set t0 down");
    FAILS(tuntap_wait(dev, TUNTAP_WAIT_WRITE, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    IP("link set t0 up");
    CHECK(tuntap_wait(dev, TUNTAP_WAIT_WRITE, -1, &err) == TUNTAP_WAIT_WRITE);
    finish(dev);
}

/** A pending wake ends the next call that finds no event. Ready events come first, and the wake stays pending. */
static void a_pending_wake_ends_one_wait(uint64_t flags)
{
    static const int32_t limits[] = {0, 1, 60000, -1};
    tuntap *dev = ready(flags);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        tuntap_wake(dev);
        tuntap_wake(dev);
        CHECK(tuntap_wait(dev, both, limits[i], &err) == TUNTAP_WAIT_WRITE);
        send_one();
        CHECK(tuntap_wait(dev, TUNTAP_WAIT_READ, limits[i], &err) == TUNTAP_WAIT_READ);
        OK(tuntap_read(dev, buf, sizeof buf, &err));
        FAILS(tuntap_wait(dev, TUNTAP_WAIT_READ, limits[i], &err), ECANCELED, TUNTAP_REASON_WOKEN);
        MESSAGE_HAS("tuntap_wake ended the wait");
        nothing_is_ready(dev);
    }
    finish(dev);
}

static void do_nothing(int number)
{
    (void)number;
}

static void a_signal_handler_ends_the_wait(int flags)
{
    static const int32_t limits[] = {60000, INT32_MAX, -1, INT32_MIN};
    tuntap *dev = ready(TUNTAP_TUN);
    start_signals(do_nothing, flags);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        FAILS(tuntap_wait(dev, TUNTAP_WAIT_READ, limits[i], &err), EINTR, TUNTAP_REASON_INTERRUPTED);
    stop_signals();
    finish(dev);
}

static void invalid_requests_are_refused(void)
{
    static const uint32_t wrong[] = {0, 0x4, 0x7, 0x80000001, UINT32_MAX};
    tuntap *dev = ready(TUNTAP_TUN);
    send_one();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        FAILS(tuntap_wait(dev, wrong[i], -1, &err), EINVAL, TUNTAP_REASON_FLAGS);
        CHECK(tuntap_wait(dev, wrong[i], -1, NULL) == -EINVAL);
    }
    FAILS(tuntap_wait(NULL, TUNTAP_WAIT_READ, -1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    finish(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    ready_events_are_reported(TUNTAP_TUN);
    ready_events_are_reported(TUNTAP_TAP | TUNTAP_PI | TUNTAP_NONBLOCK);
    ready_events_are_reported(TUNTAP_TUN | TUNTAP_OFFLOAD);
    a_wait_lasts_at_least_its_time_limit(TUNTAP_TUN);
    a_wait_lasts_at_least_its_time_limit(TUNTAP_TAP | TUNTAP_NONBLOCK);
    waiting_works_after_a_reader_returned_0();
    each_event_ends_a_wait(TUNTAP_TUN);
    each_event_ends_a_wait(TUNTAP_TAP);
    a_device_that_is_down_is_not_writable();
    a_pending_wake_ends_one_wait(TUNTAP_TUN);
    a_pending_wake_ends_one_wait(TUNTAP_TAP | TUNTAP_NONBLOCK | TUNTAP_OFFLOAD);
    a_signal_handler_ends_the_wait(0);
    a_signal_handler_ends_the_wait(SA_RESTART);
    invalid_requests_are_refused();
    free_room_ends_a_wait();
    the_rest_of_a_super_packet_is_ready();
    return 0;
}
