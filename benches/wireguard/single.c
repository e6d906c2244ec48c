/* SPDX-License-Identifier: MIT
 *
 * One system call for each packet, in place of udp.c and of the library's readers and writers. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <tuntap.h>
#include <unistd.h>

#include "transport.h"
#include "udp.h"

enum { BUFFER = 65536 };
struct tuntap_reader {
    tuntap *dev;
    uint8_t data[HEADROOM + BUFFER + TAILROOM];
};
struct tuntap_writer {
    tuntap *dev;
    uint8_t data[BUFFER];
};
struct udp_buffer {
    uint8_t data[BUFFER];
};

int __real_tuntap_open(const char *name, uint64_t flags, tuntap **dev, tuntap_error *err);
int __wrap_tuntap_open(const char *name, uint64_t flags, tuntap **dev, tuntap_error *err)
{
    return __real_tuntap_open(name, flags & ~(uint64_t)TUNTAP_OFFLOAD, dev, err);
}

int __wrap_tuntap_reader_new(tuntap *dev, uint64_t flags, tuntap_reader **reader, tuntap_error *err)
{
    (void)flags, (void)err;
    *reader = malloc(sizeof **reader);
    if (!*reader)
        return -ENOMEM;
    (*reader)->dev = dev;
    return 0;
}

int __wrap_tuntap_reader_set_room(tuntap_reader *reader, size_t headroom, size_t tailroom, tuntap_error *err)
{
    (void)reader, (void)headroom, (void)tailroom, (void)err;
    return 0;
}

ssize_t __wrap_tuntap_reader_batch(tuntap_reader *reader, tuntap_packet *packets, size_t count, size_t size,
                                   tuntap_error *err)
{
    (void)count, (void)size;
    ssize_t length = tuntap_read(reader->dev, reader->data + HEADROOM, BUFFER, err);
    if (length < 0)
        return length;
    packets[0] = (tuntap_packet){reader->data + HEADROOM, (size_t)length, 1};
    return 1;
}

void __wrap_tuntap_reader_free(tuntap_reader *reader)
{
    free(reader);
}

int __wrap_tuntap_writer_new(tuntap *dev, uint64_t flags, tuntap_writer **writer, tuntap_error *err)
{
    (void)flags, (void)err;
    *writer = malloc(sizeof **writer);
    if (!*writer)
        return -ENOMEM;
    (*writer)->dev = dev;
    return 0;
}

int __wrap_tuntap_writer_reserve(tuntap_writer *writer, size_t size, void **packet, tuntap_error *err)
{
    (void)err;
    *packet = writer->data;
    return size <= BUFFER ? 0 : -EMSGSIZE;
}

int __wrap_tuntap_writer_commit(tuntap_writer *writer, size_t size, tuntap_error *err)
{
    return tuntap_write(writer->dev, writer->data, size, err) < 0 ? -EIO : 0;
}

int __wrap_tuntap_writer_flush(tuntap_writer *writer, tuntap_error *err)
{
    (void)writer, (void)err;
    return 0;
}

void __wrap_tuntap_writer_free(tuntap_writer *writer)
{
    free(writer);
}

int udp_open(uint16_t port, uint32_t mark)
{
    const int off = 0, buffer = 4 << 20;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)mark;
    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
    setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (sock >= 0 && bind(sock, (struct sockaddr *)&any, sizeof any) == 0)
        return sock;
    close(sock);
    return -1;
}

void udp_send(int sock, const struct sockaddr_in6 *to, struct iovec *datagrams, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sendto(sock, datagrams[i].iov_base, datagrams[i].iov_len, 0, (const struct sockaddr *)to, sizeof *to);
}

struct udp_buffer *udp_buffer_new(void)
{
    return malloc(sizeof(struct udp_buffer));
}

int udp_receive(int sock, struct udp_buffer *buffer, struct udp_run *runs)
{
    socklen_t length = sizeof runs->source;
    ssize_t size = recvfrom(sock, buffer->data, BUFFER, 0, (struct sockaddr *)&runs->source, &length);
    if (size <= 0)
        return 0;
    runs->data = buffer->data;
    runs->size = runs->segment = (size_t)size;
    return 1;
}
