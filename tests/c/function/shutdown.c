/* SPDX-License-Identifier: MIT */
#include "ready.h"

#include <pthread.h>

static const tuntap_vnet_hdr plain;

/** A device handle, and a reader and a writer for it. */
struct handles {
    tuntap *dev;
    tuntap_reader *reader;
    tuntap_writer *writer;
};

static struct handles make_handles(tuntap *dev)
{
    struct handles handles = {.dev = dev};
    OK(tuntap_reader_new(dev, 0, &handles.reader, &err));
    OK(tuntap_writer_new(dev, 0, &handles.writer, &err));
    return handles;
}

static void free_handles(struct handles *handles)
{
    tuntap_reader_free(handles->reader);
    tuntap_writer_free(handles->writer);
}

typedef ssize_t (*packet_call)(struct handles *, tuntap_error *);

static ssize_t read_it(struct handles *handles, tuntap_error *error)
{
    char own[2000];
    return tuntap_read(handles->dev, own, sizeof own, error);
}

static ssize_t read_limited(struct handles *handles, tuntap_error *error)
{
    char own[2000];
    return tuntap_read_timeout(handles->dev, own, sizeof own, INT32_MAX, error);
}

static ssize_t read_at_once(struct handles *handles, tuntap_error *error)
{
    char own[2000];
    return tuntap_read_timeout(handles->dev, own, sizeof own, 0, error);
}

static ssize_t read_parts(struct handles *handles, tuntap_error *error)
{
    char own[2000];
    struct iovec part = {own, sizeof own};
    return tuntap_readv(handles->dev, &part, 1, error);
}

static ssize_t read_next(struct handles *handles, tuntap_error *error)
{
    void *packet;
    return tuntap_reader_next(handles->reader, &packet, error);
}

static ssize_t read_batch(struct handles *handles, tuntap_error *error)
{
    tuntap_packet packets[4];
    return tuntap_reader_batch(handles->reader, packets, 4, sizeof *packets, error);
}

static ssize_t read_super(struct handles *handles, tuntap_error *error)
{
    char own[2000];
    tuntap_vnet_hdr hdr;
    return tuntap_read_super(handles->dev, &hdr, sizeof hdr, own, sizeof own, error);
}

static ssize_t wait_to_read(struct handles *handles, tuntap_error *error)
{
    return tuntap_wait(handles->dev, TUNTAP_WAIT_READ, -1, error);
}

static ssize_t wait_to_read_limited(struct handles *handles, tuntap_error *error)
{
    return tuntap_wait(handles->dev, TUNTAP_WAIT_READ, INT32_MAX, error);
}

static ssize_t wait_to_write(struct handles *handles, tuntap_error *error)
{
    return tuntap_wait(handles->dev, TUNTAP_WAIT_WRITE, -1, error);
}

static ssize_t check_now(struct handles *handles, tuntap_error *error)
{
    return tuntap_wait(handles->dev, TUNTAP_WAIT_READ | TUNTAP_WAIT_WRITE, 0, error);
}

static ssize_t write_it(struct handles *handles, tuntap_error *error)
{
    return tuntap_write(handles->dev, stray_frame, sizeof stray_frame, error);
}

static ssize_t write_limited(struct handles *handles, tuntap_error *error)
{
    return tuntap_write_timeout(handles->dev, stray_frame, sizeof stray_frame, INT32_MAX, error);
}

static ssize_t write_parts(struct handles *handles, tuntap_error *error)
{
    struct iovec part = {(void *)stray_frame, sizeof stray_frame};
    return tuntap_writev(handles->dev, &part, 1, error);
}

static ssize_t write_super(struct handles *handles, tuntap_error *error)
{
    return tuntap_write_super(handles->dev, &plain, sizeof plain, stray_frame, sizeof stray_frame, error);
}

static ssize_t put(struct handles *handles, tuntap_error *error)
{
    return tuntap_writer_put(handles->writer, stray_frame, sizeof stray_frame, error);
}

static ssize_t flush(struct handles *handles, tuntap_error *error)
{
    return tuntap_writer_flush(handles->writer, error);
}

static ssize_t write_batch(struct handles *handles, tuntap_error *error)
{
    tuntap_packet frame = {.data = (void *)stray_frame, .size = sizeof stray_frame};
    size_t taken = 12345;
    ssize_t result = tuntap_writer_batch(handles->writer, &frame, 1, sizeof frame, &taken, error);
    CHECK(taken == 0);
    return result;
}

static const packet_call reads[] = {read_it,    read_limited, read_parts, read_next,
                                    read_batch, wait_to_read, wait_to_read_limited};
static const packet_call writes[] = {write_it, write_limited, write_parts, put, write_batch};
static const packet_call others[] = {read_at_once, wait_to_write, check_now};
enum { READS = sizeof reads / sizeof *reads, WRITES = sizeof writes / sizeof *writes };

