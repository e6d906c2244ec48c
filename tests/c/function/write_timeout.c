/* SPDX-License-Identifier: MIT */
#include "packet.h"

#include <pthread.h>

static const int32_t limits[] = {0, 1, 60000, INT32_MAX, -1, INT32_MIN};

static void with_room_it_writes_immediately(uint64_t flags)
{
    tuntap *dev;
    uint8_t packet[200] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    size_t header = flags & TUNTAP_TAP ? 14 : 0;
    OK(tuntap_open("t0", flags, &dev, &err));
    if (flags & TUNTAP_TAP)
        IP("link set t0 address 02:00:00:00:00:01");
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    int sock = udp_socket("10.8.0.1", PORT);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        size_t length = header + udp_packet(packet + header, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
        CHECK(tuntap_write_timeout(dev, packet, length, limits[i], &err) == (ssize_t)length);
        udp_receives(sock, "hello", 5);
    }
    close(sock);
    tuntap_close(dev);
}

/** Also with limits beyond the 100 ms after which a waiting write tries again without an event. */
static void a_wait_lasts_at_least_its_time_limit(uint64_t flags, uint32_t sndbuf)
{
    static const int32_t several[] = {1, 10, 99, 100, 101, 250};
    tuntap *dev = full_device(flags, sndbuf);
    for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
        TAKES_AT_LEAST(several[i],
                       FAILS(tuntap_write_timeout(dev, stray_frame, sizeof stray_frame, several[i], &err),
                             ETIMEDOUT, TUNTAP_REASON_TIMEOUT));
        MESSAGE_HAS("time limit");
    }
    for (int i = 0; i < 100; i++)
        CHECK(tuntap_write_timeout(dev, stray_frame, sizeof stray_frame, 0, NULL) == -ETIMEDOUT);
    if (flags & TUNTAP_NONBLOCK)
        FAILS(tuntap_write(dev, stray_frame, sizeof stray_frame, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    close_full_device(dev);
}

static void do_nothing(int number)
{
    (void)number;
}

static void a_signal_handler_ends_the_wait(uint64_t flags, int action)
{
    static const int32_t long_limits[] = {60000, INT32_MAX, -1, INT32_MIN};
    tuntap *dev = full_device(flags, 1);
    start_signals(do_nothing, action);
    for (size_t i = 0; i < sizeof long_limits / sizeof *long_limits; i++)
        FAILS(tuntap_write_timeout(dev, stray_frame, sizeof stray_frame, long_limits[i], &err), EINTR,
              TUNTAP_REASON_INTERRUPTED);
    stop_signals();
    close_full_device(dev);
}

struct writer {
    tuntap *dev;
    int32_t limit;
    ssize_t result;
    long thread;
    pthread_barrier_t started;
    tuntap_error err;
};

static void *write_one(void *argument)
{
    struct writer *writer = argument;
    writer->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&writer->started);
    writer->result =
        tuntap_write_timeout(writer->dev, stray_frame, sizeof stray_frame, writer->limit, &writer->err);
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

static void take_down(tuntap *dev)
{
    (void)dev;
    IP("link set t0 down");
    /* The kernel checks whether the device is up only when it has room for the packet. */
    make_room();
}

static void give_room(tuntap *dev)
{
    (void)dev;
    make_room();
}

/** A thread waits in a write until the action ends the wait. */
static struct writer wait_ended_by(void (*action)(tuntap *), uint64_t flags, int32_t limit, uint32_t sndbuf)
{
    struct writer writer = {.dev = full_device(flags, sndbuf), .limit = limit};
    pthread_t thread;
    CHECK(pthread_barrier_init(&writer.started, NULL, 2) == 0);
    CHECK(pthread_create(&thread, NULL, write_one, &writer) == 0);
    pthread_barrier_wait(&writer.started);
    wait_for_reader(writer.thread, tuntap_get_fd(writer.dev, NULL));
    action(writer.dev);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&writer.started);
    close_full_device(writer.dev);
    return writer;
}

static void a_wait_ends_with(void (*action)(tuntap *), int number, uint32_t reason)
{
    struct writer writer = wait_ended_by(action, 0, -1, 1);
    CHECK(writer.result == -number && writer.err.code == -number && writer.err.reason == reason);
    writer = wait_ended_by(action, TUNTAP_NONBLOCK, 600000, 4000);
    CHECK(writer.result == -number && writer.err.code == -number && writer.err.reason == reason);
}

static void room_ends_the_wait(void)
{
    CHECK(wait_ended_by(give_room, 0, -1, 1).result == sizeof stray_frame);
    CHECK(wait_ended_by(give_room, TUNTAP_NONBLOCK, 600000, 4000).result == sizeof stray_frame);
}

/** The call does not wait if the packet can never be accepted. */
static void it_fails_like_write(void)
{
    static uint8_t big[70000];
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    size_t length = udp_packet(big, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        FAILS(tuntap_write_timeout(dev, big, length, limits[i], &err), ENETDOWN, TUNTAP_REASON_DOWN);
        FAILS(tuntap_write_timeout(dev, big, 19, limits[i], &err), EINVAL, TUNTAP_REASON_PACKET);
        FAILS(tuntap_write_timeout(dev, big, 65536, limits[i], &err), EMSGSIZE, TUNTAP_REASON_PACKET);
        FAILS(tuntap_write_timeout(dev, NULL, length, limits[i], &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        FAILS(tuntap_write_timeout(NULL, big, length, limits[i], &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        CHECK(tuntap_write_timeout(NULL, big, length, limits[i], NULL) == -EINVAL);
    }
    IP("link delete t0");
    FAILS(tuntap_write_timeout(dev, big, length, -1, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    with_room_it_writes_immediately(TUNTAP_TUN);
    with_room_it_writes_immediately(TUNTAP_TAP | TUNTAP_NONBLOCK);
    it_fails_like_write();
    a_wait_lasts_at_least_its_time_limit(0, 1);
    a_wait_lasts_at_least_its_time_limit(TUNTAP_NONBLOCK, 4000);
    a_signal_handler_ends_the_wait(0, 0);
    a_signal_handler_ends_the_wait(TUNTAP_NONBLOCK, SA_RESTART);
    room_ends_the_wait();
    a_wait_ends_with(wake, ECANCELED, TUNTAP_REASON_WOKEN);
    a_wait_ends_with(delete, ENODEV, TUNTAP_REASON_REMOVED);
    a_wait_ends_with(take_down, ENETDOWN, TUNTAP_REASON_DOWN);
    return 0;
}
