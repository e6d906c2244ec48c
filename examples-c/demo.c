/* SPDX-License-Identifier: MIT
 *
 * libtuntap in one second: the kernel pings an address that exists only in this program, and the
 * program answers. It runs in a private network namespace and does not touch the network of this
 * machine. Where the system allows unprivileged user namespaces, it needs no root.
 *
 *     ./demo
 */
#define _GNU_SOURCE /* for unshare() */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <tuntap.h>
#include <unistd.h>

#include "ip.h"

enum { PINGS = 5, EVERY_MS = 200, TIMEOUT_MS = 5000 };

static int failed(const char *what)
{
    fprintf(stderr, "demo: %s\n", what);
    return 1;
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return ok ? 0 : -1;
}

/* Root creates a network namespace. An ordinary user first becomes root in a new user namespace. */
static int enter_private_network(void)
{
    char users[32], groups[32];
    snprintf(users, sizeof users, "0 %u 1", (unsigned)geteuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getegid());
    if (unshare(CLONE_NEWNET) == 0)
        return 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ||
        write_file("/proc/self/setgroups", "deny") < 0 ||
        write_file("/proc/self/uid_map", users) < 0 ||
        write_file("/proc/self/gid_map", groups) < 0)
        return -1;
    return 0;
}

/* Sends an echo request like ping(8): 8 bytes of header, 56 bytes of data. */
static int send_ping(int sock, unsigned seq)
{
    uint8_t echo[64] = {8}; /* the type; the rest is 0 */
    echo[7] = seq;
    unsigned checksum = ~(0x0800u + seq); /* of the words 0x0800, seq and zeros */
    echo[2] = checksum >> 8 & 0xff;
    echo[3] = checksum & 0xff;

    struct sockaddr_in to = {.sin_family = AF_INET};
    inet_pton(AF_INET, "10.8.0.2", &to.sin_addr);
    return sendto(sock, echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to) < 0 ? -1 : 0;
}

/* Reads one packet that the kernel sends through the device, prints it, and answers it if it is a ping. */
static int serve(tuntap *dev, tuntap_error *err)
{
    static uint8_t packet[65536];
    ssize_t length = tuntap_read(dev, packet, sizeof packet, err);
    if (length < 0)
        return length == -EAGAIN ? 0 : -1; /* -EAGAIN: no packet is left */
    print_packet(packet, length);
    if (!answer_ping(packet, length))
        return 0; /* for example a search for IPv6 routers */
    print_packet(packet, length);
    return tuntap_write(dev, packet, length, err) < 0 ? -1 : 0;
}

/* The sequence number of a ping reply that the kernel delivers, or 0. */
static unsigned receive_answer(int sock)
{
    uint8_t packet[1500];
    ssize_t length = recv(sock, packet, sizeof packet, 0);
    size_t header = (packet[0] & 15) * 4; /* a raw socket includes the IP header */
    if (length < 20 || (size_t)length < header + 8 || packet[header] != 0)
        return 0;
    return two_bytes(packet + header + 6);
}

int main(void)
{
    tuntap *dev = NULL;
    tuntap_error err;

    if (enter_private_network() < 0) {
        fprintf(stderr, "demo: cannot create a network namespace (%s). Run this with sudo; in "
                "a container, start the container with --privileged.\n", strerror(errno));
        return 1;
    }
    /* Non-blocking, because poll() waits for packets. */
    if (tuntap_open("demo0", TUNTAP_TUN | TUNTAP_NONBLOCK, &dev, &err) < 0 ||
        tuntap_set_addr(dev, "10.8.0.1/24", &err) < 0 ||
        tuntap_up(dev, &err) < 0)
        return failed(err.message);
    setvbuf(stdout, NULL, _IOLBF, 0); /* write each line at once, also to a pipe */
    printf("demo0 is up with 10.8.0.1/24, and the kernel pings 10.8.0.2\n");

    /* An ordinary socket sends the pings. */
    int sock = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (sock < 0)
        return failed(strerror(errno));

    double sent_at[PINGS + 1] = {0}, min = 1e9, max = 0, sum = 0, next = now_ms();
    unsigned sent = 0, answered = 0;
    while (answered < PINGS) {
        if (now_ms() >= next) { /* the next ping is due, or the last one timed out */
            if (sent == PINGS)
                break;
            sent_at[++sent] = now_ms();
            if (send_ping(sock, sent) < 0)
                return failed(strerror(errno));
            next = sent_at[sent] + (sent < PINGS ? EVERY_MS : TIMEOUT_MS);
        }
        struct pollfd ready[] = {{tuntap_get_fd(dev, NULL), POLLIN, 0}, {sock, POLLIN, 0}};
        double left = next - now_ms();
        if (poll(ready, 2, left > 0 ? (int)left + 1 : 0) < 0)
            return failed(strerror(errno));
        if (ready[0].revents && serve(dev, &err) < 0)
            return failed(err.message);
        unsigned seq = ready[1].revents ? receive_answer(sock) : 0;
        if (seq == 0 || seq > sent || sent_at[seq] == 0)
            continue; /* no reply, or not one that we wait for */

        double took = now_ms() - sent_at[seq];
        sent_at[seq] = 0; /* count a reply only once */
        answered++;
        sum += took;
        min = took < min ? took : min;
        max = took > max ? took : max;
        printf("    64 bytes from 10.8.0.2: seq=%u time=%.3f ms\n", seq, took);
    }
    printf("%u packets sent, %u answered", sent, answered);
    if (answered)
        printf(", min/avg/max = %.3f/%.3f/%.3f ms", min, sum / answered, max);
    printf("\n");
    close(sock);
    tuntap_close(dev);
    return answered == PINGS ? 0 : 1;
}
