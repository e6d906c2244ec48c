/* SPDX-License-Identifier: MIT
 *
 * Handshake messages to and from peers. Noise computes on local values, outside of the mutex. */
#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

#include "crypto.h"
#include "io.h"
#include "peer.h"

static void send_message(const struct tunnel *tunnel, const struct sockaddr_in6 *to, void *message, size_t size)
{
    struct iovec datagram = {message, size};
    datagrams_send(tunnel->sock, to, &datagram, 1);
}

/* Rises with each call, also if the clock was set back. */
static void next_timestamp(struct tunnel *tunnel, uint8_t timestamp[TIMESTAMP_SIZE])
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    uint64_t realtime = (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
    tunnel->timestamp = realtime > tunnel->timestamp ? realtime : tunnel->timestamp + 1;
    noise_timestamp(timestamp, tunnel->timestamp);
}

void handshake_initiate(struct tunnel *tunnel, struct peer *peer)
{
    struct initiation message;
    struct noise noise;
    uint8_t timestamp[TIMESTAMP_SIZE];

    pthread_mutex_lock(&tunnel->lock);
    session_end(tunnel, peer->handshake.local);
    uint32_t local = session_new(tunnel, peer);
    next_timestamp(tunnel, timestamp);
    pthread_mutex_unlock(&tunnel->lock);

    int usable = noise_initiate(&noise, &tunnel->identity, &peer->noise, local, timestamp, &message);

    pthread_mutex_lock(&tunnel->lock);
    peer->handshake = noise;
    cookie_sign(&peer->cookies, &message, sizeof message, now());
    struct sockaddr_in6 endpoint = peer->endpoint;
    timers_initiated(tunnel, peer, now());
    timers_sent(tunnel, peer, now(), 0);
    pthread_mutex_unlock(&tunnel->lock);
    OPENSSL_cleanse(&noise, sizeof noise);
    if (usable)
        send_message(tunnel, &endpoint, &message, sizeof message);
}

/* Answers with a response, and offers its keypair. Returns 0 if the initiation is a replay, or comes too soon. */
static int respond(struct tunnel *tunnel, struct peer *peer, struct noise *noise,
                   const uint8_t timestamp[TIMESTAMP_SIZE], const struct sockaddr_in6 *source)
{
    struct response message;

    pthread_mutex_lock(&tunnel->lock);
    uint64_t time = now();
    int is_new = memcmp(timestamp, peer->timestamp, TIMESTAMP_SIZE) > 0 &&
                 time - peer->initiation_came >= INITIATION_INTERVAL;
    uint32_t local = is_new ? session_new(tunnel, peer) : 0;
    if (is_new) {
        memcpy(peer->timestamp, timestamp, TIMESTAMP_SIZE);
        peer->initiation_came = time;
    }
    pthread_mutex_unlock(&tunnel->lock);
    if (!is_new)
        return 0;

    struct keypair *keypair = noise_respond(noise, &peer->noise, local, &message) ?
        keypair_new(noise, 0, tunnel->cipher, time) : NULL;

    pthread_mutex_lock(&tunnel->lock);
    if (keypair) {
        peer_offer(tunnel, peer, keypair);
        peer->endpoint = *source;
        cookie_sign(&peer->cookies, &message, sizeof message, time);
        timers_offered(tunnel, peer, time);
        timers_received(tunnel, peer, time, 0);
        timers_sent(tunnel, peer, time, 0);
    } else {
        session_end(tunnel, local);
    }
    pthread_mutex_unlock(&tunnel->lock);
    if (keypair)
        send_message(tunnel, source, &message, sizeof message);
    return keypair != NULL;
}

