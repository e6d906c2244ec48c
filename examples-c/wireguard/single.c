/* SPDX-License-Identifier: MIT
 *
 * One packet, one system call: what batch.c is measured against. */
#include <stdlib.h>
#include <sys/socket.h>

#include "io.h"
#include "transport.h"

const uint64_t io_device_flags = TUNTAP_TUN | TUNTAP_NONBLOCK;

enum { BUFFER = 65536 };
struct packet_source {
    tuntap *dev;
    uint8_t data[HEADROOM + BUFFER + TAILROOM];
};

struct packet_source *source_open(tuntap *dev, tuntap_error *err)
{
    (void)err;
    struct packet_source *source = malloc(sizeof *source);
    if (source)
        source->dev = dev;
    return source;
}

ssize_t source_read(struct packet_source *source, tuntap_packet *packets, size_t count, tuntap_error *err)
{
    (void)count;
    ssize_t size = tuntap_read(source->dev, source->data + HEADROOM, BUFFER, err);
    packets[0] = (tuntap_packet){source->data + HEADROOM, size > 0 ? (size_t)size : 0, 1};
    return size > 0 ? 1 : size;
}

void source_close(struct packet_source *source)
{
    free(source);
}

struct packet_sink {
    tuntap *dev;
    uint8_t data[BUFFER];
};

struct packet_sink *sink_open(tuntap *dev, tuntap_error *err)
{
    return (struct packet_sink *)source_open(dev, err); /* which has room for it */
}

void *sink_reserve(struct packet_sink *sink, size_t size)
{
    return size <= BUFFER ? sink->data : NULL;
}

void sink_commit(struct packet_sink *sink, size_t size)
{
    tuntap_write(sink->dev, sink->data, size, NULL);
}

void sink_flush(struct packet_sink *sink)
{
    (void)sink;
}

void sink_close(struct packet_sink *sink)
{
    free(sink);
}

struct datagram_source {
    uint8_t data[BUFFER];
};

struct datagram_source *datagrams_open(int sock)
{
    (void)sock;
    return malloc(sizeof(struct datagram_source));
}

int datagrams_receive(struct datagram_source *source, int sock, struct datagram *datagrams)
{
    socklen_t length = sizeof datagrams->source;
    ssize_t size = recvfrom(sock, source->data, BUFFER, 0, (struct sockaddr *)&datagrams->source, &length);
    datagrams->data = source->data;
    datagrams->size = datagrams->segment = size > 0 ? (size_t)size : 0;
    return size > 0;
}

void datagrams_close(struct datagram_source *source)
{
    free(source);
}

void datagrams_send(int sock, const struct sockaddr_in6 *to, struct iovec *datagrams, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sendto(sock, datagrams[i].iov_base, datagrams[i].iov_len, 0, (const struct sockaddr *)to, sizeof *to);
}
