/* SPDX-License-Identifier: MIT
 *
 * A network between two hosts: what goes into the TUN device of the one comes out of the TUN
 * device of the other, each packet in a UDP datagram.
 *
 *     sudo ./udp-tunnel tun0 10.9.0.1/24 192.0.2.1:5000 192.0.2.2:5000         on 192.0.2.1
 *     sudo ./udp-tunnel tun0 10.9.0.2/24 192.0.2.2:5000 192.0.2.1:5000         on 192.0.2.2
 *     ping 10.9.0.2                                                            on 192.0.2.1
 *
 * It encrypts nothing, and believes whoever sends from the other host's address: it is for
 * networks that you trust, and to learn from. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tuntap.h>
#include <unistd.h>

/* Ethernet carries 1500 bytes. 20 of them are the outer IP header, and 8 the UDP header. A larger
 * packet would cross in two fragments, and be lost when either of them is. */
enum { MTU = 1500 - 20 - 8 };

/* "192.0.2.1:5000" as the kernel wants it. Returns 0, or -1 if the text is no such thing. */
static int parse(const char *text, struct sockaddr_in *address)
{
    char host[INET_ADDRSTRLEN] = "", *end;
    const char *colon = strchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof host)
        return -1;
    memcpy(host, text, colon - text);
    unsigned long port = strtoul(colon + 1, &end, 10);

    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    int valid = inet_pton(AF_INET, host, &address->sin_addr) == 1 && port > 0 && port < 65536;
    return valid && end != colon + 1 && *end == 0 ? 0 : -1;
}

/* A socket between these two only: connect() has the kernel drop what others send. */
static int open_socket(const char *local, const char *remote)
{
    struct sockaddr_in own, other;
    if (parse(local, &own) < 0 || parse(remote, &other) < 0) {
        fprintf(stderr, "udp-tunnel: LOCAL and REMOTE are like 192.0.2.1:5000\n");
        return -1;
    }
    int sock = socket(AF_INET, SOCK_DGRAM, 0);
    if (sock < 0 || bind(sock, (struct sockaddr *)&own, sizeof own) < 0 ||
        connect(sock, (struct sockaddr *)&other, sizeof other) < 0) {
        fprintf(stderr, "udp-tunnel: %s to %s: %s\n", local, remote, strerror(errno));
        return -1;
    }
    return sock;
}

/* Whether a call on the device went wrong in a way that passes: then only this packet is lost,
 * which IP allows for. */
static int passes(const tuntap_error *err)
{
    switch (err->reason) {
    case TUNTAP_REASON_AGAIN:  /* no packet after all, or no room for one */
    case TUNTAP_REASON_DOWN:   /* somebody took the device down, and may take it up again */
    case TUNTAP_REASON_PACKET: /* the datagram held no IP packet */
    case TUNTAP_REASON_BUFFER: /* somebody set a larger MTU */
        return 1;
    default: /* such as TUNTAP_REASON_REMOVED */
        return 0;
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: udp-tunnel NAME ADDR/PREFIX LOCAL_IP:PORT REMOTE_IP:PORT\n");
        return 2;
    }
    int sock = open_socket(argv[3], argv[4]);
    if (sock < 0)
        return 1;

    tuntap *dev = NULL;
    tuntap_error err;
    if (tuntap_open(argv[1], TUNTAP_TUN | TUNTAP_NONBLOCK, &dev, &err) < 0 ||
        tuntap_set_mtu(dev, MTU, &err) < 0 ||
        tuntap_set_addr(dev, argv[2], &err) < 0 ||
        tuntap_up(dev, &err) < 0)
        goto out;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%s is up with %s, over %s to %s\n", argv[1], argv[2], argv[3], argv[4]);

    for (;;) {
        static char packet[65536];
        struct pollfd ready[] = {{tuntap_get_fd(dev, NULL), POLLIN, 0}, {sock, POLLIN, 0}};
        if (poll(ready, 2, -1) < 0)
            continue; /* a signal */

        /* Any event, not just POLLIN: when the device is removed, the read says so. */
        if (ready[0].revents) {
            ssize_t length = tuntap_read(dev, packet, sizeof packet, &err);
            if (length < 0 && !passes(&err))
                break;
            /* The other end may be away, or the way to it full: then the packet is lost. */
            if (length > 0 && send(sock, packet, length, MSG_DONTWAIT) < 0 && errno == EMSGSIZE)
                fprintf(stderr, "udp-tunnel: %zd bytes do not fit the way\n", length);
        }
        if (ready[1].revents) {
            /* An error here tells of an earlier datagram that did not arrive. */
            ssize_t length = recv(sock, packet, sizeof packet, MSG_DONTWAIT);
            if (length > 0 && tuntap_write(dev, packet, length, &err) < 0 && !passes(&err))
                break;
        }
    }
out:
    fprintf(stderr, "udp-tunnel: %s\n", err.message);
    tuntap_close(dev);
    close(sock);
    return 1;
}
