/* SPDX-License-Identifier: MIT */
#include "noise.h"

#include <openssl/crypto.h>
#include <string.h>

#include "crypto.h"

static void mix_hash(struct noise *noise, const void *data, size_t size)
{
    hash(noise->hash, noise->hash, HASH_SIZE, data, size);
}

/* Mixes a value into the chaining key, and derives a key for the next encryption if key is not NULL. */
static void mix_key(struct noise *noise, uint8_t *key, const uint8_t value[KEY_SIZE])
{
    kdf(noise->chaining_key, key, NULL, noise->chaining_key, value, KEY_SIZE);
}

static int mix_dh(struct noise *noise, uint8_t *key, const uint8_t *private_key, const uint8_t *public_key)
{
    uint8_t shared[KEY_SIZE];
    int usable = dh(shared, private_key, public_key);
    if (usable)
        mix_key(noise, key, shared);
    OPENSSL_cleanse(shared, sizeof shared);
    return usable;
}

/* Each key of a handshake is used once, with the counter 0. */
static int encrypt_and_hash(struct noise *noise, const uint8_t *key, uint8_t *to, const void *from, size_t size)
{
    EVP_CIPHER_CTX *context = cipher_new(EVP_chacha20_poly1305(), 1, key);
    int sealed = cipher_seal(context, 0, noise->hash, to, from, size);
    EVP_CIPHER_CTX_free(context);
    mix_hash(noise, to, size + TAG_SIZE);
    return sealed;
}

static int decrypt_and_hash(struct noise *noise, const uint8_t *key, uint8_t *to, const uint8_t *from, size_t size)
{
    EVP_CIPHER_CTX *context = cipher_new(EVP_chacha20_poly1305(), 0, key);
    int opened = cipher_open(context, 0, noise->hash, to, from, size);
    EVP_CIPHER_CTX_free(context);
    mix_hash(noise, from, size + TAG_SIZE);
    return opened;
}

static void begin(struct noise *noise, const uint8_t responder[KEY_SIZE])
{
    static const char construction[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
    static const char identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

    memset(noise, 0, sizeof *noise);
    hash(noise->chaining_key, construction, sizeof construction - 1, "", 0);
    hash(noise->hash, noise->chaining_key, HASH_SIZE, identifier, sizeof identifier - 1);
    mix_hash(noise, responder, KEY_SIZE);
}

/* Both kinds of messages begin with a new key of the sender. */
static void new_ephemeral(struct noise *noise, uint8_t public_key[KEY_SIZE])
{
    random_bytes(noise->ephemeral, KEY_SIZE);
    dh_public(public_key, noise->ephemeral);
    mix_key(noise, NULL, public_key);
    mix_hash(noise, public_key, KEY_SIZE);
}

static void mix_preshared_key(struct noise *noise, uint8_t *key, const uint8_t preshared_key[KEY_SIZE])
{
    uint8_t mixed[HASH_SIZE];
    kdf(noise->chaining_key, mixed, key, noise->chaining_key, preshared_key, KEY_SIZE);
    mix_hash(noise, mixed, sizeof mixed);
    OPENSSL_cleanse(mixed, sizeof mixed);
}

void noise_timestamp(uint8_t to[TIMESTAMP_SIZE], uint64_t realtime)
{
    uint64_t seconds = UINT64_C(0x400000000000000a) + realtime / SECOND, nanoseconds = realtime % SECOND;
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(seconds >> 8 * (7 - i));
    for (int i = 0; i < 4; i++)
        to[8 + i] = (uint8_t)(nanoseconds >> 8 * (3 - i));
}

int noise_initiate(struct noise *noise, const struct identity *own, const struct noise_peer *peer, uint32_t local,
                   const uint8_t timestamp[TIMESTAMP_SIZE], struct initiation *message)
{
    uint8_t key[KEY_SIZE];

    begin(noise, peer->public_key);
    noise->local = local;
    put_le(message->type, INITIATION, 4);
    put_le(message->sender, local, 4);
    new_ephemeral(noise, message->ephemeral);
    int usable = mix_dh(noise, key, noise->ephemeral, peer->public_key) &&
                 encrypt_and_hash(noise, key, message->static_key, own->public_key, KEY_SIZE);
    mix_key(noise, key, peer->shared);
    usable = usable && encrypt_and_hash(noise, key, message->timestamp, timestamp, TIMESTAMP_SIZE);
    OPENSSL_cleanse(key, sizeof key);
    return usable;
}

int noise_read_initiator(struct noise *noise, const struct identity *own, const struct initiation *message,
                         uint8_t public_key[KEY_SIZE])
{
    uint8_t key[KEY_SIZE];

    begin(noise, own->public_key);
    noise->remote = (uint32_t)get_le(message->sender, 4);
    memcpy(noise->remote_ephemeral, message->ephemeral, KEY_SIZE);
    mix_key(noise, NULL, message->ephemeral);
    mix_hash(noise, message->ephemeral, KEY_SIZE);
    int authentic = mix_dh(noise, key, own->private_key, message->ephemeral) &&
                    decrypt_and_hash(noise, key, public_key, message->static_key, KEY_SIZE);
    OPENSSL_cleanse(key, sizeof key);
    return authentic;
}

int noise_read_timestamp(struct noise *noise, const struct noise_peer *peer, const struct initiation *message,
                         uint8_t timestamp[TIMESTAMP_SIZE])
{
    uint8_t key[KEY_SIZE];
    mix_key(noise, key, peer->shared);
    int authentic = decrypt_and_hash(noise, key, timestamp, message->timestamp, TIMESTAMP_SIZE);
    OPENSSL_cleanse(key, sizeof key);
    return authentic;
}

int noise_respond(struct noise *noise, const struct noise_peer *peer, uint32_t local, struct response *message)
{
    uint8_t key[KEY_SIZE];

    noise->local = local;
    put_le(message->type, RESPONSE, 4);
    put_le(message->sender, local, 4);
    put_le(message->receiver, noise->remote, 4);
    new_ephemeral(noise, message->ephemeral);
    int usable = mix_dh(noise, NULL, noise->ephemeral, noise->remote_ephemeral) &&
                 mix_dh(noise, NULL, noise->ephemeral, peer->public_key);
    mix_preshared_key(noise, key, peer->preshared_key);
    usable = usable && encrypt_and_hash(noise, key, message->nothing, "", 0);
    OPENSSL_cleanse(key, sizeof key);
    return usable;
}

int noise_read_response(struct noise *noise, const struct identity *own, const struct noise_peer *peer,
                        const struct response *message)
{
    uint8_t key[KEY_SIZE], nothing[1];

    noise->remote = (uint32_t)get_le(message->sender, 4);
    mix_key(noise, NULL, message->ephemeral);
    mix_hash(noise, message->ephemeral, KEY_SIZE);
    int usable = mix_dh(noise, NULL, noise->ephemeral, message->ephemeral) &&
                 mix_dh(noise, NULL, own->private_key, message->ephemeral);
    mix_preshared_key(noise, key, peer->preshared_key);
    int authentic = usable && decrypt_and_hash(noise, key, nothing, message->nothing, 0);
    OPENSSL_cleanse(key, sizeof key);
    return authentic;
}

void noise_split(struct noise *noise, struct noise_keys *keys)
{
    kdf(keys->initiator, keys->responder, NULL, noise->chaining_key, "", 0);
    OPENSSL_cleanse(noise, sizeof *noise);
}
