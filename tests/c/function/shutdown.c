/* SPDX-License-Identifier: MIT */
#include "ready.h"

#include <pthread.h>

static const tuntap_vnet_hdr plain;

/** A handle, and what a call may need beside it. */
struct use {
    tuntap *dev;
    tuntap_reader *reader;
    tuntap_writer *writer;
};

static struct use use_of(tuntap *dev)
{
    struct use use = {.dev = dev};
    OK(tuntap_reader_new(dev, 0, &use.reader, &err));
    OK(tuntap_writer_new(dev, 0, &use.writer, &err));
    return use;
}

static void end_use(struct use *use)
{
    tuntap_reader_free(use->reader);
    tuntap_writer_free(use->writer);
}

typedef ssize_t (*packet_call)(struct use *, tuntap_error *);

static ssize_t read_it(struct use *use, tuntap_error *error)
{
    char own[2000];
    return tuntap_read(use->dev, own, sizeof own, error);
}

static ssize_t read_limited(struct use *use, tuntap_error *error)
{
    char own[2000];
    return tuntap_read_timeout(use->dev, own, sizeof own, INT32_MAX, error);
}

static ssize_t read_at_once(struct use *use, tuntap_error *error)
{
    char own[2000];
    return tuntap_read_timeout(use->dev, own, sizeof own, 0, error);
}

static ssize_t read_parts(struct use *use, tuntap_error *error)
{
    char own[2000];
    struct iovec part = {own, sizeof own};
    return tuntap_readv(use->dev, &part, 1, error);
}

static ssize_t read_next(struct use *use, tuntap_error *error)
{
    void *packet;
    return tuntap_reader_next(use->reader, &packet, error);
}

static ssize_t read_batch(struct use *use, tuntap_error *error)
{
    tuntap_packet packets[4];
    return tuntap_reader_batch(use->reader, packets, 4, sizeof *packets, error);
}

static ssize_t read_super(struct use *use, tuntap_error *error)
{
    char own[2000];
    tuntap_vnet_hdr hdr;
    return tuntap_read_super(use->dev, &hdr, sizeof hdr, own, sizeof own, error);
}

static ssize_t wait_to_read(struct use *use, tuntap_error *error)
{
    return tuntap_wait(use->dev, TUNTAP_WAIT_READ, -1, error);
}

static ssize_t wait_to_read_limited(struct use *use, tuntap_error *error)
{
    return tuntap_wait(use->dev, TUNTAP_WAIT_READ, INT32_MAX, error);
}

static ssize_t wait_to_write(struct use *use, tuntap_error *error)
{
    return tuntap_wait(use->dev, TUNTAP_WAIT_WRITE, -1, error);
}

static ssize_t look(struct use *use, tuntap_error *error)
{
    return tuntap_wait(use->dev, TUNTAP_WAIT_READ | TUNTAP_WAIT_WRITE, 0, error);
}

static ssize_t write_it(struct use *use, tuntap_error *error)
{
    return tuntap_write(use->dev, stray_frame, sizeof stray_frame, error);
}

static ssize_t write_limited(struct use *use, tuntap_error *error)
{
    return tuntap_write_timeout(use->dev, stray_frame, sizeof stray_frame, INT32_MAX, error);
}

static ssize_t write_parts(struct use *use, tuntap_error *error)
{
    struct iovec part = {(void *)stray_frame, sizeof stray_frame};
    return tuntap_writev(use->dev, &part, 1, error);
}

static ssize_t write_super(struct use *use, tuntap_error *error)
{
    return tuntap_write_super(use->dev, &plain, sizeof plain, stray_frame, sizeof stray_frame, error);
}

static ssize_t put(struct use *use, tuntap_error *error)
{
    return tuntap_writer_put(use->writer, stray_frame, sizeof stray_frame, error);
}

static ssize_t flush(struct use *use, tuntap_error *error)
{
    return tuntap_writer_flush(use->writer, error);
}

