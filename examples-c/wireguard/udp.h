/* SPDX-License-Identifier: MIT
 *
 * The socket: many datagrams with one system call. */
#ifndef UDP_H
#define UDP_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* What came from one address. It is cut into datagrams of the size segment; the last one may be shorter. */
struct udp_run {
    uint8_t *data;
    size_t size, segment;
    struct sockaddr_in6 source;
};

/* A socket for IPv6, and for IPv4 by mapped addresses; or -1 and errno. */
int udp_open(uint16_t port, uint32_t mark);

/* A datagram that cannot be sent is lost, as on any link. */
void udp_send(int sock, const struct sockaddr_in6 *to, struct iovec *datagrams, size_t count);

/* Waits. Fills in up to UDP_RUNS elements, valid until the next call, and returns their number; 0 or less: none. */
enum { UDP_RUNS = 8 };
struct udp_buffer;
struct udp_buffer *udp_buffer_new(void);
int udp_receive(int sock, struct udp_buffer *buffer, struct udp_run *runs);

#endif
