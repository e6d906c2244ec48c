/* SPDX-License-Identifier: MIT
 *
 * Packets from and to the device, datagrams from and to the socket. batch.c moves many with one system call; single.c
 * has the same functions with one system call for each, to measure what batches bring. */
#ifndef IO_H
#define IO_H

#include <netinet/in.h>
#include <tuntap.h>

enum { BATCH = 64 };

extern const uint64_t io_device_flags; /* for tuntap_open */

/* A UDP socket for IPv6, and for IPv4 by mapped addresses; or -1 and errno. */
int socket_open(uint16_t port, uint32_t mark);

/* From the device. Packets have HEADROOM and TAILROOM around them, and are valid until the next call. The device does
 * not block: returns as tuntap_reader_batch. */
struct packet_source;
struct packet_source *source_open(tuntap *dev, tuntap_error *err);
ssize_t source_read(struct packet_source *source, tuntap_packet *packets, size_t count, tuntap_error *err);
void source_close(struct packet_source *source);

/* To the device, by way of memory that a packet is decrypted into. */
struct packet_sink;
struct packet_sink *sink_open(tuntap *dev, tuntap_error *err);
void *sink_reserve(struct packet_sink *sink, size_t size);
void sink_commit(struct packet_sink *sink, size_t size);
void sink_flush(struct packet_sink *sink);
void sink_close(struct packet_sink *sink);

/* A message is cut into segments of this size; the last one may be shorter. */
struct datagram {
    uint8_t *data;
    size_t size, segment;
    struct sockaddr_in6 source;
};
struct datagram_source;
struct datagram_source *datagrams_open(int sock);
/* Waits. Returns the number of datagrams; 0 or less: nothing came. */
int datagrams_receive(struct datagram_source *source, int sock, struct datagram *datagrams);
void datagrams_close(struct datagram_source *source);

/* A datagram that cannot be sent is lost, as on any link. */
void datagrams_send(int sock, const struct sockaddr_in6 *to, struct iovec *datagrams, size_t count);

#endif
