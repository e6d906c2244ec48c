/* SPDX-License-Identifier: MIT
 *
 * The messages and the limits of the protocol, as the WireGuard paper has them in its sections 5 and 6.
 * Integers are little endian. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stdint.h>

enum {
    KEY_SIZE = 32,
    HASH_SIZE = 32,
    TAG_SIZE = 16,
    MAC_SIZE = 16,
    COOKIE_SIZE = 16,
    COOKIE_NONCE_SIZE = 24,
    TIMESTAMP_SIZE = 12,
    PADDING = 16,
};

enum { INITIATION = 1, RESPONSE = 2, COOKIE_REPLY = 3, DATA = 4 };

/* Arrays of bytes, so that a struct has no gaps and may lie anywhere. */
struct initiation {
    uint8_t type[4], sender[4], ephemeral[KEY_SIZE], static_key[KEY_SIZE + TAG_SIZE];
    uint8_t timestamp[TIMESTAMP_SIZE + TAG_SIZE], mac1[MAC_SIZE], mac2[MAC_SIZE];
};

struct response {
    uint8_t type[4], sender[4], receiver[4], ephemeral[KEY_SIZE], nothing[TAG_SIZE], mac1[MAC_SIZE], mac2[MAC_SIZE];
};

struct cookie_reply {
    uint8_t type[4], receiver[4], nonce[COOKIE_NONCE_SIZE], cookie[COOKIE_SIZE + TAG_SIZE];
};

/* The encrypted packet and its tag follow. */
struct data_header {
    uint8_t type[4], receiver[4], counter[8];
};

/* Times in nanoseconds. A test build changes the ones that can be defined outside. */
#define SECOND UINT64_C(1000000000)
#define NEVER UINT64_MAX
#ifndef REKEY_AFTER_TIME
#define REKEY_AFTER_TIME (120 * SECOND)
#endif
#ifndef REJECT_AFTER_TIME
#define REJECT_AFTER_TIME (180 * SECOND)
#endif
#ifndef KEEPALIVE_TIMEOUT
#define KEEPALIVE_TIMEOUT (10 * SECOND)
#endif
#ifndef REKEY_AFTER_MESSAGES
#define REKEY_AFTER_MESSAGES (UINT64_C(1) << 60)
#endif
#define REJECT_AFTER_MESSAGES (UINT64_MAX - (UINT64_C(1) << 13))
#define REKEY_ATTEMPT_TIME (90 * SECOND)
#define REKEY_TIMEOUT (5 * SECOND)
#define COOKIE_TIME (120 * SECOND)
#define JITTER (SECOND / 3)
#define INITIATION_INTERVAL (SECOND / 50) /* a peer may not initiate more often */
#ifndef HANDSHAKES_UNTIL_LOAD
#define HANDSHAKES_UNTIL_LOAD 100 /* in one second; then a sender must return a cookie */
#endif

static inline void put_le(uint8_t *to, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static inline uint64_t get_le(const uint8_t *from, int size)
{
    uint64_t value = 0;
    for (int i = size; i-- > 0;)
        value = value << 8 | from[i];
    return value;
}

#endif
