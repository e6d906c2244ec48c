/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct keypair *keypair_new(struct noise *noise, int initiator, const EVP_CIPHER *cipher, uint64_t now)
{
    static const uint8_t nonce[12];
    struct noise_keys keys;
    struct keypair *keypair = calloc(1, sizeof *keypair);

    if (!keypair)
        return NULL;
    atomic_init(&keypair->references, 1);
    keypair->local = noise->local;
    keypair->remote = noise->remote;
    keypair->initiator = initiator;
    keypair->created = now;
    keypair->sealing = EVP_CIPHER_CTX_new();
    keypair->opening = EVP_CIPHER_CTX_new();
    noise_split(noise, &keys);
    int made = keypair->sealing && keypair->opening &&
        EVP_EncryptInit_ex2(keypair->sealing, cipher, initiator ? keys.initiator : keys.responder, nonce, NULL) &&
        EVP_DecryptInit_ex2(keypair->opening, cipher, initiator ? keys.responder : keys.initiator, nonce, NULL);
    OPENSSL_cleanse(&keys, sizeof keys);
    if (made)
        return keypair;
    keypair_release(keypair);
    return NULL;
}

struct keypair *keypair_hold(struct keypair *keypair)
{
    atomic_fetch_add(&keypair->references, 1);
    return keypair;
}

void keypair_release(struct keypair *keypair)
{
    if (!keypair || atomic_fetch_sub(&keypair->references, 1) > 1)
        return;
    EVP_CIPHER_CTX_free(keypair->sealing); /* wipes the key */
    EVP_CIPHER_CTX_free(keypair->opening);
    OPENSSL_cleanse(keypair, sizeof *keypair);
    free(keypair);
}

int keypair_valid(struct keypair *keypair, uint64_t now)
{
    return now - keypair->created < REJECT_AFTER_TIME && atomic_load(&keypair->counter) < REJECT_AFTER_MESSAGES;
}

int window_accept(struct window *window, uint64_t counter)
{
    enum { WORDS = WINDOW_BITS / 64 };
    if (counter >= REJECT_AFTER_MESSAGES || counter + WINDOW_SIZE < window->next)
        return 0;
    if (counter >= window->next) { /* the window moves: clears the words that it enters */
        uint64_t last = (window->next + 63) / 64, to = counter / 64; /* words from last on have no bit set */
        for (uint64_t word = last; word <= to && word < last + WORDS; word++)
            window->seen[word % WORDS] = 0;
        window->next = counter + 1;
    }
    uint64_t *word = &window->seen[counter / 64 % WORDS], bit = UINT64_C(1) << counter % 64;
    int is_new = !(*word & bit);
    *word |= bit;
    return is_new;
}

static void make_nonce(uint8_t nonce[12], uint64_t counter)
{
    put_le(nonce, 0, 4);
    put_le(nonce + 4, counter, 8);
}

#ifndef WITHOUT_CIPHER
static int seal(EVP_CIPHER_CTX *context, uint64_t counter, uint8_t *packet, size_t size)
{
    uint8_t nonce[12];
    int length;
    make_nonce(nonce, counter);
    return EVP_EncryptInit_ex2(context, NULL, NULL, nonce, NULL) &&
           (size == 0 || EVP_EncryptUpdate(context, packet, &length, packet, (int)size)) &&
           EVP_EncryptFinal_ex(context, packet + size, &length) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, packet + size);
}

static int unseal(EVP_CIPHER_CTX *context, uint64_t counter, uint8_t *packet, const uint8_t *from, size_t size)
{
    uint8_t nonce[12];
    int length;
    make_nonce(nonce, counter);
    return EVP_DecryptInit_ex2(context, NULL, NULL, nonce, NULL) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, (void *)(from + size)) &&
           (size == 0 || EVP_DecryptUpdate(context, packet, &length, from, (int)size)) &&
           EVP_DecryptFinal_ex(context, packet + size, &length);
}
#else /* a build that measures everything but the cipher: it protects nothing */
static int seal(EVP_CIPHER_CTX *context, uint64_t counter, uint8_t *packet, size_t size)
{
    (void)context;
    make_nonce(packet + size, counter);
    return 1;
}

static int unseal(EVP_CIPHER_CTX *context, uint64_t counter, uint8_t *packet, const uint8_t *from, size_t size)
{
    (void)context, (void)counter;
    memcpy(packet, from, size);
    return 1;
}
#endif

size_t transport_seal(struct keypair *keypair, uint8_t *packet, size_t size, size_t mtu)
{
    struct data_header header;
    uint64_t counter = atomic_load_explicit(&keypair->counter, memory_order_relaxed);
    size_t padded = (size + PADDING - 1) / PADDING * PADDING;

    if (counter >= REJECT_AFTER_MESSAGES)
        return 0;
    if (padded > mtu)
        padded = size > mtu ? size : mtu;
    atomic_store_explicit(&keypair->counter, counter + 1, memory_order_relaxed);
    memset(packet + size, 0, padded - size);
    put_le(header.type, DATA, 4);
    put_le(header.receiver, keypair->remote, 4);
    put_le(header.counter, counter, 8);
    memcpy(packet - sizeof header, &header, sizeof header);
    return seal(keypair->sealing, counter, packet, padded) ? sizeof header + padded + TAG_SIZE : 0;
}

ssize_t transport_open(struct keypair *keypair, const uint8_t *message, size_t size, uint8_t *packet)
{
    struct data_header header;
    size_t length = size - sizeof header - TAG_SIZE;

    memcpy(&header, message, sizeof header);
    uint64_t counter = get_le(header.counter, 8);
    /* Only what is authentic moves the window. */
    if (!unseal(keypair->opening, counter, packet, message + sizeof header, length) ||
        !window_accept(&keypair->window, counter))
        return -1;
    return (ssize_t)length;
}
