/* SPDX-License-Identifier: MIT
 *
 * The sending thread: packets from the device are sealed in place and sent to the peer that their destination belongs
 * to. It alone seals, so keepalives and the timers are its work, too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "peer.h"

/* Returns the keypair to send with, held, or NULL: the peer will be asked for a session. */
static struct keypair *begin_sending(struct tunnel *tunnel, struct peer *peer, int data, struct sockaddr_in6 *endpoint)
{
    struct keypair *keypair = NULL;
    pthread_mutex_lock(&tunnel->lock);
    uint64_t time = now();
    if (peer->current && keypair_valid(peer->current, time)) {
        keypair = keypair_hold(peer->current);
        *endpoint = peer->endpoint;
        timers_sent(tunnel, peer, time, data);
        if (atomic_load(&keypair->counter) >= REKEY_AFTER_MESSAGES ||
            (keypair->initiator && time - keypair->created >= REKEY_AFTER_TIME))
            timers_want_session(tunnel, peer, time);
    } else {
        timers_want_session(tunnel, peer, time);
    }
    pthread_mutex_unlock(&tunnel->lock);
    return keypair;
}

/* Seals and sends packets that have room around them. */
static void send_sealed(struct tunnel *tunnel, struct keypair *keypair, const struct sockaddr_in6 *endpoint,
                        const tuntap_packet *packets, size_t count)
{
    struct iovec datagrams[BATCH];
    size_t sealed = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = transport_seal(keypair, packets[i].data, packets[i].size, tunnel->mtu);
        if (size > 0)
            datagrams[sealed++] = (struct iovec){(uint8_t *)packets[i].data - HEADROOM, size};
    }
    datagrams_send(tunnel->sock, endpoint, datagrams, sealed);
}

/* Keeps a copy until there is a session. The oldest packet gives way: nobody waits for it any more. */
static void enqueue(struct peer *peer, const tuntap_packet *packet)
{
    struct queued *place = &peer->queue[(peer->queue_first + peer->queued) % QUEUE_SIZE];
    free(place->data);
    *place = (struct queued){packet->size, malloc(HEADROOM + packet->size + TAILROOM)};
    if (place->data)
        memcpy(place->data + HEADROOM, packet->data, packet->size);
    else
        place->size = 0;
    if (peer->queued == QUEUE_SIZE)
        peer->queue_first = (peer->queue_first + 1) % QUEUE_SIZE;
    else
        peer->queued++;
}

static void send_packets(struct tunnel *tunnel, struct peer *peer, const tuntap_packet *packets, size_t count)
{
    struct sockaddr_in6 endpoint;
    struct keypair *keypair = begin_sending(tunnel, peer, 1, &endpoint);
    if (keypair)
        send_sealed(tunnel, keypair, &endpoint, packets, count);
    else
        for (size_t i = 0; i < count; i++)
            enqueue(peer, &packets[i]);
    keypair_release(keypair);
}

static void send_keepalive(struct tunnel *tunnel, struct peer *peer)
{
    uint8_t room[HEADROOM + TAILROOM];
    tuntap_packet packet = {room + HEADROOM, 0, 1};
    struct sockaddr_in6 endpoint;
    struct keypair *keypair = begin_sending(tunnel, peer, 0, &endpoint);
    if (keypair)
        send_sealed(tunnel, keypair, &endpoint, &packet, 1);
    keypair_release(keypair);
}

static void clear_queue(struct peer *peer)
{
    for (size_t i = 0; i < QUEUE_SIZE; i++) {
        free(peer->queue[i].data);
        peer->queue[i] = (struct queued){0, NULL};
    }
    peer->queue_first = peer->queued = 0;
}

static void send_queue(struct tunnel *tunnel, struct peer *peer)
{
    tuntap_packet packets[QUEUE_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < peer->queued; i++) {
        struct queued *queued = &peer->queue[(peer->queue_first + i) % QUEUE_SIZE];
        if (queued->data)
            packets[count++] = (tuntap_packet){queued->data + HEADROOM, queued->size, 1};
    }
    struct sockaddr_in6 endpoint;
    struct keypair *keypair = begin_sending(tunnel, peer, 1, &endpoint);
    if (keypair) {
        send_sealed(tunnel, keypair, &endpoint, packets, count);
        clear_queue(peer);
    }
    keypair_release(keypair);
}

static void serve_peer(struct tunnel *tunnel, struct peer *peer, uint64_t time)
{
    pthread_mutex_lock(&tunnel->lock);
    unsigned due = timers_due(tunnel, peer, time);
    int reachable = peer->endpoint.sin6_port != 0, session = peer->current && keypair_valid(peer->current, time);
    pthread_mutex_unlock(&tunnel->lock);

    if ((due & DUE_GIVE_UP) || ((due & DUE_INITIATION) && !reachable))
        clear_queue(peer);
    else if (due & DUE_INITIATION)
        handshake_initiate(tunnel, peer);
    if (session && peer->queued > 0)
        send_queue(tunnel, peer);
    else if (due & DUE_KEEPALIVE)
        send_keepalive(tunnel, peer);
}

/* Does what is due. Returns the milliseconds until the next timer. */
static int32_t serve_timers(struct tunnel *tunnel)
{
    uint64_t time = now();
    pthread_mutex_lock(&tunnel->lock);
    int due = time >= tunnel->deadline;
    if (due)
        tunnel->deadline = NEVER;
    pthread_mutex_unlock(&tunnel->lock);
    for (size_t i = 0; due && i < tunnel->count; i++)
        serve_peer(tunnel, &tunnel->peers[i], time);

    pthread_mutex_lock(&tunnel->lock);
    uint64_t left = tunnel->deadline > time ? tunnel->deadline - time : 0;
    pthread_mutex_unlock(&tunnel->lock);
    return left < 60 * SECOND ? (int32_t)((left + 999999) / 1000000) : 60000;
}

/* Passes on runs of packets that go to the same peer. What belongs to no peer is dropped. */
static void send_batch(struct tunnel *tunnel, const tuntap_packet *packets, size_t count)
{
    for (size_t i = 0, end; i < count; i = end) {
        ssize_t peer = -1;
        for (end = i; end < count; end++) {
            int valid = packet_length(packets[end].data, packets[end].size) > 0;
            ssize_t to = valid ? allowed_destination(&tunnel->allowed, packets[end].data) : -1;
            if (end > i && to != peer)
                break;
            peer = to;
        }
        if (peer >= 0)
            send_packets(tunnel, &tunnel->peers[peer], packets + i, end - i);
    }
}

/* Whether reading can go on after this failure. */
static int passes(const tuntap_error *err)
{
    return err->reason == TUNTAP_REASON_AGAIN || err->reason == TUNTAP_REASON_WOKEN ||
           err->reason == TUNTAP_REASON_INTERRUPTED || err->reason == TUNTAP_REASON_PACKET ||
           err->reason == TUNTAP_REASON_BUFFER;
}

void outbound_run(struct tunnel *tunnel, tuntap_error *err)
{
    tuntap_packet packets[BATCH];
    struct packet_source *source = source_open(tunnel->dev, err);
    if (!source)
        return;
    for (;;) {
        ssize_t count = source_read(source, packets, BATCH, err);
        if (count > 0)
            send_batch(tunnel, packets, (size_t)count);
        else if (count < 0 && !passes(err))
            break;
        int32_t left = serve_timers(tunnel);
        if (count == -EAGAIN)
            tuntap_wait(tunnel->dev, TUNTAP_WAIT_READ, left, NULL); /* the next read reports a failure */
    }
    source_close(source);
}
