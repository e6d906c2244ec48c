/* SPDX-License-Identifier: MIT
 *
 * One handle, and a thread for each kind of call at the same time. Every call works as it does alone, and none fails
 * because of the others. `make check-tsan` runs it with ThreadSanitizer. */
#include "packet.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SIZE = 100 };

/** Fewer under valgrind, where only one thread runs at a time. */
static int rounds = 60;

static tuntap *dev;
static atomic_int busy;

/** The result is 0 or more, or the negative of one of these errnos. The list ends with 0. */
static void is_one_of(const char *call, long result, const int *errnos)
{
    char text[64];
    for (; result < 0; errnos++) {
        if (-result == *errnos)
            return;
        snprintf(text, sizeof text, "returned %ld", result);
        if (!*errnos)
            fail(__FILE__, __LINE__, call, text);
    }
}

#define EXPECT(call, ...) is_one_of(#call, (long)(call), (const int[]){__VA_ARGS__, 0})

static void read_packet(void)
{
    uint8_t buf[70000];
    EXPECT(tuntap_read_timeout(dev, buf, sizeof buf, 5, NULL), ETIMEDOUT, ECANCELED);
}

static void read_batch(void)
{
    static tuntap_reader *reader;
    tuntap_packet packets[16];
    if (!reader)
        CHECK(tuntap_reader_new(dev, 0, &reader, NULL) == 0);
    EXPECT(tuntap_reader_batch(reader, packets, 16, sizeof *packets, NULL), ECANCELED, EAGAIN);
    if (!atomic_load(&busy)) {
        tuntap_reader_free(reader);
        reader = NULL;
    }
}

/** Sends a packet through the kernel to the readers in other threads. */
static void send_packet(void)
{
    uint8_t data[SIZE] = {0};
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = udp_address("10.8.0.2", PORT);
    CHECK(sock >= 0);
    sendto(sock, data, sizeof data, 0, (struct sockaddr *)&to, sizeof to);
    close(sock);
}

static void write_packet(void)
{
    uint8_t data[SIZE] = {0}, packet[SIZE + UDP_OVERHEAD];
    size_t length = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, data, sizeof data);
    EXPECT(tuntap_write(dev, packet, length, NULL), ECANCELED, ENETDOWN);
}

static void write_batch(void)
{
    static tuntap_writer *writer;
    uint8_t data[SIZE] = {0}, packet[SIZE + UDP_OVERHEAD];
    size_t length = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, data, sizeof data);
    if (!writer)
        CHECK(tuntap_writer_new(dev, 0, &writer, NULL) == 0);
    for (int i = 0; i < 10; i++)
        EXPECT(tuntap_writer_put(writer, packet, length, NULL), ECANCELED, ENETDOWN);
    EXPECT(tuntap_writer_flush(writer, NULL), ECANCELED, ENETDOWN);
    if (!atomic_load(&busy)) {
        tuntap_writer_free(writer);
        writer = NULL;
    }
}

static void wake(void)
{
    tuntap_wake(dev);
    poll(NULL, 0, 1);
}

static void query(void)
{
    char name[TUNTAP_NAME_SIZE];
    uint64_t flags;
    tuntap_stats stats;
    tuntap_addr addrs[4];
    CHECK(tuntap_get_name(dev, name, sizeof name, NULL) == 0);
    CHECK(tuntap_get_flags(dev, &flags, NULL) == 0 && flags & TUNTAP_OFFLOAD);
    CHECK(tuntap_get_stats(dev, &stats, sizeof stats, NULL) == 0);
    CHECK(tuntap_list_addrs(dev, addrs, 4, sizeof *addrs, NULL) >= 1);
}

static void watch(void)
{
    tuntap_monitor *monitor;
    tuntap_event event;
    CHECK(tuntap_monitor_open(dev, 0, &monitor, NULL) == 0);
    CHECK(tuntap_monitor_next(monitor, &event, sizeof event, 0, NULL) == 0 && event.kind == TUNTAP_EVENT_DEVICE);
    tuntap_monitor_close(monitor);
}

static void open_queue(void)
{
    tuntap *queue;
    tuntap_error why;
    if (tuntap_open_queue(dev, TUNTAP_NONBLOCK, &queue, &why) < 0)
        fail(__FILE__, __LINE__, "tuntap_open_queue", why.message);
    CHECK(tuntap_detach(queue, NULL) == 0 && tuntap_attach(queue, NULL) == 0);
    tuntap_close(queue);
}

static void configure(void)
{
    static uint32_t round;
    char name[TUNTAP_NAME_SIZE];
    round++;
    snprintf(name, sizeof name, "t%u", round);
    CHECK(tuntap_set_name(dev, name, NULL) == 0 || !kernel_is(6, 2));
    CHECK(tuntap_set_mtu(dev, 1300 + round, NULL) == 0);
    CHECK(tuntap_set_alias(dev, name, NULL) == 0);
    CHECK(add_route(dev, "10.9.0.0/16", NULL, 0, 0, NULL) == 0);
    CHECK(del_route(dev, "10.9.0.0/16", NULL, 0, 0, NULL) == 0);
}

static void configure_handle(void)
{
    CHECK(tuntap_set_nonblock(dev, atomic_load(&busy) % 2, NULL) == 0);
    CHECK(tuntap_set_offloads(dev, TUNTAP_F_CSUM, NULL) == 0);
    CHECK(tuntap_set_sndbuf(dev, 1 << 20, NULL) == 0);
}

/** The test lasts until each of the first COUNTED calls was made `rounds` times. */
static void (*const calls[])(void) = {
    open_queue, configure, configure_handle, watch, query,
    read_packet, read_batch, send_packet, write_packet, write_batch, wake,
};
enum { CALLS = sizeof calls / sizeof *calls, COUNTED = 5 };

static void *repeat(void *call)
{
    int counted = (void (*const *)(void))call < calls + COUNTED;
    for (int round = 0; counted ? round < rounds : atomic_load(&busy); round++)
        (*(void (*const *)(void))call)();
    if (counted)
        atomic_fetch_sub(&busy, 1);
    else
        (*(void (*const *)(void))call)(); /* One more call: it frees its reader or writer. */
    return NULL;
}

int main(void)
{
    pthread_t threads[CALLS];
    if (run_as("valgrind") || run_as("guest"))
        rounds = 12;
    begin();
    ipv4_only();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    atomic_store(&busy, COUNTED);
    for (int i = 0; i < CALLS; i++)
        CHECK(pthread_create(&threads[i], NULL, repeat, (void *)(uintptr_t)&calls[i]) == 0);
    /* Only threads that wait for a packet still run: wakes end them. */
    while (atomic_load(&busy))
        poll(NULL, 0, 10);
    for (int i = 0; i < CALLS; i++)
        while (pthread_tryjoin_np(threads[i], NULL) != 0)
            wake();
    tuntap_close(dev);
    return 0;
}
