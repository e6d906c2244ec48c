/* SPDX-License-Identifier: MIT
 *
 * Allowed IPs: which peer a packet goes to by its destination, and which peer it may come from by its source. The table
 * does not change once the tunnel runs. The search is linear: it suits hundreds of prefixes. */
#ifndef ALLOWED_H
#define ALLOWED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An IPv4 address is in the first 4 bytes. */
struct prefix {
    uint8_t version, length, address[16]; /* version: 4 or 6 */
};

struct allowed {
    struct allowed_entry {
        struct prefix prefix;
        size_t peer;
    } *entries; /* longest prefixes first */
    size_t count;
};

/* Adds a prefix, or gives it to another peer. Returns 0: no memory. */
int allowed_add(struct allowed *allowed, const struct prefix *prefix, size_t peer);
void allowed_free(struct allowed *allowed);

/* The number of the peer whose prefix has the address of this IP version, or -1. */
ssize_t allowed_find(const struct allowed *allowed, int version, const uint8_t *address);

/* The length in the header of the IP packet at the begin of size bytes, or 0 if there is none that fits. */
size_t packet_length(const uint8_t *packet, size_t size);

/* The peers of such a packet, by its addresses. */
ssize_t allowed_source(const struct allowed *allowed, const uint8_t *packet);
ssize_t allowed_destination(const struct allowed *allowed, const uint8_t *packet);

#endif
