/* SPDX-License-Identifier: MIT
 *
 * Batches: the device passes super-packets, which the library splits and joins; the socket cuts what it sends
 * (UDP_SEGMENT) and gives what it receives uncut (UDP_GRO). */
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io.h"
#include "transport.h"

const uint64_t io_device_flags = TUNTAP_TUN | TUNTAP_NONBLOCK | TUNTAP_OFFLOAD;

struct packet_source *source_open(tuntap *dev, tuntap_error *err)
{
    tuntap_reader *reader;
    if (tuntap_reader_new(dev, 0, &reader, err) < 0)
        return NULL;
    tuntap_reader_set_room(reader, HEADROOM, TAILROOM, NULL);
    return (struct packet_source *)reader;
}

ssize_t source_read(struct packet_source *source, tuntap_packet *packets, size_t count, tuntap_error *err)
{
    return tuntap_reader_batch((tuntap_reader *)source, packets, count, sizeof *packets, err);
}

void source_close(struct packet_source *source)
{
    tuntap_reader_free((tuntap_reader *)source);
}

struct packet_sink *sink_open(tuntap *dev, tuntap_error *err)
{
    tuntap_writer *writer;
    return tuntap_writer_new(dev, 0, &writer, err) < 0 ? NULL : (struct packet_sink *)writer;
}

void *sink_reserve(struct packet_sink *sink, size_t size)
{
    void *packet;
    return tuntap_writer_reserve((tuntap_writer *)sink, size, &packet, NULL) < 0 ? NULL : packet;
}

void sink_commit(struct packet_sink *sink, size_t size)
{
    tuntap_writer_commit((tuntap_writer *)sink, size, NULL);
}

void sink_flush(struct packet_sink *sink)
{
    tuntap_writer_flush((tuntap_writer *)sink, NULL); /* a device that is down loses packets */
}

void sink_close(struct packet_sink *sink)
{
    tuntap_writer_free((tuntap_writer *)sink);
}

/* With UDP_GRO a call returns up to 64 KiB; without, several calls would: so a call takes several. */
enum { CALL = 8, BUFFER = 65536 };
struct datagram_source {
    uint8_t data[CALL][BUFFER];
    _Alignas(struct cmsghdr) uint8_t control[CALL][CMSG_SPACE(sizeof(int))];
    struct sockaddr_in6 address[CALL];
};

struct datagram_source *datagrams_open(int sock)
{
    const int on = 1;
    setsockopt(sock, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
    return malloc(sizeof(struct datagram_source));
}

void datagrams_close(struct datagram_source *source)
{
    free(source);
}

static size_t segment_size(struct msghdr *message, size_t size)
{
    int segment = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
        if (part->cmsg_level == IPPROTO_UDP && part->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(part), sizeof segment);
    return segment > 0 ? (size_t)segment : size;
}

int datagrams_receive(struct datagram_source *source, int sock, struct datagram *datagrams)
{
    struct mmsghdr messages[CALL] = {0};
    struct iovec parts[CALL];

    for (int i = 0; i < CALL; i++) {
        parts[i] = (struct iovec){source->data[i], BUFFER};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &source->address[i], .msg_namelen = sizeof source->address[i],
            .msg_iov = &parts[i], .msg_iovlen = 1, .msg_control = source->control[i],
            .msg_controllen = sizeof source->control[i]};
    }
    int count = recvmmsg(sock, messages, CALL, MSG_WAITFORONE, NULL);
    for (int i = 0; i < count; i++) {
        size_t size = messages[i].msg_len;
        datagrams[i] = (struct datagram){source->data[i], size, segment_size(&messages[i].msg_hdr, size),
                                         source->address[i]};
    }
    return count;
}

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
        part->cmsg_level = IPPROTO_UDP;
        part->cmsg_type = UDP_SEGMENT;
        part->cmsg_len = CMSG_LEN(sizeof segment);
        memcpy(CMSG_DATA(part), &segment, sizeof segment);
    }
    return sendmsg(sock, &message, 0) < 0 ? -errno : 0;
}

/* The number of datagrams that one call can send: of equal size, but for a shorter last one. */
static size_t run_length(const struct iovec *datagrams, size_t count)
{
    enum { SEGMENTS = 60, BYTES = 65000 };
    size_t run = 1, bytes = datagrams[0].iov_len;
    while (run < count && run < SEGMENTS && datagrams[run - 1].iov_len == datagrams[0].iov_len &&
           datagrams[run].iov_len <= datagrams[0].iov_len && bytes + datagrams[run].iov_len <= BYTES)
        bytes += datagrams[run++].iov_len;
    return run;
}

void datagrams_send(int sock, const struct sockaddr_in6 *to, struct iovec *datagrams, size_t count)
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
