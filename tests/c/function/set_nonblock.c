/* SPDX-License-Identifier: MIT */
#include "packet.h"

#include <pthread.h>

struct reader {
    tuntap *dev;
    long thread;
    ssize_t got;
    pthread_barrier_t started;
};

static void *read_one(void *argument)
{
    struct reader *reader = argument;
    char buf[100];
    reader->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&reader->started);
    reader->got = tuntap_read(reader->dev, buf, sizeof buf, NULL);
    return NULL;
}

static void a_call_that_waits_goes_on_waiting(void)
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
    wait_for_reader(reader.thread, tuntap_get_fd(reader.dev));
    OK(tuntap_set_nonblock(reader.dev, 1, &err));

    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(reader.got == UDP_OVERHEAD + 5);
    pthread_barrier_destroy(&reader.started);
    close(sock);
    tuntap_close(reader.dev);
}

static void it_is_of_one_handle(void)
{
    tuntap *dev, *queue;
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_set_nonblock(queue, 1, &err));
    CHECK(!(fcntl(tuntap_get_fd(dev), F_GETFL) & O_NONBLOCK));
    CHECK(fcntl(tuntap_get_fd(queue), F_GETFL) & O_NONBLOCK);
    tuntap_close(queue);
    tuntap_close(dev);
}

int main(void)
{
    tuntap *dev;
    char buf[100];
    begin();
    ipv4_only();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    int fd = tuntap_get_fd(dev), before = fcntl(fd, F_GETFL);
    OK(tuntap_set_nonblock(dev, 1, &err));
    CHECK(fcntl(fd, F_GETFL) == (before | O_NONBLOCK));
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    OK(tuntap_set_nonblock(dev, 7, &err));
    CHECK(fcntl(fd, F_GETFL) == (before | O_NONBLOCK));
    OK(tuntap_set_nonblock(dev, 0, &err));
    OK(tuntap_set_nonblock(dev, 0, &err));
    CHECK(fcntl(fd, F_GETFL) == before);
    FAILS(tuntap_set_nonblock(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_close(dev);
    it_is_of_one_handle();
    a_call_that_waits_goes_on_waiting();
    return 0;
}