static ssize_t give(struct use *use, tuntap_error *error)
{
    tuntap_packet frame = {.data = (void *)stray_frame, .size = sizeof stray_frame};
    size_t taken = 12345;
    ssize_t result = tuntap_writer_batch(use->writer, &frame, 1, sizeof frame, &taken, error);
    CHECK(taken == 0);
    return result;
}

static const packet_call reads[] = {read_it,    read_limited, read_parts, read_next,
                                    read_batch, wait_to_read, wait_to_read_limited};
static const packet_call writes[] = {write_it, write_limited, write_parts, put, give};
static const packet_call others[] = {read_at_once, wait_to_write, look};
enum { READS = sizeof reads / sizeof *reads, WRITES = sizeof writes / sizeof *writes };

static void is_shut_down(struct use *use, packet_call call)
{
    FAILS(call(use, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
    MESSAGE_HAS("t0: tuntap_shutdown was called");
    CHECK(call(use, NULL) == -ECANCELED);
}

static void all_are_shut_down(struct use *use, uint64_t flags)
{
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < READS; i++)
            is_shut_down(use, reads[i]);
        for (int i = 0; i < WRITES; i++)
            is_shut_down(use, writes[i]);
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            is_shut_down(use, others[i]);
        if (flags & TUNTAP_OFFLOAD) {
            is_shut_down(use, read_super);
            is_shut_down(use, write_super);
            is_shut_down(use, flush);
        }
        /* Nothing undoes it, and a later wake is not reported. */
        tuntap_wake(use->dev);
        tuntap_shutdown(use->dev);
    }
}

/** On a handle that waits and one that does not, with a packet and without; in a reader's memory too. */
static void every_later_call_fails(uint64_t flags)
{
    tuntap *dev = ready(flags | TUNTAP_TAP);
    struct use use = use_of(dev);
    for (int i = 0; i < 8; i++)
        udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    CHECK(read_next(&use, &err) > 0);
    tuntap_shutdown(dev);
    all_are_shut_down(&use, flags);
    CHECK(is_readable(tuntap_get_fd(dev, NULL)));
    end_use(&use);
    finish(dev);

    dev = ready(flags | TUNTAP_TAP);
    use = use_of(dev);
    tuntap_wake(dev);
    tuntap_shutdown(dev);
    all_are_shut_down(&use, flags);
    /* What is made of it later too. */
    struct use later = use_of(dev);
    all_are_shut_down(&later, flags);
    end_use(&later);
    end_use(&use);
    finish(dev);
}

