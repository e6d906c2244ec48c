/* SPDX-License-Identifier: MIT
 *
 * The primitives, with the parameters that WireGuard needs: libcrypto's, and libsodium's XChaCha20-Poly1305.
 * Functions that return int return 1 on success and 0 if the input is not authentic or a key is not acceptable. */
#ifndef CRYPTO_H
#define CRYPTO_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* A library without an algorithm, or without memory, ends the program: there is no weaker way to go on. */
void random_bytes(void *to, size_t size);

/* BLAKE2s of a and b, one after the other. to may be a or b. */
void hash(uint8_t to[HASH_SIZE], const void *a, size_t a_size, const void *b, size_t b_size);

/* Keyed BLAKE2s with 16 bytes of output. */
void mac(uint8_t to[MAC_SIZE], const uint8_t *key, size_t key_size, const void *data, size_t size);

/* HKDF with HMAC-BLAKE2s. Fills in second and third if they are not NULL. first may be the key. */
void kdf(uint8_t *first, uint8_t *second, uint8_t *third, const uint8_t key[HASH_SIZE], const void *input, size_t size);

/* X25519. Fails if the public key has a low order, so that the result would not be secret. */
int dh(uint8_t shared[KEY_SIZE], const uint8_t private_key[KEY_SIZE], const uint8_t public_key[KEY_SIZE]);
void dh_public(uint8_t public_key[KEY_SIZE], const uint8_t private_key[KEY_SIZE]);

/* ChaCha20-Poly1305. A context has a key for one direction, and is used by one thread. Behind the ciphertext is the
 * tag; size does not count it. ad is HASH_SIZE bytes of additional data, or NULL. to may be from. */
EVP_CIPHER_CTX *cipher_new(const EVP_CIPHER *cipher, int seals, const uint8_t key[KEY_SIZE]);
int cipher_seal(EVP_CIPHER_CTX *context, uint64_t counter, const uint8_t *ad, uint8_t *to, const void *from,
                size_t size);
int cipher_open(EVP_CIPHER_CTX *context, uint64_t counter, const uint8_t *ad, uint8_t *to, const void *from,
                size_t size);

/* XChaCha20-Poly1305 for a cookie. ad is the mac1 of the message that the cookie answers. */
void seal_cookie(struct cookie_reply *reply, const uint8_t key[KEY_SIZE], const uint8_t cookie[COOKIE_SIZE],
                 const uint8_t ad[MAC_SIZE]);
int open_cookie(uint8_t cookie[COOKIE_SIZE], const uint8_t key[KEY_SIZE], const struct cookie_reply *reply,
                const uint8_t ad[MAC_SIZE]);

#endif
