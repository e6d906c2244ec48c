/* SPDX-License-Identifier: MIT
 *
 * The handshake Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s: computations on values, which need no lock. A message with its
 * two MACs missing comes out; a message whose MACs were verified goes in. Functions return 1, or 0 for a message or a
 * key that must be ignored. */
#ifndef NOISE_H
#define NOISE_H

#include "protocol.h"

/* Our static key. */
struct identity {
    uint8_t private_key[KEY_SIZE], public_key[KEY_SIZE];
};

/* What is known of a peer before any message. shared is the result of X25519 on both static keys. */
struct noise_peer {
    uint8_t public_key[KEY_SIZE], preshared_key[KEY_SIZE], shared[KEY_SIZE];
};

/* A handshake that has started. remote_ephemeral and remote are set where we respond, ephemeral where we initiate. */
struct noise {
    uint8_t chaining_key[HASH_SIZE], hash[HASH_SIZE], ephemeral[KEY_SIZE], remote_ephemeral[KEY_SIZE];
    uint32_t local, remote; /* sender indices */
};

/* The key that the initiator sends with, and the one that the responder sends with. */
struct noise_keys {
    uint8_t initiator[KEY_SIZE], responder[KEY_SIZE];
};

/* TAI64N of a time of CLOCK_REALTIME in nanoseconds. */
void noise_timestamp(uint8_t to[TIMESTAMP_SIZE], uint64_t realtime);

int noise_initiate(struct noise *noise, const struct identity *own, const struct noise_peer *peer, uint32_t local,
                   const uint8_t timestamp[TIMESTAMP_SIZE], struct initiation *message);

/* The responder first learns who initiates, and then, with what it knows of this peer, the timestamp. */
int noise_read_initiator(struct noise *noise, const struct identity *own, const struct initiation *message,
                         uint8_t public_key[KEY_SIZE]);
int noise_read_timestamp(struct noise *noise, const struct noise_peer *peer, const struct initiation *message,
                         uint8_t timestamp[TIMESTAMP_SIZE]);
int noise_respond(struct noise *noise, const struct noise_peer *peer, uint32_t local, struct response *message);

int noise_read_response(struct noise *noise, const struct identity *own, const struct noise_peer *peer,
                        const struct response *message);

/* Ends the handshake: noise is wiped. */
void noise_split(struct noise *noise, struct noise_keys *keys);

#endif
