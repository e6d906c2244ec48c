/* SPDX-License-Identifier: MIT */
#include "tunnel.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto.h"

uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static void peer_init(struct tunnel *tunnel, struct peer *peer, const struct config_peer *config)
{
    memcpy(peer->noise.public_key, config->public_key, KEY_SIZE);
    memcpy(peer->noise.preshared_key, config->preshared_key, KEY_SIZE);
    /* For a key of low order this stays 0: each handshake with it fails at its first step. */
    if (!dh(peer->noise.shared, tunnel->identity.private_key, config->public_key))
        memset(peer->noise.shared, 0, KEY_SIZE);
    cookie_keys(&peer->cookies.keys, config->public_key);
    timers_init(&peer->timers);
    peer->persistent = config->persistent_keepalive * SECOND;
    if (peer->persistent)
        peer->timers.persistent = 0; /* at once */
}

int tunnel_open(struct tunnel *tunnel, const struct config *config)
{
    memset(tunnel, 0, sizeof *tunnel);
    tunnel->sock = -1;
    pthread_mutex_init(&tunnel->lock, NULL);
    memcpy(tunnel->identity.private_key, config->private_key, KEY_SIZE);
    dh_public(tunnel->identity.public_key, config->private_key);
    cookie_keys(&tunnel->checker.keys, tunnel->identity.public_key);

    tunnel->mask = 15; /* places for 16 indices a peer, of which it uses 5 */
    while (tunnel->mask / 16 < config->count)
        tunnel->mask = tunnel->mask * 2 + 1;
    tunnel->sessions = calloc((size_t)tunnel->mask + 1, sizeof *tunnel->sessions);
    tunnel->peers = calloc(config->count + 1, sizeof *tunnel->peers);
    tunnel->cipher = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    if (!tunnel->sessions || !tunnel->peers || !tunnel->cipher)
        return 0;
    for (size_t i = 0; i < config->allowed.count; i++)
        if (!allowed_add(&tunnel->allowed, &config->allowed.entries[i].prefix, config->allowed.entries[i].peer))
            return 0;
    for (tunnel->count = 0; tunnel->count < config->count; tunnel->count++)
        peer_init(tunnel, &tunnel->peers[tunnel->count], &config->peers[tunnel->count]);
    return 1;
}

void tunnel_close(struct tunnel *tunnel)
{
    for (size_t i = 0; i < tunnel->count; i++) {
        peer_wipe(tunnel, &tunnel->peers[i]);
        OPENSSL_cleanse(&tunnel->peers[i], sizeof tunnel->peers[i]);
    }
    free(tunnel->peers);
    free(tunnel->sessions);
    allowed_free(&tunnel->allowed);
    EVP_CIPHER_free(tunnel->cipher);
    pthread_mutex_destroy(&tunnel->lock);
    OPENSSL_cleanse(tunnel, sizeof *tunnel);
}

struct peer *peer_by_key(struct tunnel *tunnel, const uint8_t public_key[KEY_SIZE])
{
    for (size_t i = 0; i < tunnel->count; i++)
        if (memcmp(tunnel->peers[i].noise.public_key, public_key, KEY_SIZE) == 0)
            return &tunnel->peers[i];
    return NULL;
}

uint32_t session_new(struct tunnel *tunnel, struct peer *peer)
{
    uint32_t index;
    do
        random_bytes(&index, sizeof index);
    while (index == 0 || tunnel->sessions[index & tunnel->mask].peer);
    tunnel->sessions[index & tunnel->mask] = (struct session){index, peer, NULL};
    return index;
}

struct session *session_find(struct tunnel *tunnel, uint32_t index)
{
    struct session *session = &tunnel->sessions[index & tunnel->mask];
    return session->peer && session->index == index ? session : NULL;
}

void session_end(struct tunnel *tunnel, uint32_t index)
{
    struct session *session = session_find(tunnel, index);
    if (session)
        *session = (struct session){0};
}

/* Puts a keypair, or NULL, in a slot of the peer, in place of what is there. */
static void replace(struct tunnel *tunnel, struct keypair **slot, struct keypair *keypair)
{
    if (*slot) {
        session_end(tunnel, (*slot)->local);
        keypair_release(*slot);
    }
    *slot = keypair;
}

void peer_begin(struct tunnel *tunnel, struct peer *peer, struct keypair *keypair)
{
    session_find(tunnel, keypair->local)->keypair = keypair;
    if (peer->next) /* the peer may already send by it: it is the one to keep */
        peer_confirm(tunnel, peer);
    replace(tunnel, &peer->previous, peer->current);
    peer->current = keypair;
}

void peer_offer(struct tunnel *tunnel, struct peer *peer, struct keypair *keypair)
{
    session_find(tunnel, keypair->local)->keypair = keypair;
    replace(tunnel, &peer->next, keypair);
    replace(tunnel, &peer->previous, NULL);
}

void peer_confirm(struct tunnel *tunnel, struct peer *peer)
{
    replace(tunnel, &peer->previous, peer->current);
    peer->current = peer->next;
    peer->next = NULL;
}

void peer_wipe(struct tunnel *tunnel, struct peer *peer)
{
    replace(tunnel, &peer->previous, NULL);
    replace(tunnel, &peer->current, NULL);
    replace(tunnel, &peer->next, NULL);
    session_end(tunnel, peer->handshake.local);
    OPENSSL_cleanse(&peer->handshake, sizeof peer->handshake);
}
