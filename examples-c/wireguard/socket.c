/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io.h"

int socket_open(uint16_t port, uint32_t mark)
{
    enum { BUFFER = 4 << 20 };
    const int off = 0, buffer = BUFFER;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (sock < 0 || setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0 ||
        (mark && setsockopt(sock, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0) ||
        bind(sock, (struct sockaddr *)&any, sizeof any) < 0) {
        int error = errno;
        close(sock);
        errno = error;
        return -1;
    }
    /* Not granted, or not known to the kernel: the socket works without. */
    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
    return sock;
}