/** Queries and configuration still work, and so do other handles of the device. */
static void the_rest_goes_on(void)
{
    char name[TUNTAP_NAME_SIZE], buf[2000];
    tuntap *dev = ready(TUNTAP_TUN | TUNTAP_MULTI_QUEUE), *queue, *copy, *later;
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW, &copy, &err));
    tuntap_shutdown(dev);
    OK(tuntap_get_name(dev, name, sizeof name, &err));
    CHECK(strcmp(name, "t0") == 0);
    OK(tuntap_set_mtu(dev, 1400, &err));
    IP_HAS("\"mtu\":1400", "link show t0");
    OK(tuntap_down(dev, &err));
    OK(tuntap_up(dev, &err));
    IP_HAS("\"UP\"", "link show t0");
    OK(tuntap_set_nonblock(dev, 1, &err));
    OK(tuntap_detach(dev, &err));
    OK(tuntap_attach(dev, &err));
    OK(tuntap_open_queue(dev, TUNTAP_NONBLOCK, &later, &err));
    FAILS(tuntap_read(later, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    FAILS(tuntap_read_timeout(queue, buf, sizeof buf, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    FAILS(tuntap_read_timeout(copy, buf, sizeof buf, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
    tuntap_close(later);
    tuntap_close(copy);
    tuntap_close(queue);
    finish(dev);
    CHECK(!exists("t0"));
}

struct waiter {
    struct use use;
    packet_call call;
    long thread;
    ssize_t result;
    tuntap_error err;
    pthread_t id;
    pthread_barrier_t started;
};

static void *wait_in_it(void *argument)
{
    struct waiter *waiter = argument;
    waiter->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&waiter->started);
    waiter->result = waiter->call(&waiter->use, &waiter->err);
    return NULL;
}

static void start(struct waiter *waiter, tuntap *dev, packet_call call)
{
    waiter->use = use_of(dev);
    waiter->call = call;
    CHECK(pthread_barrier_init(&waiter->started, NULL, 2) == 0);
    CHECK(pthread_create(&waiter->id, NULL, wait_in_it, waiter) == 0);
    pthread_barrier_wait(&waiter->started);
    wait_for_reader(waiter->thread, tuntap_get_fd(dev, NULL));
}

static void ends(struct waiter *waiter)
{
    CHECK(pthread_join(waiter->id, NULL) == 0);
    pthread_barrier_destroy(&waiter->started);
    CHECK(waiter->result == -ECANCELED);
    CHECK(waiter->err.code == -ECANCELED && waiter->err.reason == TUNTAP_REASON_SHUTDOWN);
    end_use(&waiter->use);
}

static void it_ends_all_that_wait(uint64_t flags)
{
    static struct waiter waiters[READS];
    tuntap *dev = ready(TUNTAP_TUN | flags);
    for (int i = 0; i < READS; i++)
        start(&waiters[i], dev, reads[i]);
    tuntap_shutdown(dev);
    for (int i = 0; i < READS; i++)
        ends(&waiters[i]);
    finish(dev);
}

static void it_ends_all_that_wait_for_room(uint32_t sndbuf)
{
    static struct waiter waiters[3];
    static const packet_call calls[] = {write_it, write_limited, wait_to_write};
    tuntap *dev = full_device(0, sndbuf);
    for (int i = 0; i < 3; i++)
        start(&waiters[i], dev, calls[i]);
    tuntap_shutdown(dev);
    for (int i = 0; i < 3; i++)
        ends(&waiters[i]);
    close_full_device(dev);
}

static tuntap *of_the_handler;

static void shut_down(int number)
{
    (void)number;
    int before = errno;
    tuntap_shutdown(of_the_handler);
    CHECK(errno == before);
}

static void a_handler_ends_the_thread_that_it_runs_on(int flags)
{
    char buf[2000];
    for (int i = 0; i < 5; i++) {
        of_the_handler = ready(TUNTAP_TUN);
        signals_come(shut_down, flags);
        FAILS(tuntap_read(of_the_handler, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
        signals_end();
        finish(of_the_handler);
    }
}

static void a_device_that_is_gone(void)
{
    tuntap *dev = ready(TUNTAP_TAP);
    struct use use = use_of(dev);
    IP("link delete t0");
    tuntap_shutdown(dev);
    FAILS(read_it(&use, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
    FAILS(wait_to_read(&use, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
    end_use(&use);
    finish(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    tuntap_shutdown(NULL);
    CHECK(strcmp(tuntap_strreason(TUNTAP_REASON_SHUTDOWN), "shut down") == 0);
    every_later_call_fails(0);
    every_later_call_fails(TUNTAP_NONBLOCK);
    every_later_call_fails(TUNTAP_OFFLOAD);
    every_later_call_fails(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    the_rest_goes_on();
    it_ends_all_that_wait(0);
    it_ends_all_that_wait(TUNTAP_OFFLOAD);
    it_ends_all_that_wait_for_room(1);
    it_ends_all_that_wait_for_room(4000);
    a_handler_ends_the_thread_that_it_runs_on(0);
    a_handler_ends_the_thread_that_it_runs_on(SA_RESTART);
    a_device_that_is_gone();
    return 0;
}