static int read_initiation(struct tunnel *tunnel, const struct initiation *message, const struct sockaddr_in6 *source)
{
    struct noise noise;
    uint8_t public_key[KEY_SIZE], timestamp[TIMESTAMP_SIZE];
    struct peer *peer = NULL;

    if (noise_read_initiator(&noise, &tunnel->identity, message, public_key))
        peer = peer_by_key(tunnel, public_key);
    int read = peer && noise_read_timestamp(&noise, &peer->noise, message, timestamp) &&
               respond(tunnel, peer, &noise, timestamp, source);
    OPENSSL_cleanse(&noise, sizeof noise);
    return read;
}

/* Finds the handshake that a message answers. */
static struct peer *find_handshake(struct tunnel *tunnel, const uint8_t receiver[4], struct noise *noise)
{
    uint32_t index = (uint32_t)get_le(receiver, 4);
    pthread_mutex_lock(&tunnel->lock);
    struct session *session = session_find(tunnel, index);
    struct peer *peer = session && !session->keypair && session->peer->handshake.local == index ? session->peer : NULL;
    if (peer)
        *noise = peer->handshake;
    pthread_mutex_unlock(&tunnel->lock);
    return peer;
}

static int read_response(struct tunnel *tunnel, const struct response *message, const struct sockaddr_in6 *source)
{
    struct noise noise;
    struct keypair *keypair = NULL;
    struct peer *peer = find_handshake(tunnel, message->receiver, &noise);

    if (peer && noise_read_response(&noise, &tunnel->identity, &peer->noise, message))
        keypair = keypair_new(&noise, 1, tunnel->cipher, now());
    OPENSSL_cleanse(&noise, sizeof noise);
    if (!keypair)
        return 0;

    pthread_mutex_lock(&tunnel->lock);
    int awaited = peer->handshake.local == keypair->local; /* and not replaced meanwhile */
    if (awaited) {
        OPENSSL_cleanse(&peer->handshake, sizeof peer->handshake);
        peer_begin(tunnel, peer, keypair);
        peer->endpoint = *source;
        timers_session(tunnel, peer, now());
        timers_received(tunnel, peer, now(), 0);
        peer->timers.keepalive = tunnel->deadline = 0; /* the peer waits for a first packet */
    }
    pthread_mutex_unlock(&tunnel->lock);
    if (!awaited)
        keypair_release(keypair);
    return awaited;
}

static void read_cookie_reply(struct tunnel *tunnel, const struct cookie_reply *message)
{
    uint32_t index = (uint32_t)get_le(message->receiver, 4);
    pthread_mutex_lock(&tunnel->lock);
    struct session *session = session_find(tunnel, index);
    if (session)
        cookie_read_reply(&session->peer->cookies, message, now());
    pthread_mutex_unlock(&tunnel->lock);
}

/* The cheap checks, which need no curve: returns whether the message is worth more. */
static int admit(struct tunnel *tunnel, const uint8_t *message, size_t size, const struct sockaddr_in6 *source)
{
    struct cookie_reply reply;
    uint64_t time = now();

    if (!cookie_mac1_valid(&tunnel->checker, message, size))
        return 0;
    if (!cookie_under_load(&tunnel->checker, time) || cookie_mac2_valid(&tunnel->checker, message, size, source, time))
        return 1;
    cookie_make_reply(&tunnel->checker, &reply, message, size, source, time);
    send_message(tunnel, source, &reply, sizeof reply);
    return 0;
}

void handshake_receive(struct tunnel *tunnel, const uint8_t *message, size_t size, const struct sockaddr_in6 *source)
{
    uint64_t type = size >= 4 ? get_le(message, 4) : 0;
    int news = 0;
    if (type == INITIATION && size == sizeof(struct initiation) && admit(tunnel, message, size, source))
        news = read_initiation(tunnel, (const struct initiation *)message, source);
    else if (type == RESPONSE && size == sizeof(struct response) && admit(tunnel, message, size, source))
        news = read_response(tunnel, (const struct response *)message, source);
    else if (type == COOKIE_REPLY && size == sizeof(struct cookie_reply))
        read_cookie_reply(tunnel, (const struct cookie_reply *)message);
    if (news)
        tuntap_wake(tunnel->dev); /* the sending thread has new timers */
}
