/* SPDX-License-Identifier: MIT
 *
 * Handshake messages to and from peers. These functions need the mutex, but handshake_receive, which takes it. */
#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

#include "crypto.h"
#include "tunnel.h"
#include "udp.h"

static void send_message(const struct tunnel *tunnel, const struct sockaddr_in6 *to, void *message, size_t size)
{
    struct iovec datagram = {message, size};
    udp_send(tunnel->sock, to, &datagram, 1);
}

/* Rises with each call, even if the clock was set back. */
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
    uint8_t timestamp[TIMESTAMP_SIZE];

    session_end(tunnel, peer->handshake.local);
    next_timestamp(tunnel, timestamp);
    int usable = noise_initiate(&peer->handshake, &tunnel->identity, &peer->noise, session_new(tunnel, peer), timestamp,
                                &message);
    timers_initiated(tunnel, peer, now());
    if (!usable)
        return;
    cookie_sign(&peer->cookies, &message, sizeof message, now());
    send_message(tunnel, &peer->endpoint, &message, sizeof message);
}

static void read_initiation(struct tunnel *tunnel, const struct initiation *message, const struct sockaddr_in6 *source)
{
    struct noise noise;
    struct response response;
    struct keypair *keypair = NULL;
    uint8_t public_key[KEY_SIZE], timestamp[TIMESTAMP_SIZE];
    struct peer *peer = NULL;
    uint64_t time = now();

    if (noise_read_initiator(&noise, &tunnel->identity, message, public_key))
        peer = peer_by_key(tunnel, public_key);
    int is_new = peer && noise_read_timestamp(&noise, &peer->noise, message, timestamp) &&
                 memcmp(timestamp, peer->timestamp, TIMESTAMP_SIZE) > 0 &&
                 time - peer->initiation_came >= INITIATION_INTERVAL;
    if (is_new) {
        memcpy(peer->timestamp, timestamp, TIMESTAMP_SIZE);
        peer->initiation_came = time;
        uint32_t local = session_new(tunnel, peer);
        if (noise_respond(&noise, &peer->noise, local, &response))
            keypair = keypair_new(&noise, 0, tunnel->cipher, time);
        if (!keypair)
            session_end(tunnel, local);
    }
    OPENSSL_cleanse(&noise, sizeof noise);
    if (!keypair)
        return;
    peer_offer(tunnel, peer, keypair);
    peer->endpoint = *source;
    timers_offered(tunnel, peer, time);
    timers_received(tunnel, peer, time, 0);
    timers_sent(tunnel, peer, time, 0);
    cookie_sign(&peer->cookies, &response, sizeof response, time);
    send_message(tunnel, source, &response, sizeof response);
}

static void read_response(struct tunnel *tunnel, const struct response *message, const struct sockaddr_in6 *source)
{
    uint32_t index = (uint32_t)get_le(message->receiver, 4);
    struct session *session = session_find(tunnel, index);
    if (!session || session->keypair)
        return;

    struct peer *peer = session->peer;
    struct noise noise = peer->handshake; /* a forged response changes only the copy */
    struct keypair *keypair = NULL;
    if (noise_read_response(&noise, &tunnel->identity, &peer->noise, message))
        keypair = keypair_new(&noise, 1, tunnel->cipher, now());
    OPENSSL_cleanse(&noise, sizeof noise);
    if (!keypair)
        return;
    OPENSSL_cleanse(&peer->handshake, sizeof peer->handshake);
    peer_begin(tunnel, peer, keypair);
    peer->endpoint = *source;
    timers_session(tunnel, peer, now());
    timers_received(tunnel, peer, now(), 0);
    peer->timers.keepalive = tunnel->deadline = 0; /* the peer waits for a first packet */
}

static void read_cookie_reply(struct tunnel *tunnel, const struct cookie_reply *message)
{
    struct session *session = session_find(tunnel, (uint32_t)get_le(message->receiver, 4));
    if (session)
        cookie_read_reply(&session->peer->cookies, message, now());
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
    int known = (type == INITIATION && size == sizeof(struct initiation)) ||
                (type == RESPONSE && size == sizeof(struct response));
    if (known ? !admit(tunnel, message, size, source) : type != COOKIE_REPLY || size != sizeof(struct cookie_reply))
        return;

    pthread_mutex_lock(&tunnel->lock);
    if (type == INITIATION)
        read_initiation(tunnel, (const struct initiation *)message, source);
    else if (type == RESPONSE)
        read_response(tunnel, (const struct response *)message, source);
    else
        read_cookie_reply(tunnel, (const struct cookie_reply *)message);
    pthread_mutex_unlock(&tunnel->lock);
    tuntap_wake(tunnel->dev); /* the sending thread may have new timers */
}
