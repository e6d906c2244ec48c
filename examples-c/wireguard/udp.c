/* SPDX-License-Identifier: MIT */
#include "udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RUN_SIZE = 65536 };
struct udp_buffer {
    uint8_t data[UDP_RUNS][RUN_SIZE];
    _Alignas(struct cmsghdr) uint8_t control[UDP_RUNS][CMSG_SPACE(sizeof(int))];
    struct sockaddr_in6 source[UDP_RUNS];
};

int udp_open(uint16_t port, uint32_t mark)
{
    const int off = 0, on = 1, buffer = 4 << 20;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (sock < 0)
        return -1;
    /* Without these four it works as well, but slower. */
    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
    setsockopt(sock, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
    if (setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0 &&
        (!mark || setsockopt(sock, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0) &&
        bind(sock, (struct sockaddr *)&any, sizeof any) == 0)
        return sock;
    int error = errno;
    close(sock);
    errno = error;
    return -1;
}

/* Sends datagrams of equal size, of which the last one may be shorter, by UDP_SEGMENT. */
static int send_run(int sock, const struct sockaddr_in6 *to, struct iovec *datagrams, size_t count)
{
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct msghdr message = {.msg_name = (void *)to, .msg_namelen = sizeof *to, .msg_iov = datagrams,
                             .msg_iovlen = count};
    if (count > 1) {
        uint16_t segment = (uint16_t)datagrams[0].iov_len;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        *part = (struct cmsghdr){CMSG_LEN(sizeof segment), IPPROTO_UDP, UDP_SEGMENT};
        memcpy(CMSG_DATA(part), &segment, sizeof segment);
    }
    return sendmsg(sock, &message, 0) < 0 ? -errno : 0;
}

static size_t run_length(const struct iovec *datagrams, size_t count)
{
    enum { SEGMENTS = 60, BYTES = 65507 };
    size_t run = 1, bytes = datagrams[0].iov_len;
    while (run < count && run < SEGMENTS && datagrams[run - 1].iov_len == datagrams[0].iov_len &&
           datagrams[run].iov_len <= datagrams[0].iov_len && bytes + datagrams[run].iov_len <= BYTES)
        bytes += datagrams[run++].iov_len;
    return run;
}

void udp_send(int sock, const struct sockaddr_in6 *to, struct iovec *datagrams, size_t count)
{
    for (size_t i = 0, run; i < count; i += run) {
        run = run_length(datagrams + i, count - i);
        int error = send_run(sock, to, datagrams + i, run);
        /* Larger than the path's MTU, or a device without checksums: alone, each is sent, in fragments if need be. */
        if (run > 1 && (error == -EINVAL || error == -EMSGSIZE || error == -EIO))
            for (size_t j = 0; j < run; j++)
                send_run(sock, to, datagrams + i + j, 1);
    }
}

struct udp_buffer *udp_buffer_new(void)
{
    return malloc(sizeof(struct udp_buffer));
}

static size_t segment_size(struct msghdr *message, size_t size)
{
    int segment = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
        if (part->cmsg_level == IPPROTO_UDP && part->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(part), sizeof segment);
    return segment > 0 ? (size_t)segment : size;
}

int udp_receive(int sock, struct udp_buffer *buffer, struct udp_run *runs)
{
    struct mmsghdr messages[UDP_RUNS] = {0};
    struct iovec parts[UDP_RUNS];

    for (int i = 0; i < UDP_RUNS; i++) {
        parts[i] = (struct iovec){buffer->data[i], RUN_SIZE};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &buffer->source[i], .msg_namelen = sizeof *buffer->source,
            .msg_iov = &parts[i], .msg_iovlen = 1, .msg_control = buffer->control[i],
            .msg_controllen = sizeof *buffer->control};
    }
    int count = recvmmsg(sock, messages, UDP_RUNS, MSG_WAITFORONE, NULL);
    for (int i = 0; i < count; i++)
        runs[i] = (struct udp_run){buffer->data[i], messages[i].msg_len,
            segment_size(&messages[i].msg_hdr, messages[i].msg_len), buffer->source[i]};
    return count;
}
