/* SPDX-License-Identifier: MIT
 *
 * The sending thread: a packet from the device is sealed in place and sent to the peer that its destination belongs to.
 * It alone seals, so keepalives and the timers are its work, too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tunnel.h"
#include "udp.h"

enum { BATCH = 64 };

/* Seals and sends packets that have HEADROOM and TAILROOM around them. Returns 0 if there is no session: the peer will
 * be asked for one. */
static int send_sealed(struct tunnel *tunnel, struct peer *peer, const tuntap_packet *packets, size_t count)
{
    struct iovec datagrams[BATCH];
    struct keypair *keypair = NULL;
    size_t sealed = 0;

    pthread_mutex_lock(&tunnel->lock);
    uint64_t time = now();
    struct sockaddr_in6 endpoint = peer->endpoint;
    if (peer->current && keypair_valid(peer->current, time)) {
        keypair = keypair_hold(peer->current);
        timers_sent(tunnel, peer, time, packets[0].size > 0);
    }
    if (!keypair || keypair->counter >= REKEY_AFTER_MESSAGES ||
        (keypair->initiator && time - keypair->created >= REKEY_AFTER_TIME))
        timers_want_session(tunnel, peer, time);
    pthread_mutex_unlock(&tunnel->lock);
    if (!keypair)
        return 0;

    for (size_t i = 0; i < count; i++) {
        size_t size = transport_seal(keypair, packets[i].data, packets[i].size, tunnel->mtu);
        if (size > 0)
            datagrams[sealed++] = (struct iovec){(uint8_t *)packets[i].data - HEADROOM, size};
    }
    udp_send(tunnel->sock, &endpoint, datagrams, sealed);
    keypair_release(keypair);
    return 1;
}

static void send_keepalive(struct tunnel *tunnel, struct peer *peer)
{
    uint8_t room[HEADROOM + TAILROOM];
    tuntap_packet nothing = {room + HEADROOM, 0, 1};
    send_sealed(tunnel, peer, &nothing, 1);
}

static void clear_queue(struct peer *peer)
{
    while (peer->queued > 0)
        free((uint8_t *)peer->queue[--peer->queued].data - HEADROOM);
}

/* Keeps a copy until there is a session. When the queue is full, its packets are too old for anybody to wait for. */
static void enqueue(struct peer *peer, const tuntap_packet *packet)
{
    uint8_t *copy = malloc(HEADROOM + packet->size + TAILROOM);
    if (!copy)
        return;
    if (peer->queued == QUEUE_SIZE)
        clear_queue(peer);
    memcpy(copy + HEADROOM, packet->data, packet->size);
    peer->queue[peer->queued++] = (tuntap_packet){copy + HEADROOM, packet->size, 1};
}

static ssize_t destination(const struct tunnel *tunnel, const tuntap_packet *packet)
{
    return packet_length(packet->data, packet->size) > 0 ? allowed_destination(&tunnel->allowed, packet->data) : -1;
}

/* Sends the packets in runs that go to the same peer. What belongs to no peer is dropped. */
static void send_batch(struct tunnel *tunnel, const tuntap_packet *packets, size_t count)
{
    ssize_t next = destination(tunnel, &packets[0]);
    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        ssize_t to = next;
        do
            next = ++end < count ? destination(tunnel, &packets[end]) : -1;
        while (end < count && next == to);
        if (to < 0 || send_sealed(tunnel, &tunnel->peers[to], packets + begin, end - begin))
            continue;
        for (size_t i = begin; i < end; i++)
            enqueue(&tunnel->peers[to], &packets[i]);
    }
}

static void serve_peer(struct tunnel *tunnel, struct peer *peer, uint64_t time)
{
    pthread_mutex_lock(&tunnel->lock);
    unsigned due = timers_due(tunnel, peer, time);
    int reachable = peer->endpoint.sin6_port != 0;
    if ((due & DUE_INITIATION) && reachable)
        handshake_initiate(tunnel, peer);
    pthread_mutex_unlock(&tunnel->lock);

    if ((due & DUE_GIVE_UP) || ((due & DUE_INITIATION) && !reachable))
        clear_queue(peer);
    if (peer->queued > 0 && send_sealed(tunnel, peer, peer->queue, peer->queued))
        clear_queue(peer);
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

/* Whether reading can go on after this failure. */
static int passes(const tuntap_error *err)
{
    return err->reason == TUNTAP_REASON_AGAIN || err->reason == TUNTAP_REASON_WOKEN ||
           err->reason == TUNTAP_REASON_INTERRUPTED || err->reason == TUNTAP_REASON_PACKET;
}

void outbound_run(struct tunnel *tunnel, tuntap_error *err)
{
    tuntap_packet packets[BATCH];
    tuntap_reader *reader;
    if (tuntap_reader_new(tunnel->dev, 0, &reader, err) < 0)
        return;
    if (tuntap_reader_set_room(reader, HEADROOM, TAILROOM, err) == 0)
        for (;;) {
            ssize_t count = tuntap_reader_batch(reader, packets, BATCH, sizeof *packets, err);
            if (count > 0)
                send_batch(tunnel, packets, (size_t)count);
            else if (count < 0 && !passes(err))
                break;
            int32_t left = serve_timers(tunnel);
            if (count == -EAGAIN)
                tuntap_wait(tunnel->dev, TUNTAP_WAIT_READ, left, NULL); /* the next read reports a failure */
        }
    tuntap_reader_free(reader);
    for (size_t i = 0; i < tunnel->count; i++)
        clear_queue(&tunnel->peers[i]);
}
