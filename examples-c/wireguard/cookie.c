/* SPDX-License-Identifier: MIT */
#include "cookie.h"

#include <openssl/crypto.h>
#include <string.h>

#include "crypto.h"

/* The last 32 bytes of a message. */
struct macs {
    uint8_t mac1[MAC_SIZE], mac2[MAC_SIZE];
};

static struct macs macs_of(const void *message, size_t size)
{
    struct macs macs;
    memcpy(&macs, (const uint8_t *)message + size - sizeof macs, sizeof macs);
    return macs;
}

void cookie_keys(struct cookie_keys *keys, const uint8_t public_key[KEY_SIZE])
{
    hash(keys->mac1, "mac1----", 8, public_key, KEY_SIZE);
    hash(keys->cookie, "cookie--", 8, public_key, KEY_SIZE);
}

void cookie_sign(struct cookie_jar *jar, void *message, size_t size, uint64_t now)
{
    uint8_t *mac1 = (uint8_t *)message + size - 2 * MAC_SIZE, *mac2 = mac1 + MAC_SIZE;

    mac(mac1, jar->keys.mac1, HASH_SIZE, message, size - 2 * MAC_SIZE);
    memcpy(jar->mac1, mac1, MAC_SIZE);
    jar->sent = 1;
    if (now < jar->expires)
        mac(mac2, jar->cookie, COOKIE_SIZE, message, size - MAC_SIZE);
    else
        memset(mac2, 0, MAC_SIZE);
}

void cookie_read_reply(struct cookie_jar *jar, const struct cookie_reply *reply, uint64_t now)
{
    uint8_t cookie[COOKIE_SIZE];
    if (!jar->sent || !open_cookie(cookie, jar->keys.cookie, reply, jar->mac1))
        return;
    memcpy(jar->cookie, cookie, COOKIE_SIZE);
    jar->expires = now + COOKIE_TIME - 5 * SECOND; /* the secret behind it may be about to change */
    jar->sent = 0;
}

int cookie_mac1_valid(const struct cookie_checker *checker, const void *message, size_t size)
{
    uint8_t expected[MAC_SIZE];
    mac(expected, checker->keys.mac1, HASH_SIZE, message, size - 2 * MAC_SIZE);
    return CRYPTO_memcmp(expected, macs_of(message, size).mac1, MAC_SIZE) == 0;
}

/* The cookie of an address and port: a MAC by a secret that changes. */
static void cookie_of(struct cookie_checker *checker, uint8_t cookie[COOKIE_SIZE], const struct sockaddr_in6 *source,
                      uint64_t now)
{
    uint8_t text[sizeof source->sin6_addr + sizeof source->sin6_port];

    if (now >= checker->expires) {
        random_bytes(checker->secret, sizeof checker->secret);
        checker->expires = now + COOKIE_TIME;
    }
    memcpy(text, &source->sin6_addr, sizeof source->sin6_addr);
    memcpy(text + sizeof source->sin6_addr, &source->sin6_port, sizeof source->sin6_port);
    mac(cookie, checker->secret, sizeof checker->secret, text, sizeof text);
}

int cookie_mac2_valid(struct cookie_checker *checker, const void *message, size_t size,
                      const struct sockaddr_in6 *source, uint64_t now)
{
    uint8_t cookie[COOKIE_SIZE], expected[MAC_SIZE];
    cookie_of(checker, cookie, source, now);
    mac(expected, cookie, COOKIE_SIZE, message, size - MAC_SIZE);
    return CRYPTO_memcmp(expected, macs_of(message, size).mac2, MAC_SIZE) == 0;
}

int cookie_under_load(struct cookie_checker *checker, uint64_t now)
{
    if (now / SECOND != checker->second) {
        checker->second = now / SECOND;
        checker->count = 0;
    }
    if (++checker->count > HANDSHAKES_UNTIL_LOAD)
        checker->loaded_until = now + SECOND;
    return now < checker->loaded_until;
}

void cookie_make_reply(struct cookie_checker *checker, struct cookie_reply *reply, const void *message, size_t size,
                       const struct sockaddr_in6 *source, uint64_t now)
{
    uint8_t cookie[COOKIE_SIZE];
    put_le(reply->type, COOKIE_REPLY, 4);
    memcpy(reply->receiver, (const uint8_t *)message + 4, 4); /* the sender of the message */
    cookie_of(checker, cookie, source, now);
    seal_cookie(reply, checker->keys.cookie, cookie, macs_of(message, size).mac1);
}
