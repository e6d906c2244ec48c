/* SPDX-License-Identifier: MIT */
#include "packet.h"

#include <pthread.h>

struct reader {
    tuntap *dev;
    long thread;
    ssize_t got;
    pthread_barrier_t started;
};

static void do_nothing(int number)
{
    (void)number;
}

static void *read_one(void *argument)
{
    struct reader *reader = argument;
    char buf[100];
    reader->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&reader->started);
    reader->got = tuntap_read(reader->dev, buf, sizeof buf, NULL);
    return NULL;
}

static void a_waiting_call_keeps_waiting(void)
{
    struct reader reader = {.got = 0};
    pthread_t thread;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_NONBLOCK, &reader.dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    OK(tuntap_set_nonblock(reader.dev, 0, &err));
    CHECK(pthread_barrier_init(&reader.started, NULL, 2) == 0);
    CHECK(pthread_create(&thread, NULL, read_one, &reader) == 0);
    pthread_barrier_wait(&reader.started);
    wait_for_reader(reader.thread, tuntap_get_fd(reader.dev, NULL));
    OK(tuntap_set_nonblock(reader.dev, 1, &err));

    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(reader.got == UDP_OVERHEAD + 5);
    pthread_barrier_destroy(&reader.started);
    close(sock);
    tuntap_close(reader.dev);
}

/** Whether a read waits: only then a signal ends it. */
static int waits(tuntap *dev)
{
    char buf[100];
    start_signals(do_nothing, 0);
    ssize_t got = tuntap_read(dev, buf, sizeof buf, NULL);
    stop_signals();
    CHECK(got == -EINTR || got == -EAGAIN);
    return got == -EINTR;
}

static void only_a_blocking_handle_waits(void)
{
    char buf[100];
    struct iovec part = {buf, sizeof buf}, frame = {(void *)stray_frame, sizeof stray_frame};
    tuntap *dev = full_device(0, 1);
    int fd = tuntap_get_fd(dev, NULL), before = fcntl(fd, F_GETFL);
    CHECK(before & O_NONBLOCK);
    for (int round = 0; round < 2; round++) {
        CHECK(waits(dev));
        start_signals(do_nothing, 0);
        FAILS(tuntap_readv(dev, &part, 1, &err), EINTR, TUNTAP_REASON_INTERRUPTED);
        FAILS(tuntap_write(dev, stray_frame, sizeof stray_frame, &err), EINTR, TUNTAP_REASON_INTERRUPTED);
        FAILS(tuntap_writev(dev, &frame, 1, &err), EINTR, TUNTAP_REASON_INTERRUPTED);
        stop_signals();

        OK(tuntap_set_nonblock(dev, round ? 7 : 1, &err));
        FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
        FAILS(tuntap_readv(dev, &part, 1, &err), EAGAIN, TUNTAP_REASON_AGAIN);
        FAILS(tuntap_write(dev, stray_frame, sizeof stray_frame, &err), EAGAIN, TUNTAP_REASON_AGAIN);
        FAILS(tuntap_writev(dev, &frame, 1, &err), EAGAIN, TUNTAP_REASON_AGAIN);
        CHECK(tuntap_write(dev, stray_frame, sizeof stray_frame, NULL) == -EAGAIN);
        CHECK(fcntl(fd, F_GETFL) == before);
        OK(tuntap_set_nonblock(dev, 0, &err));
        OK(tuntap_set_nonblock(dev, 0, &err));
        CHECK(fcntl(fd, F_GETFL) == before);
    }
    close_full_device(dev);
}

static void it_applies_to_one_handle(void)
{
    tuntap *dev, *queue;
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_set_nonblock(queue, 1, &err));
    CHECK(waits(dev) && !waits(queue));
    OK(tuntap_set_nonblock(dev, 1, &err));
    OK(tuntap_set_nonblock(queue, 0, &err));
    CHECK(!waits(dev) && waits(queue));
    tuntap_close(queue);
    tuntap_close(dev);
}

/** A copy of a descriptor shares the open file description and thus O_NONBLOCK. */
static void two_handles_of_one_open_file_have_separate_modes(void)
{
    tuntap *dev, *copy;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW | TUNTAP_NONBLOCK, &copy, &err));
    CHECK(waits(dev) && !waits(copy));
    OK(tuntap_set_nonblock(copy, 0, &err));
    OK(tuntap_set_nonblock(dev, 1, &err));
    CHECK(!waits(dev) && waits(copy));
    tuntap_close(copy);
    tuntap_close(dev);
}

static void it_succeeds_on_a_removed_device(void)
{
    tuntap *dev;
    char buf[100];
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link delete t0");
    OK(tuntap_set_nonblock(dev, 1, &err));
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    FAILS(tuntap_set_nonblock(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    it_applies_to_one_handle();
    two_handles_of_one_open_file_have_separate_modes();
    a_waiting_call_keeps_waiting();
    it_succeeds_on_a_removed_device();
    only_a_blocking_handle_waits(); /* Last, because it skips the rest of the test if the kernel has no bridge. */
    return 0;
}
