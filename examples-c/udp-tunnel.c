/* SPDX-License-Identifier: MIT
 *
 * A tunnel between two hosts: a packet that one host sends through its TUN device arrives at the
 * TUN device of the other host, in a UDP datagram.
 *
 *     sudo ./udp-tunnel tun0 10.9.0.1/24 192.0.2.1:5000 192.0.2.2:5000         on 192.0.2.1
 *     sudo ./udp-tunnel tun0 10.9.0.2/24 192.0.2.2:5000 192.0.2.1:5000         on 192.0.2.2
 *     ping 10.9.0.2                                                            on 192.0.2.1
 *
 * It does not encrypt, and it trusts the sender's address. Use it on networks that you trust, and to
 * learn from. */
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

/* Ethernet carries 1500 bytes. The outer IP header takes 20 of them, and the UDP header 8. A larger
 * packet would be sent in two fragments, and would be lost if one of them is lost. */
enum { MTU = 1500 - 20 - 8 };

/* Parses "192.0.2.1:5000". Returns 0, or -1 if the text is not an address and a port. */
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

/* A socket between these two addresses only: after connect() the kernel drops datagrams from others. */
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

/* Whether a failure is temporary: then only this packet is lost, which IP permits. */
static int passes(const tuntap_error *err)
{
    switch (err->reason) {
    case TUNTAP_REASON_AGAIN:  /* no packet to read, or no room to write */
    case TUNTAP_REASON_DOWN:   /* the device is down, and can go up again */
    case TUNTAP_REASON_PACKET: /* the datagram has no IP packet */
    case TUNTAP_REASON_BUFFER: /* another program set a larger MTU */
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

        /* Any event, not only POLLIN: the read reports that the device is gone. */
        if (ready[0].revents) {
            ssize_t length = tuntap_read(dev, packet, sizeof packet, &err);
            if (length < 0 && !passes(&err))
                break;
            /* If the other end is away, or the path to it is full, the packet is lost. */
            if (length > 0 && send(sock, packet, length, MSG_DONTWAIT) < 0 && errno == EMSGSIZE)
                fprintf(stderr, "udp-tunnel: %zd bytes do not fit the path MTU\n", length);
        }
        if (ready[1].revents) {
            /* An error here is about an earlier datagram that did not arrive. */
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