static void call_fails(struct handles *handles, packet_call call)
{
    FAILS(call(handles, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
    MESSAGE_HAS("t0: tuntap_shutdown was called");
    CHECK(call(handles, NULL) == -ECANCELED);
}

static void all_calls_fail(struct handles *handles, uint64_t flags)
{
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < READS; i++)
            call_fails(handles, reads[i]);
        for (int i = 0; i < WRITES; i++)
            call_fails(handles, writes[i]);
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            call_fails(handles, others[i]);
        if (flags & TUNTAP_OFFLOAD) {
            call_fails(handles, read_super);
            call_fails(handles, write_super);
            call_fails(handles, flush);
        }
        /* A shutdown cannot be undone, and a later wake is not reported. */
        tuntap_wake(handles->dev);
        tuntap_shutdown(handles->dev);
    }
}

/** Calls fail on blocking and nonblocking handles, with and without a queued packet, also for packets in a reader. */
static void every_later_call_fails(uint64_t flags)
{
    tuntap *dev = ready(flags | TUNTAP_TAP);
    struct handles handles = make_handles(dev);
    for (int i = 0; i < 8; i++)
        udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    CHECK(read_next(&handles, &err) > 0);
    tuntap_shutdown(dev);
    all_calls_fail(&handles, flags);
    CHECK(is_readable(tuntap_get_fd(dev, NULL)));
    free_handles(&handles);
    finish(dev);

    dev = ready(flags | TUNTAP_TAP);
    handles = make_handles(dev);
    tuntap_wake(dev);
    tuntap_shutdown(dev);
    all_calls_fail(&handles, flags);
    /* A reader and a writer that are created later fail too. */
    struct handles later = make_handles(dev);
    all_calls_fail(&later, flags);
    free_handles(&later);
    free_handles(&handles);
    finish(dev);
}

/** Queries and configuration still work, and so do other handles of the device. */
static void other_calls_and_other_handles_still_work(void)
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
    struct handles handles;
    packet_call call;
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
    waiter->result = waiter->call(&waiter->handles, &waiter->err);
    return NULL;
}

static void start(struct waiter *waiter, tuntap *dev, packet_call call)
{
    waiter->handles = make_handles(dev);
    waiter->call = call;
    CHECK(pthread_barrier_init(&waiter->started, NULL, 2) == 0);
    CHECK(pthread_create(&waiter->id, NULL, run_waiter, waiter) == 0);
    pthread_barrier_wait(&waiter->started);
    wait_for_reader(waiter->thread, tuntap_get_fd(dev, NULL));
}

static void expect_end(struct waiter *waiter)
{
    CHECK(pthread_join(waiter->id, NULL) == 0);
    pthread_barrier_destroy(&waiter->started);
    CHECK(waiter->result == -ECANCELED);
    CHECK(waiter->err.code == -ECANCELED && waiter->err.reason == TUNTAP_REASON_SHUTDOWN);
    free_handles(&waiter->handles);
}

static void it_ends_all_waiting_reads(uint64_t flags)
{
    static struct waiter waiters[READS];
    tuntap *dev = ready(TUNTAP_TUN | flags);
    for (int i = 0; i < READS; i++)
        start(&waiters[i], dev, reads[i]);
    tuntap_shutdown(dev);
    for (int i = 0; i < READS; i++)
        expect_end(&waiters[i]);
    finish(dev);
}

static void it_ends_all_waiting_writes(uint32_t sndbuf)
{
    static struct waiter waiters[3];
    static const packet_call calls[] = {write_it, write_limited, wait_to_write};
    tuntap *dev = full_device(0, sndbuf);
    for (int i = 0; i < 3; i++)
        start(&waiters[i], dev, calls[i]);
    tuntap_shutdown(dev);
    for (int i = 0; i < 3; i++)
        expect_end(&waiters[i]);
    close_full_device(dev);
}

static tuntap *handler_dev;

static void shut_down(int number)
{
    (void)number;
    int before = errno;
    tuntap_shutdown(handler_dev);
    CHECK(errno == before);
}

static void a_signal_handler_can_end_the_wait_of_its_own_thread(int flags)
{
    char buf[2000];
    for (int i = 0; i < 5; i++) {
        handler_dev = ready(TUNTAP_TUN);
        start_signals(shut_down, flags);
        FAILS(tuntap_read(handler_dev, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
        stop_signals();
        finish(handler_dev);
    }
}

static void it_works_on_a_removed_device(void)
{
    tuntap *dev = ready(TUNTAP_TAP);
    struct handles handles = make_handles(dev);
    IP("link delete t0");
    tuntap_shutdown(dev);
    FAILS(read_it(&handles, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
    FAILS(wait_to_read(&handles, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
    free_handles(&handles);
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
    other_calls_and_other_handles_still_work();
    it_ends_all_waiting_reads(0);
    it_ends_all_waiting_reads(TUNTAP_OFFLOAD);
    it_ends_all_waiting_writes(1);
    it_ends_all_waiting_writes(4000);
    a_signal_handler_can_end_the_wait_of_its_own_thread(0);
    a_signal_handler_can_end_the_wait_of_its_own_thread(SA_RESTART);
    it_works_on_a_removed_device();
    return 0;
}
