/* SPDX-License-Identifier: MIT
 * A program as a user would write it, valid as C99 and as C++: opens a TUN in a new network namespace, reads a packet,
 * and writes a packet that a socket receives. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tuntap.h>

static int failed(const char *what, const tuntap_error *err)
{
    fprintf(stderr, "%s: %s (%s)\n", what, err->message, tuntap_strreason(err->reason));
    return 1;
}

/* Sends a datagram to the far end, reads it from the device, and sends it back to the sender. */
static int exchange(tuntap *dev, tuntap_error *err)
{
    unsigned char packet[2048], source[4];
    char heard[16] = "";
    struct sockaddr_in far_end, near_end;
    socklen_t size = sizeof near_end;
    ssize_t length;
    int sock = socket(AF_INET, SOCK_DGRAM, 0);

    memset(&far_end, 0, sizeof far_end);
    far_end.sin_family = AF_INET;
    inet_pton(AF_INET, "10.8.0.2", &far_end.sin_addr);
    memset(&near_end, 0, sizeof near_end);
    near_end.sin_family = AF_INET;
    inet_pton(AF_INET, "10.8.0.1", &near_end.sin_addr);
    bind(sock, (struct sockaddr *)&near_end, sizeof near_end);
    getsockname(sock, (struct sockaddr *)&near_end, &size);
    far_end.sin_port = near_end.sin_port;
    if (sendto(sock, "hello", 5, 0, (struct sockaddr *)&far_end, sizeof far_end) != 5)
        return perror("sendto"), 1;

    do {
        length = tuntap_read(dev, packet, sizeof packet, err);
        if (length < 0)
            return failed("read", err);
    } while (packet[0] >> 4 != 4 || packet[9] != IPPROTO_UDP);

    memcpy(source, packet + 12, 4);
    memcpy(packet + 12, packet + 16, 4);
    memcpy(packet + 16, source, 4);
    if (tuntap_write(dev, packet, (size_t)length, err) != length)
        return failed("write", err);
    if (recv(sock, heard, sizeof heard - 1, 0) != 5 || strcmp(heard, "hello") != 0)
        return fprintf(stderr, "heard \"%s\"\n", heard), 1;
    close(sock);
    return 0;
}

int main(void)
{
    tuntap *dev;
    tuntap_error err;
    char name[TUNTAP_NAME_SIZE];
    int status;

    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return puts("SKIP: no network namespace of one's own here"), 77;
    if (access("/dev/net/tun", R_OK | W_OK) != 0)
        return puts("SKIP: this user may not read and write /dev/net/tun: run as root, or chmod 0666 it"), 77;
    alarm(30);
    if (tuntap_open("vpn%d", TUNTAP_TUN, &dev, &err) < 0)
        return failed("open", &err);
    if (tuntap_set_addr(dev, "10.8.0.1/24", &err) < 0 || tuntap_up(dev, &err) < 0)
        return failed("configure", &err);
    if (tuntap_get_name(dev, name, sizeof name, &err) < 0 || strcmp(name, "vpn0") != 0)
        return failed("name", &err);
    status = exchange(dev, &err);
    tuntap_close(dev);
    return status;
}
