/* SPDX-License-Identifier: MIT
 *
 * The receiving thread: data is opened into the memory of the device's writer. It alone opens, and answers
 * handshakes. */
#include <stdlib.h>

#include "tunnel.h"
#include "udp.h"

/* Messages of one session, one after the other from one address. */
struct run {
    struct peer *peer;
    struct keypair *keypair; /* NULL: no session has this index */
    uint32_t index;
    int authentic, data;
};

static struct run run_begin(struct tunnel *tunnel, uint32_t index)
{
    struct run run = {.index = index};
    pthread_mutex_lock(&tunnel->lock);
    struct session *session = session_find(tunnel, index);
    if (session && session->keypair && keypair_valid(session->keypair, now())) {
        run.peer = session->peer;
        run.keypair = keypair_hold(session->keypair);
    }
    pthread_mutex_unlock(&tunnel->lock);
    return run;
}

/* What follows from authentic messages: the keypair is confirmed, the peer is where they came from, timers. */
static void run_end(struct tunnel *tunnel, struct run *run, const struct sockaddr_in6 *source)
{
    if (run->authentic) {
        struct peer *peer = run->peer;
        pthread_mutex_lock(&tunnel->lock);
        uint64_t time = now(), age = time - run->keypair->created, deadline = tunnel->deadline;
        if (peer->next == run->keypair) {
            peer_confirm(tunnel, peer);
            timers_session(tunnel, peer, time);
            tunnel->deadline = 0; /* packets may wait for it */
        }
        peer->endpoint = *source;
        timers_received(tunnel, peer, time, run->data);
        if (run->keypair->initiator && age >= REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT)
            timers_want_session(tunnel, peer, time);
        int sooner = tunnel->deadline < deadline;
        pthread_mutex_unlock(&tunnel->lock);
        if (sooner)
            tuntap_wake(tunnel->dev);
    }
    keypair_release(run->keypair);
}

static void receive_data(struct tunnel *tunnel, tuntap_writer *writer, struct run *run, const uint8_t *message,
                         size_t size)
{
    uint8_t nothing[1];
    void *packet = nothing;
    size_t padded = size - HEADROOM - TAG_SIZE; /* 0: a keepalive */
    if (padded > 0 && tuntap_writer_reserve(writer, padded, &packet, NULL) < 0)
        return;
    if (!transport_open(run->keypair, message, size, packet))
        return;
    run->authentic = 1;
    run->data |= padded > 0;
    size_t length = packet_length(packet, padded);
    if (length > 0 && allowed_source(&tunnel->allowed, packet) == run->peer - tunnel->peers)
        tuntap_writer_commit(writer, length, NULL);
}

static void receive_run(struct tunnel *tunnel, tuntap_writer *writer, const struct udp_run *came)
{
    struct run run = {0};
    for (size_t at = 0, size; at < came->size; at += size) {
        const uint8_t *message = came->data + at;
        size = came->size - at < came->segment ? came->size - at : came->segment;
        if (size < HEADROOM + TAG_SIZE || get_le(message, 4) != DATA) {
            handshake_receive(tunnel, message, size, &came->source);
            continue;
        }
        uint32_t index = (uint32_t)get_le(message + 4, 4);
        if (!run.keypair || run.index != index) {
            run_end(tunnel, &run, &came->source);
            run = run_begin(tunnel, index);
        }
        if (run.keypair)
            receive_data(tunnel, writer, &run, message, size);
    }
    run_end(tunnel, &run, &came->source);
}

void *inbound_run(void *argument)
{
    struct tunnel *tunnel = argument;
    struct udp_run runs[UDP_RUNS];
    struct udp_buffer *buffer = udp_buffer_new();
    tuntap_writer *writer = NULL;

    tuntap_writer_new(tunnel->dev, 0, &writer, NULL);
    while (buffer && writer && !atomic_load(&tunnel->ends)) {
        int count = udp_receive(tunnel->sock, buffer, runs);
        for (int i = 0; i < count; i++)
            receive_run(tunnel, writer, &runs[i]);
        tuntap_writer_flush(writer, NULL); /* a device that is down loses packets */
    }
    tuntap_writer_free(writer);
    free(buffer);
    tuntap_shutdown(tunnel->dev); /* one thread does not go on without the other */
    return NULL;
}
