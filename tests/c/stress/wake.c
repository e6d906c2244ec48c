/* SPDX-License-Identifier: MIT
 *
 * Four threads read from one handle and are woken. Each wake ends every current wait exactly once, even if packets,
 * time limits and signals come at the same time, and no packet is lost. */
#include "packet.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { READERS = 4, WAKES = 1000, PACKETS = 20000, WINDOW = 64, CLOSES = 3000 };

static tuntap *dev;
static int sock;
static atomic_bool stop;
static atomic_int woken, read_so_far, wakes;
static atomic_uchar seen[PACKETS];
static pthread_t ids[READERS];
static long threads[READERS];
static pthread_barrier_t started;

static void open_ready(uint64_t flags)
{
    OK(tuntap_open("t0", flags, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    sock = udp_socket("10.8.0.1", PORT);
    atomic_store(&stop, false);
    atomic_store(&woken, 0);
}

static void finish(void)
{
    close(sock);
    tuntap_close(dev);
}

static void start_readers(void *(*reader)(void *))
{
    CHECK(pthread_barrier_init(&started, NULL, READERS + 1) == 0);
    for (long i = 0; i < READERS; i++)
        CHECK(pthread_create(&ids[i], NULL, reader, (void *)i) == 0);
    pthread_barrier_wait(&started);
}

static void join_threads(void)
{
    for (int i = 0; i < READERS; i++)
        CHECK(pthread_join(ids[i], NULL) == 0);
}

static void join_readers(void)
{
    join_threads();
    CHECK(pthread_barrier_destroy(&started) == 0);
}

static void begin_reading(long number)
{
    threads[number] = syscall(SYS_gettid);
    pthread_barrier_wait(&started);
}

static void wait_until_all_block(void)
{
    for (int i = 0; i < READERS; i++)
        wait_for_reader(threads[i], tuntap_get_fd(dev, NULL));
}

static int64_t cpu_time(pthread_t thread)
{
    clockid_t own;
    struct timespec time;
    CHECK(pthread_getcpuclockid(thread, &own) == 0 && clock_gettime(own, &time) == 0);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/** A waiting reader uses no processor time. A reader that has just started may check once more. */
static void all_readers_are_idle(void)
{
    for (int i = 0; i < READERS; i++) {
        int64_t before, after = cpu_time(ids[i]);
        int tries = 0;
        do {
            before = after;
            poll(NULL, 0, 60);
            after = cpu_time(ids[i]);
        } while (after != before && ++tries < 50);
        CHECK(after == before);
    }
}

/** One wake ends the waits of all readers once, and then all wait again. */
static void one_wake_ends_each_wait_once(void)
{
    int before = atomic_load(&woken);
    wait_until_all_block();
    CHECK(atomic_load(&woken) == before);
    tuntap_wake(dev);
    while (atomic_load(&woken) < before + READERS)
        sched_yield();
    wait_until_all_block();
    CHECK(atomic_load(&woken) == before + READERS);
}

/** Two threads wait without a limit, and the others with a long one. */
static void *reader_without_packets(void *number)
{
    char buf[2000];
    tuntap_error error;
    begin_reading((long)number);
    while (!atomic_load(&stop)) {
        ssize_t got = (long)number % 2 ? tuntap_read(dev, buf, sizeof buf, &error)
                                       : tuntap_read_timeout(dev, buf, sizeof buf, 1000000, &error);
        CHECK(got == -ECANCELED && error.code == -ECANCELED && error.reason == TUNTAP_REASON_WOKEN);
        atomic_fetch_add(&woken, 1);
    }
    return NULL;
}

static void each_wake_ends_each_wait_once(void)
{
    open_ready(TUNTAP_TUN);
    start_readers(reader_without_packets);
    for (int i = 0; i < WAKES; i++)
        one_wake_ends_each_wait_once();
    all_readers_are_idle();
    CHECK(atomic_load(&woken) == WAKES * READERS);
    atomic_store(&stop, true);
    tuntap_wake(dev);
    join_readers();
    CHECK(atomic_load(&woken) == (WAKES + 1) * READERS);
    char buf[100];
    FAILS(tuntap_read_timeout(dev, buf, sizeof buf, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    finish();
}

/** Reads numbered packets with all functions that wait. */
static void *read_numbered_packets(void *number)
{
    uint8_t buf[2000];
    struct iovec part = {buf, sizeof buf};
    uint32_t found;
    begin_reading((long)number);
    for (uint32_t round = (uint32_t)(long)number; !atomic_load(&stop); round++) {
        ssize_t got = round % 3 == 0   ? tuntap_read(dev, buf, sizeof buf, NULL)
                      : round % 3 == 1 ? tuntap_readv(dev, &part, 1, NULL)
                                       : tuntap_read_timeout(dev, buf, sizeof buf, (int32_t)(round % 5) - 1, NULL);
        if (got == -ECANCELED) {
            atomic_fetch_add(&woken, 1);
        } else if (got > 0) {
            CHECK(got == UDP_OVERHEAD + sizeof found);
            memcpy(&found, buf + UDP_OVERHEAD, sizeof found);
            CHECK(found < PACKETS && atomic_fetch_add(&seen[found], 1) == 0);
            atomic_fetch_add(&read_so_far, 1);
        } else {
            CHECK(round % 3 == 2 ? got == -ETIMEDOUT : got == -EINTR);
        }
    }
    return NULL;
}

static void wake_in_handler(int number)
{
    (void)number;
    tuntap_wake(dev);
    atomic_fetch_add(&wakes, 1);
}

/** Wakes the readers from this thread, and from a signal handler in a reading thread. */
static void *wake_repeatedly(void *unused)
{
    for (unsigned i = 0; atomic_load(&read_so_far) < PACKETS; i++) {
        if (i % 3) {
            tuntap_wake(dev);
            atomic_fetch_add(&wakes, 1);
        } else {
            CHECK(pthread_kill(ids[i / 3 % READERS], SIGUSR1) == 0);
        }
        if (i % 7 == 0)
            poll(NULL, 0, (int)(i / 7 % 3));
    }
    return unused;
}

static void many_wakes_lose_no_packet(void)
{
    struct sigaction action = {.sa_handler = wake_in_handler};
    pthread_t waker;
    open_ready(TUNTAP_TUN);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    start_readers(read_numbered_packets);
    CHECK(pthread_create(&waker, NULL, wake_repeatedly, NULL) == 0);
    for (uint32_t number = 0; number < PACKETS; number++) {
        while ((int)number - atomic_load(&read_so_far) >= WINDOW)
            sched_yield();
        udp_send(sock, "10.8.0.2", PORT, &number, sizeof number);
    }
    CHECK(pthread_join(waker, NULL) == 0);
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++)
        while (pthread_tryjoin_np(ids[i], NULL) != 0) {
            tuntap_wake(dev);
            atomic_fetch_add(&wakes, 1);
            sched_yield();
        }
    for (int i = 0; i < PACKETS; i++)
        CHECK(atomic_load(&seen[i]) == 1);
    CHECK(atomic_load(&woken) > 0 && atomic_load(&woken) <= READERS * atomic_load(&wakes));

    /* No wake is left: each later wake ends each wait once, and between wakes the readers are idle. */
    char buf[100];
    ssize_t left = tuntap_read_timeout(dev, buf, sizeof buf, 1, NULL);
    CHECK(left == -ECANCELED || left == -ETIMEDOUT);
    atomic_store(&stop, false);
    start_readers(reader_without_packets);
    wait_until_all_block();
    all_readers_are_idle();
    for (int i = 0; i < 100; i++)
        one_wake_ends_each_wait_once();
    all_readers_are_idle();
    atomic_store(&stop, true);
    tuntap_wake(dev);
    join_readers();
    finish();
}

/** As the documentation of tuntap_close and tuntap_wake says, each reader that ends wakes the others. */
static void *read_until_stopped(void *handle)
{
    char buf[100];
    while (!atomic_load(&stop)) {
        ssize_t got = tuntap_read(handle, buf, sizeof buf, NULL);
        CHECK(got == -ECANCELED);
    }
    tuntap_wake(handle);
    return NULL;
}

/** The readers are ended at any time: before a reader has started, between two reads, or during a read. */
static void readers_end_before_their_handle_is_closed(void)
{
    open_ready(TUNTAP_TUN);
    int before = descriptors();
    for (int i = 0; i < CLOSES; i++) {
        tuntap *copy;
        OK(tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW, &copy, &err));
        atomic_store(&stop, false);
        for (int j = 0; j < READERS; j++)
            CHECK(pthread_create(&ids[j], NULL, read_until_stopped, copy) == 0);
        if (i % 50 == 0)
            poll(NULL, 0, 2);
        for (int j = 0; j < i % 7; j++)
            sched_yield();
        if (i % 3 == 0)
            tuntap_wake(copy); /* This wake stops no reader. */
        atomic_store(&stop, true);
        tuntap_wake(copy);
        join_threads();
        tuntap_close(copy);
    }
    CHECK(descriptors() == before);
    finish();
}

int main(void)
{
    begin();
    ipv4_only();
    each_wake_ends_each_wait_once();
    many_wakes_lose_no_packet();
    readers_end_before_their_handle_is_closed();
    return 0;
}
