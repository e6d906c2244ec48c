/* SPDX-License-Identifier: MIT
 *
 * Functions that read or write packets also work in threads with a small stack: each runs on a stack of the smallest
 * size, and uses a few KiB of it. */
#include "super.h"

#include <pthread.h>
#include <limits.h>
#include <sys/mman.h>

/** The greatest stack use of a call in bytes, including its error message. */
#define LIMIT 8192
#define PATTERN 0xa5

enum { PARTS = 1023 };

static tuntap *dev;
static tuntap_reader *reader;
static tuntap_writer *writer;
static tuntap_joiner *joiner;
static tuntap_splitter *splitter;
static uint8_t buf[70000], packet[100], part_bytes[PARTS];
static size_t size, taken;
static struct iovec parts[PARTS];
static tuntap_packet got[3], whole_packet;
static tuntap_vnet_hdr hdr;
static void *received;
static int sock;

/** Sends a packet to be read. */
static void send_one(void)
{
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
}

static void read_packet(tuntap_error *error)
{
    tuntap_read(dev, buf, 2000, error);
}

static void read_with_limit(tuntap_error *error)
{
    tuntap_read_timeout(dev, buf, 2000, 1, error);
}

static void read_into_large_buffer(tuntap_error *error)
{
    tuntap_read(dev, buf, sizeof buf, error);
}

static void read_parts(tuntap_error *error)
{
    tuntap_readv(dev, parts, 3, error);
}

static void read_many_parts(tuntap_error *error)
{
    tuntap_readv(dev, parts, PARTS, error);
}

static void write_packet(tuntap_error *error)
{
    tuntap_write(dev, packet, size, error);
}

static void write_with_limit(tuntap_error *error)
{
    tuntap_write_timeout(dev, packet, size, 1, error);
}

static void write_parts(tuntap_error *error)
{
    tuntap_writev(dev, parts, 3, error);
}

static void write_many_parts(tuntap_error *error)
{
    tuntap_writev(dev, parts, PARTS, error);
}

static void write_nothing(tuntap_error *error)
{
    tuntap_write(dev, packet, 0, error);
}

static void read_super(tuntap_error *error)
{
    tuntap_read_super(dev, &hdr, sizeof hdr, buf, sizeof buf, error);
}

static void write_super(tuntap_error *error)
{
    static const tuntap_vnet_hdr plain;
    tuntap_write_super(dev, &plain, sizeof plain, packet, size, error);
}

static void read_next(tuntap_error *error)
{
    tuntap_reader_next(reader, &received, error);
}

static void read_batch(tuntap_error *error)
{
    tuntap_reader_batch(reader, got, 3, sizeof *got, error);
}

static void put(tuntap_error *error)
{
    tuntap_writer_put(writer, packet, size, error);
}

static void flush(tuntap_error *error)
{
    tuntap_writer_flush(writer, error);
}

static void copy_batch(tuntap_error *error)
{
    got[0] = (tuntap_packet){buf, sizeof buf, 0};
    tuntap_reader_copy(reader, got, 1, sizeof *got, error);
}

static void write_reserved(tuntap_error *error)
{
    if (tuntap_writer_reserve(writer, size, &received, error) < 0)
        return;
    memcpy(received, packet, size);
    tuntap_writer_commit(writer, size, error);
}

static void write_batch(tuntap_error *error)
{
    tuntap_writer_batch(writer, &whole_packet, 1, sizeof whole_packet, &taken, error);
}

static void join(tuntap_error *error)
{
    tuntap_joiner_put(joiner, packet, size, error);
    tuntap_joiner_next(joiner, &hdr, sizeof hdr, &received, error);
}

static void split(tuntap_error *error)
{
    memset(&hdr, 0, sizeof hdr);
    tuntap_splitter_begin(splitter, &hdr, sizeof hdr, packet, size, error);
    tuntap_splitter_next(splitter, &received, error);
}

