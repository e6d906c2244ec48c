/* SPDX-License-Identifier: MIT
 *
 * The functions that pass packets on are for threads with a small stack too: each runs on one of the least size, and
 * takes a few KiB of it. */
#include "super.h"

#include <pthread.h>
#include <limits.h>
#include <sys/mman.h>

/** What a call may take, its message with it. */
#define MOST 8192
#define PATTERN 0xa5

enum { PARTS = 1023 };

static tuntap *dev;
static tuntap_reader *reader;
static tuntap_writer *writer;
static tuntap_joiner *joiner;
static tuntap_splitter *splitter;
static uint8_t buf[70000], packet[100], parts_of_it[PARTS];
static size_t size, taken;
static struct iovec parts[PARTS];
static tuntap_packet got[3], whole;
static tuntap_vnet_hdr hdr;
static void *place;
static int sock;

/** A packet that waits to be read. */
static void send_one(void)
{
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
}

static void read_it(tuntap_error *error)
{
    tuntap_read(dev, buf, 2000, error);
}

static void read_in_time(tuntap_error *error)
{
    tuntap_read_timeout(dev, buf, 2000, 1, error);
}

static void read_enough(tuntap_error *error)
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

static void write_it(tuntap_error *error)
{
    tuntap_write(dev, packet, size, error);
}

static void write_in_time(tuntap_error *error)
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
    tuntap_reader_next(reader, &place, error);
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
    if (tuntap_writer_reserve(writer, size, &place, error) < 0)
        return;
    memcpy(place, packet, size);
    tuntap_writer_commit(writer, size, error);
}

static void give_batch(tuntap_error *error)
{
    tuntap_writer_batch(writer, &whole, 1, sizeof whole, &taken, error);
}

static void join(tuntap_error *error)
{
    tuntap_joiner_put(joiner, packet, size, error);
    tuntap_joiner_next(joiner, &hdr, sizeof hdr, &place, error);
}

static void split(tuntap_error *error)
{
    memset(&hdr, 0, sizeof hdr);
    tuntap_splitter_begin(splitter, &hdr, sizeof hdr, packet, size, error);
    tuntap_splitter_next(splitter, &place, error);
}

static void wake(tuntap_error *error)
{
    (void)error;
    tuntap_wake(dev);
}

static void (*const calls[])(tuntap_error *) = {
    read_it,       read_in_time,  read_enough,      read_parts,    read_many_parts, write_it,
    write_in_time, write_parts,   write_many_parts, write_nothing, read_super,      write_super,
    read_next,     read_batch,    put,              flush,         give_batch,      join,
    split,         wake,          copy_batch,       write_reserved,
};

enum { CALLS = sizeof calls / sizeof *calls };

static void list_parts(void)
{
    for (int i = 0; i < PARTS; i++)
        parts[i] = (struct iovec){parts_of_it + i, 1};
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

/** On a stack of the least size, below which is nothing. */
static void runs_on_the_least(struct run run)
{
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    /* musl's least is 2 KiB. */
    size_t least = (size_t)PTHREAD_STACK_MIN < 16384 ? 16384 : (size_t)PTHREAD_STACK_MIN;
    CHECK(pthread_attr_setstacksize(&attributes, least) == 0);
    run_on(&attributes, run);
    pthread_attr_destroy(&attributes);
}

/** Bytes of a stack that a run has written to. */
static size_t taken_by(struct run run)
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

static void each_takes_little(uint64_t flags, int up)
{
    size_t nothing = taken_by((struct run){NULL, NULL});
    dev = ready_tun(TUNTAP_NONBLOCK | flags);
    sock = udp_socket("10.8.0.1", PORT);
    size = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    whole = (tuntap_packet){packet, size, 1};
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    if (!up)
        IP("link set t0 down");
    for (int i = 0; i < CALLS; i++) {
        tuntap_error *const errors[] = {NULL, &err};
        for (int with = 0; with < 2; with++) {
            struct run run = {calls[i], errors[with]};
            /* Once before: the dynamic linker looks a function up at its first call. */
            for (int time = 0; time < 3; time++) {
                list_parts();
                if (up)
                    send_one();
                if (time == 0)
                    run_it(&run);
                else if (time == 1)
                    runs_on_the_least(run);
                else
                    CHECK(taken_by(run) <= nothing + MOST);
            }
            if (getenv("TEST_VERBOSE")) {
                list_parts();
                printf("%d %d: %zu\n", i, with, taken_by(run) - nothing);
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
        return 0; /* What they add to a stack is theirs. */
    OK(tuntap_joiner_new(TUNTAP_TUN, &joiner, &err));
    OK(tuntap_splitter_new(TUNTAP_TUN, &splitter, &err));
    for (int up = 1; up >= 0; up--) {
        each_takes_little(0, up);
        each_takes_little(TUNTAP_OFFLOAD, up);
    }
    tuntap_joiner_free(joiner);
    tuntap_splitter_free(splitter);
    return 0;
}
