/* SPDX-License-Identifier: MIT
 *
 * A second of libtuntap: the kernel pings an address that exists nowhere but in this program, and
 * the program answers. It all happens in a private network, so nothing of this machine's network
 * is touched; where the system lets ordinary users have one, this needs no root.
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

enum { PINGS = 5, EVERY_MS = 200, PATIENCE_MS = 5000 };

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

/* Root may leave the machine's network as it is. Everybody else first becomes the root of a user
 * namespace, whose only user he is. */
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

/* Sends an echo request as ping(8) does: 8 bytes of header, 56 of data. */
static int send_ping(int sock, unsigned seq)
{
    uint8_t echo[64] = {8}; /* the type; all the rest is 0 */
    echo[7] = seq;
    unsigned checksum = ~(0x0800u + seq); /* of the words 0x0800, seq and zeros */
    echo[2] = checksum >> 8 & 0xff;
    echo[3] = checksum & 0xff;

    struct sockaddr_in to = {.sin_family = AF_INET};
    inet_pton(AF_INET, "10.8.0.2", &to.sin_addr);
    return sendto(sock, echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to) < 0 ? -1 : 0;
}

/* One packet that the kernel sends into the device: it is shown, and answered when it is a ping. */
static int serve(tuntap *dev, tuntap_error *err)
{
    static uint8_t packet[65536];
    ssize_t length = tuntap_read(dev, packet, sizeof packet, err);
    if (length < 0)
        return length == -EAGAIN ? 0 : -1; /* -EAGAIN: there was none after all */
    print_packet(packet, length);
    if (!answer_ping(packet, length))
        return 0; /* the kernel looks for IPv6 routers, for instance */
    print_packet(packet, length);
    return tuntap_write(dev, packet, length, err) < 0 ? -1 : 0;
}

/* The number of the ping that the kernel brings us the answer to, or 0. */
static unsigned receive_answer(int sock)
{
    uint8_t packet[1500];
    ssize_t length = recv(sock, packet, sizeof packet, 0);
    size_t header = (packet[0] & 15) * 4; /* a raw socket shows the IP header too */
    if (length < 20 || (size_t)length < header + 8 || packet[header] != 0)
        return 0;
    return two_bytes(packet + header + 6);
}

int main(void)
{
    tuntap *dev = NULL;
    tuntap_error err;

    if (enter_private_network() < 0) {
        fprintf(stderr, "demo: this system gives no private network (%s). Run it as root, with "
                "sudo; in a container, start that with --privileged.\n", strerror(errno));
        return 1;
    }
    /* The device. Non-blocking, because poll() does the waiting. */
    if (tuntap_open("demo0", TUNTAP_TUN | TUNTAP_NONBLOCK, &dev, &err) < 0 ||
        tuntap_set_addr(dev, "10.8.0.1/24", &err) < 0 ||
        tuntap_up(dev, &err) < 0)
        return failed(err.message);
    setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines at once, into a pipe too */
    printf("demo0 is up with 10.8.0.1/24, and the kernel pings 10.8.0.2\n");

    /* The pinger has a socket like any other program's. */
    int sock = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (sock < 0)
        return failed(strerror(errno));

    double sent_at[PINGS + 1] = {0}, min = 1e9, max = 0, sum = 0, next = now_ms();
    unsigned sent = 0, answered = 0;
    while (answered < PINGS) {
        if (now_ms() >= next) { /* the next ping is due, or we have waited for long enough */
            if (sent == PINGS)
                break;
            sent_at[++sent] = now_ms();
            if (send_ping(sock, sent) < 0)
                return failed(strerror(errno));
            next = sent_at[sent] + (sent < PINGS ? EVERY_MS : PATIENCE_MS);
        }
        struct pollfd ready[] = {{tuntap_get_fd(dev, NULL), POLLIN, 0}, {sock, POLLIN, 0}};
        double left = next - now_ms();
        if (poll(ready, 2, left > 0 ? (int)left + 1 : 0) < 0)
            return failed(strerror(errno));
        if (ready[0].revents && serve(dev, &err) < 0)
            return failed(err.message);
        unsigned seq = ready[1].revents ? receive_answer(sock) : 0;
        if (seq == 0 || seq > sent || sent_at[seq] == 0)
            continue; /* nothing, or nothing that we wait for */

        double took = now_ms() - sent_at[seq];
        sent_at[seq] = 0; /* an answer counts once */
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