static void wake(tuntap_error *error)
{
    (void)error;
    tuntap_wake(dev);
}

static void (*const calls[])(tuntap_error *) = {
    read_packet,       read_with_limit,  read_into_large_buffer,      read_parts,    read_many_parts, write_packet,
    write_with_limit, write_parts,   write_many_parts, write_nothing, read_super,      write_super,
    read_next,     read_batch,    put,              flush,         write_batch,      join,
    split,         wake,          copy_batch,       write_reserved,
};

enum { CALLS = sizeof calls / sizeof *calls };

static void list_parts(void)
{
    for (int i = 0; i < PARTS; i++)
        parts[i] = (struct iovec){part_bytes + i, 1};
    parts[0] = (struct iovec){packet, size};
}

struct run {
    void (*call)(tuntap_error *);
    tuntap_error *error;
};

static void *run_it(void *argument)
{
    struct run *run = argument;
    if (run->call)
        run->call(run->error);
    return NULL;
}

static void run_on(const pthread_attr_t *attributes, struct run run)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, attributes, run_it, &run) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

/** Runs a call on a stack of the smallest size, with a guard page below it. */
static void run_on_smallest_stack(struct run run)
{
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    /* The minimum of musl is only 2 KiB. */
    size_t least = (size_t)PTHREAD_STACK_MIN < 16384 ? 16384 : (size_t)PTHREAD_STACK_MIN;
    CHECK(pthread_attr_setstacksize(&attributes, least) == 0);
    run_on(&attributes, run);
    pthread_attr_destroy(&attributes);
}

/** The number of stack bytes from the lowest that a run has written to. */
static size_t stack_used_by(struct run run)
{
    size_t room = 256 * 1024, untouched = 0;
    pthread_attr_t attributes;
    uint8_t *stack = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    CHECK(stack != MAP_FAILED);
    memset(stack, PATTERN, room);
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, room) == 0);
    run_on(&attributes, run);
    pthread_attr_destroy(&attributes);
    while (untouched < room && stack[untouched] == PATTERN)
        untouched++;
    munmap(stack, room);
    return room - untouched;
}

static void each_call_needs_little_stack(uint64_t flags, int up)
{
    size_t nothing = stack_used_by((struct run){NULL, NULL});
    dev = ready_tun(TUNTAP_NONBLOCK | flags);
    sock = udp_socket("10.8.0.1", PORT);
    size = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    whole_packet = (tuntap_packet){packet, size, 1};
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    if (!up)
        IP("link set t0 down");
    for (int i = 0; i < CALLS; i++) {
        tuntap_error *const errors[] = {NULL, &err};
        for (int with = 0; with < 2; with++) {
            struct run run = {calls[i], errors[with]};
            /* The first call is not measured: the dynamic linker looks up the function. */
            for (int time = 0; time < 3; time++) {
                list_parts();
                if (up)
                    send_one();
                if (time == 0)
                    run_it(&run);
                else if (time == 1)
                    run_on_smallest_stack(run);
                else
                    CHECK(stack_used_by(run) <= nothing + LIMIT);
            }
            if (getenv("TEST_VERBOSE")) {
                list_parts();
                printf("%d %d: %zu\n", i, with, stack_used_by(run) - nothing);
            }
        }
    }
    tuntap_writer_free(writer);
    tuntap_reader_free(reader);
    close(sock);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    if (instrumented())
        return 0; /* These tools use stack themselves. */
    OK(tuntap_joiner_new(TUNTAP_TUN, &joiner, &err));
    OK(tuntap_splitter_new(TUNTAP_TUN, &splitter, &err));
    for (int up = 1; up >= 0; up--) {
        each_call_needs_little_stack(0, up);
        each_call_needs_little_stack(TUNTAP_OFFLOAD, up);
    }
    tuntap_joiner_free(joiner);
    tuntap_splitter_free(splitter);
    return 0;
}
