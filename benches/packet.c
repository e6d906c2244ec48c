/* SPDX-License-Identifier: MIT
 *
 * Compares the cost of a packet through libtuntap with a bare system call on the same descriptor: 64-byte packets,
 * alternating rounds, medians in nanoseconds and their ratio. In a private network namespace; needs root, or a
 * /dev/net/tun that everybody may open. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tuntap.h>
#include <unistd.h>

#include "clock.h"

enum { ROUNDS = 400, PACKETS = 400 /* the device's queue holds 500 */, HANDOVERS = 50 };

static tuntap *dev;
static int fd, sock;
static char packet[64] = {0x45, 0, 0, 64, 0, 0, 0, 0, 64, 17, 0, 0, 10, 8, 0, 2, 10, 9, 0, 1};
static char buf[70000];
static size_t room;

static ssize_t bare_read(void) { return read(fd, buf, room); }
static ssize_t our_read(void) { return tuntap_read(dev, buf, room, NULL); }
static ssize_t bare_write(void) { return write(fd, packet, sizeof packet); }
static ssize_t our_write(void) { return tuntap_write(dev, packet, sizeof packet, NULL); }

static void fill(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7000)};
    inet_pton(AF_INET, "10.8.0.2", &to.sin_addr);
    for (int i = 0; i < PACKETS; i++)
        sendto(sock, packet, 36, 0, (struct sockaddr *)&to, sizeof to);
}

/* Nanoseconds per packet, over one round. */
static double round_of(ssize_t (*call)(void), int reads)
{
    if (reads)
        fill();
    double start = now();
    for (int i = 0; i < PACKETS; i++)
        if (call() != sizeof packet)
            abort();
    return (now() - start) / PACKETS;
}

/* Reads that wait: this thread sends a packet, and another thread reads it and answers through a pipe. Both run on one
 * processor: waking another processor would take longer than everything else. */
struct waiter {
    ssize_t (*take)(void);
    const char *host;
    int done[2];
    pthread_t thread;
};

static int blocking_fd;
static tuntap *blocking_dev;

static ssize_t bare_wait(void) { return read(blocking_fd, buf, room); }
static ssize_t our_wait(void) { return tuntap_read(blocking_dev, buf, room, NULL); }

static void *take_all(void *argument)
{
    struct waiter *waiter = argument;
    for (int i = 0; i < ROUNDS * HANDOVERS; i++)
        if (waiter->take() != sizeof packet || write(waiter->done[1], "", 1) != 1)
            abort();
    return NULL;
}

static double handovers(const struct waiter *waiter)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7000)};
    char byte;
    inet_pton(AF_INET, waiter->host, &to.sin_addr);
    double start = now();
    for (int i = 0; i < HANDOVERS; i++) {
        sendto(sock, packet, 36, 0, (struct sockaddr *)&to, sizeof to);
        if (read(waiter->done[0], &byte, 1) != 1)
            abort();
    }
    return (now() - start) / HANDOVERS;
}

static void begin_waiter(struct waiter *waiter)
{
    if (pipe(waiter->done) != 0 || pthread_create(&waiter->thread, NULL, take_all, waiter) != 0)
        abort();
}

static void end_waiter(struct waiter *waiter)
{
    pthread_join(waiter->thread, NULL);
    close(waiter->done[0]);
    close(waiter->done[1]);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double a[ROUNDS], b[ROUNDS], ratio[ROUNDS];

/* Each ratio is of two consecutive rounds, so it does not depend on the current speed of the machine. */
static void print_rounds(const char *what)
{
    for (int i = 0; i < ROUNDS; i++)
        ratio[i] = b[i] / a[i];
    qsort(a, ROUNDS, sizeof *a, compare);
    qsort(b, ROUNDS, sizeof *b, compare);
    qsort(ratio, ROUNDS, sizeof *ratio, compare);
    printf("| %s | %.0f | %.0f | %.3f (%.3f to %.3f) |\n", what, a[ROUNDS / 2], b[ROUNDS / 2], ratio[ROUNDS / 2],
           ratio[ROUNDS / 4], ratio[ROUNDS * 3 / 4]);
}

static void report(const char *what, ssize_t (*bare)(void), ssize_t (*ours)(void), int reads)
{
    for (int i = 0; i < ROUNDS; i++) {
        a[i] = round_of(bare, reads);
        b[i] = round_of(ours, reads);
    }
    print_rounds(what);
}

static void report_wait(const char *what, const char *bare_host, const char *our_host)
{
    struct waiter bare = {.take = bare_wait, .host = bare_host}, ours = {.take = our_wait, .host = our_host};
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one);
    begin_waiter(&bare);
    begin_waiter(&ours);
    for (int i = 0; i < ROUNDS; i++) {
        a[i] = handovers(&bare);
        b[i] = handovers(&ours);
    }
    end_waiter(&bare);
    end_waiter(&ours);
    print_rounds(what);
}

static int open_blocking(tuntap_error *err)
{
    tuntap *bare;
    if (tuntap_open("bench1", TUNTAP_TUN, &blocking_dev, err) < 0 ||
        tuntap_set_addr(blocking_dev, "10.8.1.1/24", err) < 0 || tuntap_up(blocking_dev, err) < 0 ||
        tuntap_open("bench2", TUNTAP_TUN, &bare, err) < 0 ||
        tuntap_set_addr(bare, "10.8.2.1/24", err) < 0 || tuntap_up(bare, err) < 0)
        return -1;
    blocking_fd = dup(tuntap_get_fd(bare, NULL));
    tuntap_close(bare);
    return fcntl(blocking_fd, F_SETFL, fcntl(blocking_fd, F_GETFL) & ~O_NONBLOCK);
}

int main(void)
{
    tuntap_error err;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return puts("bench: cannot create a network namespace: run it as root"), 1;
    if (access("/proc/sys/net/ipv6", F_OK) == 0) {
        int off = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
        if (off < 0 || write(off, "1", 1) != 1)
            return puts("bench: cannot disable IPv6, which would send packets too"), 1;
        close(off);
    }
    if (tuntap_open("bench0", TUNTAP_TUN | TUNTAP_NONBLOCK, &dev, &err) < 0 ||
        tuntap_set_addr(dev, "10.8.0.1/24", &err) < 0 || tuntap_up(dev, &err) < 0 || open_blocking(&err) < 0)
        return printf("bench: %s\n", err.message), 1;
    fd = tuntap_get_fd(dev, NULL);
    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    printf("| 64-byte packets | bare, ns | libtuntap, ns | ratio: median (quartiles) |\n| --- | --- | --- | --- |\n");
    room = tuntap_read_size(dev);
    report("read into tuntap_read_size() bytes", bare_read, our_read, 1);
    room = 2048;
    report("read into 2,048 bytes, which may cut", bare_read, our_read, 1);
    report("write", bare_write, our_write, 0);
    room = tuntap_read_size(dev);
    report_wait("read that waits: from sendto() to the other thread and back", "10.8.2.2", "10.8.1.2");
    close(blocking_fd);
    tuntap_close(blocking_dev);
    close(sock);
    tuntap_close(dev);
    return 0;
}
