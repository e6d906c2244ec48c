/* SPDX-License-Identifier: MIT */
#include "crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int succeeded, const char *what)
{
    if (succeeded)
        return;
    fprintf(stderr, "wireguard: %s failed: libcrypto lacks the algorithm or memory\n", what);
    abort();
}

void random_bytes(void *to, size_t size)
{
    must(RAND_bytes(to, (int)size) == 1, "random");
}

void hash(uint8_t to[HASH_SIZE], const void *a, size_t a_size, const void *b, size_t b_size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context && EVP_DigestInit_ex(context, EVP_blake2s256(), NULL) && EVP_DigestUpdate(context, a, a_size) &&
             EVP_DigestUpdate(context, b, b_size) && EVP_DigestFinal_ex(context, to, NULL), "BLAKE2s");
    EVP_MD_CTX_free(context);
}

void mac(uint8_t to[MAC_SIZE], const uint8_t *key, size_t key_size, const void *data, size_t size)
{
    size_t length = MAC_SIZE;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &length), OSSL_PARAM_construct_end()};
    must(EVP_Q_mac(NULL, "BLAKE2SMAC", NULL, NULL, params, key, key_size, data, size, to, MAC_SIZE, NULL) != NULL,
         "BLAKE2SMAC");
}

static void hmac(uint8_t to[HASH_SIZE], const uint8_t key[HASH_SIZE], const void *data, size_t size)
{
    must(EVP_Q_mac(NULL, "HMAC", NULL, "BLAKE2S-256", NULL, key, HASH_SIZE, data, size, to, HASH_SIZE, NULL) != NULL,
         "HMAC-BLAKE2s");
}

void kdf(uint8_t *first, uint8_t *second, uint8_t *third, const uint8_t key[HASH_SIZE], const void *input, size_t size)
{
    uint8_t *outputs[] = {first, second, third}, secret[HASH_SIZE], block[HASH_SIZE + 1];

    hmac(secret, key, input, size);
    for (int i = 0; i < 3 && outputs[i]; i++) {
        uint8_t *begin = i == 0 ? block + HASH_SIZE : block; /* nothing comes before the first number */
        block[HASH_SIZE] = (uint8_t)(i + 1);
        hmac(outputs[i], secret, begin, (size_t)(block + sizeof block - begin));
        memcpy(block, outputs[i], HASH_SIZE);
    }
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(block, sizeof block);
}

int dh(uint8_t shared[KEY_SIZE], const uint8_t private_key[KEY_SIZE], const uint8_t public_key[KEY_SIZE])
{
    static const uint8_t zero[KEY_SIZE];
    size_t size = KEY_SIZE;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, KEY_SIZE);
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key, KEY_SIZE);
    EVP_PKEY_CTX *context = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;

    must(own && other && context && EVP_PKEY_derive_init(context) == 1, "X25519");
    int usable = EVP_PKEY_derive_set_peer(context, other) == 1 && EVP_PKEY_derive(context, shared, &size) == 1 &&
                 size == KEY_SIZE && CRYPTO_memcmp(shared, zero, KEY_SIZE) != 0;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    return usable;
}

void dh_public(uint8_t public_key[KEY_SIZE], const uint8_t private_key[KEY_SIZE])
{
    size_t size = KEY_SIZE;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, KEY_SIZE);
    must(own && EVP_PKEY_get_raw_public_key(own, public_key, &size) == 1, "X25519");
    EVP_PKEY_free(own);
}

EVP_CIPHER_CTX *cipher_new(const EVP_CIPHER *cipher, int seals, const uint8_t key[KEY_SIZE])
{
    static const uint8_t nonce[12];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    must(context && EVP_CipherInit_ex2(context, cipher, key, nonce, seals, NULL), "ChaCha20-Poly1305");
    return context;
}

/* The key of the context stays. An update without bytes would be taken as the end. */
static int update(EVP_CIPHER_CTX *context, uint64_t counter, const uint8_t *ad, uint8_t *to, const void *from,
                  size_t size)
{
    uint8_t nonce[12] = {0};
    int length;
    put_le(nonce + 4, counter, 8);
    return EVP_CipherInit_ex2(context, NULL, NULL, nonce, -1, NULL) &&
           (!ad || EVP_CipherUpdate(context, NULL, &length, ad, HASH_SIZE)) &&
           (size == 0 || EVP_CipherUpdate(context, to, &length, from, (int)size));
}

int cipher_seal(EVP_CIPHER_CTX *context, uint64_t counter, const uint8_t *ad, uint8_t *to, const void *from,
                size_t size)
{
    /* EVP_CIPHER_CTX_ctrl() takes 300 ns longer in OpenSSL 3.0. */
    OSSL_PARAM tag[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, to + size, TAG_SIZE), OSSL_PARAM_END};
    int length;
    return update(context, counter, ad, to, from, size) && EVP_CipherFinal_ex(context, to + size, &length) &&
           EVP_CIPHER_CTX_get_params(context, tag);
}

int cipher_open(EVP_CIPHER_CTX *context, uint64_t counter, const uint8_t *ad, uint8_t *to, const void *from,
                size_t size)
{
    uint8_t tag[TAG_SIZE];
    int length;
    memcpy(tag, (const uint8_t *)from + size, TAG_SIZE);
    return update(context, counter, ad, to, from, size) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) &&
           EVP_CipherFinal_ex(context, to + size, &length);
}

void seal_cookie(struct cookie_reply *reply, const uint8_t key[KEY_SIZE], const uint8_t cookie[COOKIE_SIZE],
                 const uint8_t ad[MAC_SIZE])
{
    random_bytes(reply->nonce, sizeof reply->nonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(reply->cookie, NULL, cookie, COOKIE_SIZE, ad, MAC_SIZE, NULL,
                                               reply->nonce, key);
}

int open_cookie(uint8_t cookie[COOKIE_SIZE], const uint8_t key[KEY_SIZE], const struct cookie_reply *reply,
                const uint8_t ad[MAC_SIZE])
{
    return crypto_aead_xchacha20poly1305_ietf_decrypt(cookie, NULL, NULL, reply->cookie, sizeof reply->cookie, ad,
                                                      MAC_SIZE, reply->nonce, key) == 0;
}
