/* SPDX-License-Identifier: MIT
 *
 * Threads race to use a handle, to wake it, to shut it down and to close it: all of them end, also in a flood of
 * packets, and nothing is left. */
#include "packet.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { USERS = 6 };

/** The numbers are smaller where only one thread runs at a time. */
static int rounds = 600, floods = 20, enough = 1000;

static tuntap *dev;
static int sock;
static atomic_bool stop;
static atomic_long packets;
static uint8_t frame[100];
static size_t frame_length;

/** Uses a handle in one of several ways until it is shut down. */
static void *use_until_shutdown(void *argument)
{
    long number = (long)argument;
    tuntap *handle = dev;
    tuntap_reader *reader = NULL;
    tuntap_writer *writer = NULL;
    char buf[2000];
    void *packet;
    ssize_t got;
    if (number == 2)
        CHECK(tuntap_reader_new(handle, 0, &reader, NULL) == 0);
    if (number == 3)
        CHECK(tuntap_writer_new(handle, 0, &writer, NULL) == 0);
    for (;;) {
        tuntap_error error;
        switch (number) {
        case 0: got = tuntap_read(handle, buf, sizeof buf, &error); break;
        case 1: got = tuntap_read_timeout(handle, buf, sizeof buf, 1, &error); break;
        case 2: got = tuntap_reader_next(reader, &packet, &error); break;
        case 3:
            got = tuntap_writer_put(writer, frame, frame_length, &error);
            got = got < 0 ? got : tuntap_writer_flush(writer, &error);
            break;
        case 4: got = tuntap_write(handle, frame, frame_length, &error); break;
        default: got = tuntap_wait(handle, TUNTAP_WAIT_READ, -1, &error); break;
        }
        if (got > 0)
            atomic_fetch_add(&packets, 1);
        if (got == -ECANCELED && error.reason == TUNTAP_REASON_SHUTDOWN)
            break;
        CHECK(got >= 0 || got == -ETIMEDOUT || (got == -ECANCELED && error.reason == TUNTAP_REASON_WOKEN));
    }
    tuntap_reader_free(reader);
    tuntap_writer_free(writer);
    return NULL;
}

static void *waker(void *unused)
{
    while (!atomic_load(&stop)) {
        tuntap_wake(dev);
        sched_yield();
    }
    return unused;
}

static void *flood(void *unused)
{
    struct sockaddr_in to = udp_address("10.8.0.2", PORT);
    while (!atomic_load(&stop))
        sendto(sock, "flood", 5, 0, (struct sockaddr *)&to, sizeof to);
    return unused;
}

static void open_device(uint64_t flags)
{
    OK(tuntap_open("t0", TUNTAP_TUN | flags, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    sock = udp_socket("10.8.0.1", PORT);
}

/** Two threads shut the handle down: before the users start, between two calls, or during a call. */
static void *shut_down(void *handle)
{
    tuntap_shutdown(handle);
    return NULL;
}

static void a_shutdown_ends_all_users(tuntap *original)
{
    pthread_t ids[USERS], waker_id, second_id;
    for (int round = 0; round < rounds; round++) {
        OK(tuntap_open_fd(tuntap_get_fd(original, NULL), TUNTAP_BORROW, &dev, &err));
        atomic_store(&stop, false);
        CHECK(pthread_create(&waker_id, NULL, waker, NULL) == 0);
        for (long i = 0; i < USERS; i++)
            CHECK(pthread_create(&ids[i], NULL, use_until_shutdown, (void *)i) == 0);
        if (round % 50 == 0)
            poll(NULL, 0, 2);
        for (int i = 0; i < round % 7; i++)
            sched_yield();
        CHECK(pthread_create(&second_id, NULL, shut_down, dev) == 0);
        tuntap_shutdown(dev);
        for (int i = 0; i < USERS; i++)
            CHECK(pthread_join(ids[i], NULL) == 0);
        atomic_store(&stop, true);
        CHECK(pthread_join(waker_id, NULL) == 0 && pthread_join(second_id, NULL) == 0);
        tuntap_close(dev);
    }
}

/** There is always a packet to read and room to write, so no user waits. */
static void a_shutdown_ends_all_users_in_a_flood(tuntap *original)
{
    pthread_t ids[USERS], sender;
    for (int round = 0; round < floods; round++) {
        OK(tuntap_open_fd(tuntap_get_fd(original, NULL), TUNTAP_BORROW, &dev, &err));
        atomic_store(&stop, false);
        atomic_store(&packets, 0);
        CHECK(pthread_create(&sender, NULL, flood, NULL) == 0);
        for (long i = 0; i < USERS; i++)
            CHECK(pthread_create(&ids[i], NULL, use_until_shutdown, (void *)i) == 0);
        while (atomic_load(&packets) < enough)
            sched_yield();
        tuntap_shutdown(dev);
        for (int i = 0; i < USERS; i++)
            CHECK(pthread_join(ids[i], NULL) == 0);
        atomic_store(&stop, true);
        CHECK(pthread_join(sender, NULL) == 0);
        tuntap_close(dev);
    }
}

int main(void)
{
    if (run_as("valgrind") || run_as("tsan") || run_as("guest"))
        rounds = 60, floods = 3, enough = 100;
    begin();
    ipv4_only();
    frame_length = udp_packet(frame, "10.8.0.2", "10.8.0.1", PORT, "in", 2);
    for (int i = 0; i < 2; i++) {
        open_device(i ? TUNTAP_OFFLOAD : 0);
        tuntap *original = dev;
        int before = descriptors();
        a_shutdown_ends_all_users(original);
        a_shutdown_ends_all_users_in_a_flood(original);
        CHECK(descriptors() == before);
        close(sock);
        tuntap_close(original);
    }
    return 0;
}
