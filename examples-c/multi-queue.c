/* SPDX-License-Identifier: MIT
 *
 * One device with several queues and a thread for each: reads on several processors. The kernel
 * distributes flows over the queues, and keeps the packets of one flow in one queue.
 *
 *     sudo ./multi-queue mq0 10.8.0.1/24 4 1000 30      4 queues; 1000 packets or 30 seconds
 *     for port in 1 2 3 4 5 6 7 8; do echo > /dev/udp/10.8.0.2/$port; done       (in another shell)
 *
 * It answers pings as well, each thread on its own queue. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuntap.h>
#include <unistd.h>

#include "ip.h"

enum { MOST_QUEUES = 16 };

struct queue {
    tuntap *dev;
    pthread_t thread;
    unsigned long packets; /* only its thread uses it, until the thread has ended */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long left;        /* packets still to count, under the lock */
static int stop_pipe[2]; /* closing [1] wakes all threads that poll [0] */

/* Ends all threads. Later calls do nothing. */
static void stop(void)
{
    pthread_mutex_lock(&lock);
    if (stop_pipe[1] >= 0)
        close(stop_pipe[1]);
    stop_pipe[1] = -1;
    pthread_mutex_unlock(&lock);
}

/* Counts one packet. Returns 1 if the limit was not reached before. */
static int count(void)
{
    pthread_mutex_lock(&lock);
    long before = left;
    if (left > 0)
        left--;
    pthread_mutex_unlock(&lock);
    if (before == 1)
        stop();
    return before > 0;
}

static void *serve(void *argument)
{
    struct queue *queue = argument;
    tuntap_error err;
    uint8_t packet[2048]; /* enough for the MTU of a new device, 1500 */

    for (;;) {
        struct pollfd ready[] = {{tuntap_get_fd(queue->dev, NULL), POLLIN, 0}, {stop_pipe[0], POLLIN, 0}};
        if (poll(ready, 2, -1) < 0)
            continue; /* a signal */
        if (ready[1].revents)
            return NULL;
        ssize_t length = tuntap_read(queue->dev, packet, sizeof packet, &err);
        if (length == -EAGAIN)
            continue;
        if (length >= 0 && count())
            queue->packets++;
        if (length >= 0 && answer_ping(packet, length))
            length = tuntap_write(queue->dev, packet, length, &err);
        /* If there is no room, or the device is down, the reply is lost. */
        if (length < 0 && length != -EAGAIN && length != -ENETDOWN) {
            fprintf(stderr, "multi-queue: %s\n", err.message);
            stop();
            return NULL;
        }
    }
}

static int failed(const char *why)
{
    fprintf(stderr, "multi-queue: %s\n", why);
    return 1;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "mq0";
    const char *addr = argc > 2 ? argv[2] : "10.8.0.1/24";
    int queues = argc > 3 ? atoi(argv[3]) : 4;
    left = argc > 4 ? atol(argv[4]) : 1000;
    int seconds = argc > 5 ? atoi(argv[5]) : 30;
    struct queue queue[MOST_QUEUES] = {{0}};
    tuntap_error err;

    if (queues < 1 || queues > MOST_QUEUES || left < 1 || seconds < 1 || seconds > 1000000)
        return failed("usage: multi-queue [NAME [ADDR/PREFIX [QUEUES [COUNT [SECONDS]]]]]");
    if (pipe(stop_pipe) < 0)
        return failed(strerror(errno));

    /* The first handle creates the device and its first queue, and each other handle adds a queue.
     * The device goes up last, so that no queue misses the first packets. */
    uint64_t flags = TUNTAP_TUN | TUNTAP_MULTI_QUEUE | TUNTAP_NONBLOCK;
    if (tuntap_open(name, flags, &queue[0].dev, &err) < 0)
        return failed(err.message);
    for (int i = 1; i < queues; i++)
        if (tuntap_open_queue(queue[0].dev, TUNTAP_NONBLOCK, &queue[i].dev, &err) < 0)
            return failed(err.message);
    if (tuntap_set_addr(queue[0].dev, addr, &err) < 0 || tuntap_up(queue[0].dev, &err) < 0)
        return failed(err.message);

    for (int i = 0; i < queues; i++) {
        int code = pthread_create(&queue[i].thread, NULL, serve, &queue[i]);
        if (code != 0)
            return failed(strerror(code));
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* write each line at once, also to a pipe */
    printf("%s is up with %s and %d queues\n", name, addr, queues);

    /* Wait until a thread closes the pipe, or the time is over. */
    struct pollfd stopped = {stop_pipe[0], POLLIN, 0};
    poll(&stopped, 1, seconds * 1000);
    stop();

    unsigned long sum = 0;
    for (int i = 0; i < queues; i++) {
        pthread_join(queue[i].thread, NULL);
        printf("queue %d: %lu packets\n", i, queue[i].packets);
        sum += queue[i].packets;
        tuntap_close(queue[i].dev);
    }
    printf("in all: %lu packets\n", sum);
    close(stop_pipe[0]);
    return 0;
}
