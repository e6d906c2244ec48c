/* SPDX-License-Identifier: MIT
 *
 * Transport data: the two keys of a session, the counter of its packets, and the window that refuses replays. */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stddef.h>

#include "noise.h"

/* The room that a packet needs around it to be sealed in place. */
enum { HEADROOM = sizeof(struct data_header), TAILROOM = PADDING - 1 + TAG_SIZE };

/* The counters that have been seen, up to WINDOW_SIZE before the greatest one: a ring of bits, as in RFC 6479. */
enum { WINDOW_BITS = 8192, WINDOW_SIZE = WINDOW_BITS - 64 };
struct window {
    uint64_t next; /* the greatest counter, plus 1 */
    uint64_t seen[WINDOW_BITS / 64];
};

/* The keys are in the contexts, which are set up once; a packet changes only the nonce. One thread seals, another one
 * opens. Each of them holds a reference while it uses a keypair, and so does each slot of a peer. */
struct keypair {
    atomic_int references;
    uint32_t local, remote; /* receiver indices: of what we receive, and of what we send */
    int initiator;          /* whether we were */
    uint64_t created;
    EVP_CIPHER_CTX *sealing, *opening;
    _Atomic uint64_t counter;      /* of the next packet; only the sealing thread changes it */
    struct window window;          /* of the opening thread */
};

/* Takes the keys out of a finished handshake. The caller has the first reference. NULL: no memory. */
struct keypair *keypair_new(struct noise *noise, int initiator, const EVP_CIPHER *cipher, uint64_t time);
struct keypair *keypair_hold(struct keypair *keypair);
void keypair_release(struct keypair *keypair);

/* Whether it may still seal and open. */
int keypair_valid(struct keypair *keypair, uint64_t time);

/* Returns 1 for a counter that is new, and remembers it. */
int window_accept(struct window *window, uint64_t counter);

/* Seals a packet that has HEADROOM and TAILROOM around it, padded but not beyond the MTU. Returns the size of the
 * message, which begins HEADROOM before the packet; or 0: the counter is at its end. */
size_t transport_seal(struct keypair *keypair, uint8_t *packet, size_t size, size_t mtu);

/* Opens a message into a buffer of size - HEADROOM - TAG_SIZE bytes, which receives the padded packet. Returns 0 if it
 * is not authentic, or was opened before. */
int transport_open(struct keypair *keypair, const uint8_t *message, size_t size, uint8_t *packet);

#endif
