/* SPDX-License-Identifier: MIT */
#include "ready.h"

#include <pthread.h>

static uint8_t buf[2000];

static ssize_t read_it(tuntap *dev, tuntap_error *error)
{
    char own[2000];
    return tuntap_read(dev, own, sizeof own, error);
}

static ssize_t read_parts(tuntap *dev, tuntap_error *error)
{
    char own[2000];
    struct iovec part = {own, sizeof own};
    return tuntap_readv(dev, &part, 1, error);
}

static ssize_t read_without_limit(tuntap *dev, tuntap_error *error)
{
    char own[2000];
    return tuntap_read_timeout(dev, own, sizeof own, -1, error);
}

static ssize_t read_with_long_limit(tuntap *dev, tuntap_error *error)
{
    char own[2000];
    return tuntap_read_timeout(dev, own, sizeof own, INT32_MAX, error);
}

static ssize_t write_it(tuntap *dev, tuntap_error *error)
{
    return tuntap_write(dev, stray_frame, sizeof stray_frame, error);
}

static ssize_t write_parts(tuntap *dev, tuntap_error *error)
{
    struct iovec part = {(void *)stray_frame, sizeof stray_frame};
    return tuntap_writev(dev, &part, 1, error);
}

static ssize_t write_with_long_limit(tuntap *dev, tuntap_error *error)
{
    return tuntap_write_timeout(dev, stray_frame, sizeof stray_frame, INT32_MAX, error);
}

typedef ssize_t (*waiting_call)(tuntap *, tuntap_error *);

struct waiter {
    tuntap *dev;
    waiting_call call;
    long thread;
    ssize_t result;
    tuntap_error err;
    pthread_t id;
    pthread_barrier_t started;
};

static void *run_waiter(void *argument)
{
    struct waiter *waiter = argument;
    waiter->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&waiter->started);
    waiter->result = waiter->call(waiter->dev, &waiter->err);
    return NULL;
}

static void start(struct waiter *waiter, tuntap *dev, waiting_call call)
{
    waiter->dev = dev;
    waiter->call = call;
    CHECK(pthread_barrier_init(&waiter->started, NULL, 2) == 0);
    CHECK(pthread_create(&waiter->id, NULL, run_waiter, waiter) == 0);
    pthread_barrier_wait(&waiter->started);
    wait_for_reader(waiter->thread, tuntap_get_fd(dev, NULL));
}

static ssize_t result_of(struct waiter *waiter)
{
    CHECK(pthread_join(waiter->id, NULL) == 0);
    pthread_barrier_destroy(&waiter->started);
    return waiter->result;
}

static void is_woken(struct waiter *waiter)
{
    CHECK(result_of(waiter) == -ECANCELED);
    CHECK(waiter->err.code == -ECANCELED && waiter->err.reason == TUNTAP_REASON_WOKEN);
    CHECK(strstr(waiter->err.message, "tuntap_wake ended the wait"));
}

