/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"

struct keypair *keypair_new(struct noise *noise, int initiator, const EVP_CIPHER *cipher, uint64_t time)
{
    struct noise_keys keys;
    struct keypair *keypair = calloc(1, sizeof *keypair);
    if (!keypair)
        return NULL;
    atomic_init(&keypair->references, 1);
    keypair->local = noise->local;
    keypair->remote = noise->remote;
    keypair->initiator = initiator;
    keypair->created = time;
    noise_split(noise, &keys);
    keypair->sealing = cipher_new(cipher, 1, initiator ? keys.initiator : keys.responder);
    keypair->opening = cipher_new(cipher, 0, initiator ? keys.responder : keys.initiator);
    OPENSSL_cleanse(&keys, sizeof keys);
    return keypair;
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

int keypair_valid(struct keypair *keypair, uint64_t time)
{
    return time - keypair->created < REJECT_AFTER_TIME && keypair->counter < REJECT_AFTER_MESSAGES;
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

size_t transport_seal(struct keypair *keypair, uint8_t *packet, size_t size, size_t mtu)
{
    struct data_header header;
    uint64_t counter = keypair->counter;
    size_t padded = (size + PADDING - 1) / PADDING * PADDING;

    if (counter >= REJECT_AFTER_MESSAGES)
        return 0;
    keypair->counter = counter + 1;
    if (padded > mtu)
        padded = size > mtu ? size : mtu;
    memset(packet + size, 0, padded - size);
    put_le(header.type, DATA, 4);
    put_le(header.receiver, keypair->remote, 4);
    put_le(header.counter, counter, 8);
    memcpy(packet - sizeof header, &header, sizeof header);
    return cipher_seal(keypair->sealing, counter, NULL, packet, packet, padded) ? sizeof header + padded + TAG_SIZE : 0;
}

int transport_open(struct keypair *keypair, const uint8_t *message, size_t size, uint8_t *packet)
{
    uint64_t counter = get_le(message + offsetof(struct data_header, counter), 8);
    /* Only what is authentic moves the window. */
    return cipher_open(keypair->opening, counter, NULL, packet, message + HEADROOM, size - HEADROOM - TAG_SIZE) &&
           window_accept(&keypair->window, counter);
}
