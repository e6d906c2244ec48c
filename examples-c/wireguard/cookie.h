/* SPDX-License-Identifier: MIT
 *
 * The two MACs of a handshake message. mac1 proves that the sender knows the receiver's public key. mac2 proves that it
 * gets what is sent to its address: a receiver under load demands it, by a cookie reply. */
#ifndef COOKIE_H
#define COOKIE_H

#include <netinet/in.h>
#include <stddef.h>

#include "protocol.h"

/* The keys that anybody can derive from the public key of the receiver. */
struct cookie_keys {
    uint8_t mac1[HASH_SIZE], cookie[HASH_SIZE];
};

/* Of a sender, for one peer: the last message's mac1, and the cookie that answered such a message. */
struct cookie_jar {
    struct cookie_keys keys;
    uint8_t mac1[MAC_SIZE], cookie[COOKIE_SIZE];
    uint64_t expires; /* 0: no cookie */
    int sent;         /* mac1 waits for a reply */
};

/* Of a receiver. Only the receiving thread uses it. */
struct cookie_checker {
    struct cookie_keys keys;
    uint8_t secret[HASH_SIZE];
    uint64_t expires;               /* then the secret changes */
    uint64_t second, loaded_until;  /* the second in which messages are counted */
    unsigned count;
};

void cookie_keys(struct cookie_keys *keys, const uint8_t public_key[KEY_SIZE]);

/* Fills in both MACs, which are the end of the message. */
void cookie_sign(struct cookie_jar *jar, void *message, size_t size, uint64_t now);
void cookie_read_reply(struct cookie_jar *jar, const struct cookie_reply *reply, uint64_t now);

int cookie_mac1_valid(const struct cookie_checker *checker, const void *message, size_t size);
int cookie_mac2_valid(struct cookie_checker *checker, const void *message, size_t size,
                      const struct sockaddr_in6 *source, uint64_t now);
/* Counts a message with a valid mac1. Returns whether there are too many. */
int cookie_under_load(struct cookie_checker *checker, uint64_t now);
void cookie_make_reply(struct cookie_checker *checker, struct cookie_reply *reply, const void *message, size_t size,
                       const struct sockaddr_in6 *source, uint64_t now);

#endif