static void no_wake_is_pending(tuntap *dev)
{
    FAILS(tuntap_read_timeout(dev, buf, sizeof buf, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
}

/** Later packets are read as usual. */
static void it_ends_all_waiting_reads(uint64_t flags)
{
    static const waiting_call calls[] = {read_it, read_parts, read_without_limit, read_with_long_limit};
    static struct waiter waiters[4];
    tuntap *dev = ready(flags);
    for (int i = 0; i < 4; i++) {
        start(&waiters[i], dev, calls[i]);
        tuntap_wake(dev);
        is_woken(&waiters[i]);
        no_wake_is_pending(dev);
    }
    for (int i = 0; i < 4; i++)
        start(&waiters[i], dev, calls[i]);
    tuntap_wake(dev);
    for (int i = 0; i < 4; i++)
        is_woken(&waiters[i]);
    no_wake_is_pending(dev);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    OK(tuntap_read(dev, buf, sizeof buf, &err));
    finish(dev);
}

/** A wake also ends a read that waits at the same time. */
static void it_ends_all_waiting_writes(uint32_t sndbuf)
{
    static const waiting_call calls[] = {write_it, write_parts, write_with_long_limit, read_it};
    static struct waiter waiters[4];
    tuntap *dev = full_device(0, sndbuf);
    for (int i = 0; i < 4; i++)
        start(&waiters[i], dev, calls[i]);
    tuntap_wake(dev);
    for (int i = 0; i < 4; i++)
        is_woken(&waiters[i]);
    no_wake_is_pending(dev);
    tuntap_wake(dev);
    tuntap_wake(dev);
    FAILS(tuntap_write(dev, stray_frame, sizeof stray_frame, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    MESSAGE_HAS("write t0: tuntap_wake ended the wait");
    FAILS(tuntap_write_timeout(dev, stray_frame, sizeof stray_frame, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    tuntap_wake(dev);
    make_room();
    CHECK(tuntap_write(dev, stray_frame, sizeof stray_frame, &err) == sizeof stray_frame);
    close_full_device(dev);
}

static void without_a_waiter_it_ends_the_next_wait(uint64_t flags)
{
    tuntap *dev = ready(flags);
    for (int i = 0; i < 1000; i++)
        tuntap_wake(dev);
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    MESSAGE_HAS("read t0: tuntap_wake ended the wait");
    no_wake_is_pending(dev);
    tuntap_wake(dev);
    CHECK(tuntap_read(dev, buf, sizeof buf, NULL) == -ECANCELED);
    no_wake_is_pending(dev);

    /* A packet that is ready is read without a wait. */
    tuntap_wake(dev);
    for (int i = 0; i < 3; i++) {
        udp_send(sock, "10.8.0.2", PORT, "hello", 5);
        OK(tuntap_read(dev, buf, sizeof buf, &err));
        udp_send(sock, "10.8.0.2", PORT, "hello", 5);
        OK(tuntap_read_timeout(dev, buf, sizeof buf, -1, &err));
    }
    FAILS(tuntap_read_timeout(dev, buf, sizeof buf, -1, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    no_wake_is_pending(dev);
    finish(dev);
}

/** The next call that finds no packet takes the pending wake, even if it does not wait, so that no later wait ends. */
static void a_nonblocking_call_also_takes_a_pending_wake(uint64_t flags)
{
    tuntap *dev = ready(TUNTAP_TUN | TUNTAP_NONBLOCK | flags);
    struct iovec part = {buf, sizeof buf};
    tuntap_reader *reader;
    void *packet;
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    for (int i = 0; i < 3; i++) {
        tuntap_wake(dev);
        tuntap_wake(dev);
        FAILS(tuntap_read(dev, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_WOKEN);
        FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
        tuntap_wake(dev);
        FAILS(tuntap_readv(dev, &part, 1, &err), ECANCELED, TUNTAP_REASON_WOKEN);
        FAILS(tuntap_readv(dev, &part, 1, &err), EAGAIN, TUNTAP_REASON_AGAIN);
        tuntap_wake(dev);
        FAILS(tuntap_read_timeout(dev, buf, sizeof buf, 0, &err), ECANCELED, TUNTAP_REASON_WOKEN);
        FAILS(tuntap_read_timeout(dev, buf, sizeof buf, 0, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
        tuntap_wake(dev);
        FAILS(tuntap_reader_next(reader, &packet, &err), ECANCELED, TUNTAP_REASON_WOKEN);
        FAILS(tuntap_reader_next(reader, &packet, &err), EAGAIN, TUNTAP_REASON_AGAIN);
        no_wake_is_pending(dev);
    }
    tuntap_wake(dev);
    OK(tuntap_set_nonblock(dev, 0, &err));
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    no_wake_is_pending(dev);
    tuntap_reader_free(reader);
    finish(dev);
}

/** A read that finds a packet does not take the pending wake. The next read that finds none does. */
static void a_queued_packet_comes_before_a_wake(void)
{
    tuntap *dev = ready(TUNTAP_TUN | TUNTAP_NONBLOCK);
    tuntap_wake(dev);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    OK(tuntap_read(dev, buf, sizeof buf, &err));
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    finish(dev);
}

static void it_applies_to_one_handle(void)
{
    static struct waiter waiter;
    tuntap *dev = ready(TUNTAP_TUN | TUNTAP_MULTI_QUEUE), *queue, *copy;
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW, &copy, &err));
    start(&waiter, dev, read_it);
    tuntap_wake(queue);
    tuntap_wake(copy);
    FAILS(tuntap_read(queue, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    FAILS(tuntap_read(copy, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    no_wake_is_pending(queue);
    wait_for_reader(waiter.thread, tuntap_get_fd(dev, NULL));
    tuntap_wake(dev);
    is_woken(&waiter);
    tuntap_close(copy);
    tuntap_close(queue);
    finish(dev);
}

static void a_woken_read_reports_a_removed_device(void)
{
    tuntap *dev = ready(TUNTAP_TAP);
    IP("link delete t0");
    tuntap_wake(dev);
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), ENODEV, TUNTAP_REASON_REMOVED);
    finish(dev);
}

static tuntap *handler_dev;

static void wake_in_handler(int number)
{
    (void)number;
    int before = errno;
    tuntap_wake(handler_dev);
    CHECK(errno == before);
}

/** The handler interrupts the waiting thread. The call reports the wake, not the signal. */
static void a_signal_handler_can_wake_its_own_thread(int flags)
{
    handler_dev = ready(TUNTAP_TUN);
    start_signals(wake_in_handler, flags);
    for (int i = 0; i < 10; i++) {
        FAILS(tuntap_read(handler_dev, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_WOKEN);
        FAILS(tuntap_read_timeout(handler_dev, buf, sizeof buf, -1, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    }
    stop_signals();
    /* The last signal may have come between two reads. */
    tuntap_read_timeout(handler_dev, buf, sizeof buf, 1, NULL);
    no_wake_is_pending(handler_dev);
    finish(handler_dev);
}

int main(void)
{
    begin();
    ipv4_only();
    tuntap_wake(NULL);
    it_ends_all_waiting_reads(TUNTAP_TUN);
    it_ends_all_waiting_reads(TUNTAP_TAP | TUNTAP_PI);
    without_a_waiter_it_ends_the_next_wait(TUNTAP_TUN);
    without_a_waiter_it_ends_the_next_wait(TUNTAP_TAP);
    a_nonblocking_call_also_takes_a_pending_wake(0);
    a_nonblocking_call_also_takes_a_pending_wake(TUNTAP_OFFLOAD);
    a_queued_packet_comes_before_a_wake();
    it_applies_to_one_handle();
    a_woken_read_reports_a_removed_device();
    a_signal_handler_can_wake_its_own_thread(0);
    a_signal_handler_can_wake_its_own_thread(SA_RESTART);
    it_ends_all_waiting_writes(1);
    it_ends_all_waiting_writes(4000);
    return 0;
}
