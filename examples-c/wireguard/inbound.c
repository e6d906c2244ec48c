/* SPDX-License-Identifier: MIT
 *
 * The receiving thread: data is opened into the memory of the writer to the device. It alone opens, and answers
 * handshakes. */
#include <openssl/crypto.h>
#include <string.h>

#include "io.h"
#include "peer.h"

/* Messages of one session, one after the other from one address. */
struct run {
    struct peer *peer;
    struct keypair *keypair; /* NULL: no session has this index */
    uint32_t index;
    int authentic, data;
};

static void run_begin(struct tunnel *tunnel, struct run *run, uint32_t index)
{
    *run = (struct run){.index = index};
    pthread_mutex_lock(&tunnel->lock);
    struct session *session = session_find(tunnel, index);
    if (session && session->keypair && keypair_valid(session->keypair, now())) {
        run->peer = session->peer;
        run->keypair = keypair_hold(session->keypair);
    }
    pthread_mutex_unlock(&tunnel->lock);
}

/* What follows from authentic messages: the keypair is confirmed, the peer is where they came from, timers. */
static void run_end(struct tunnel *tunnel, struct run *run, const struct sockaddr_in6 *source)
{
    if (!run->keypair)
        return;
    if (run->authentic) {
        struct peer *peer = run->peer;
        pthread_mutex_lock(&tunnel->lock);
        uint64_t time = now(), age = time - run->keypair->created, deadline = tunnel->deadline;
        if (peer->next == run->keypair) {
            peer_confirm(tunnel, peer, run->keypair);
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
    *run = (struct run){0};
}

static void receive_data(struct tunnel *tunnel, struct packet_sink *sink, struct run *run, const uint8_t *message,
                         size_t size)
{
    uint8_t nothing[1];
    size_t padded = size - HEADROOM - TAG_SIZE;
    uint8_t *packet = padded > 0 ? sink_reserve(sink, padded) : nothing;
    if (!packet || transport_open(run->keypair, message, size, packet) < 0)
        return;
    run->authentic = 1;
    if (padded == 0) /* a keepalive */
        return;
    run->data = 1;
    size_t length = packet_length(packet, padded);
    if (length > 0 && allowed_source(&tunnel->allowed, packet) == run->peer - tunnel->peers)
        sink_commit(sink, length);
}

static void receive_datagram(struct tunnel *tunnel, struct packet_sink *sink, const struct datagram *datagram)
{
    struct run run = {0};
    for (size_t at = 0, size; at < datagram->size; at += size) {
        const uint8_t *message = datagram->data + at;
        size = datagram->size - at < datagram->segment ? datagram->size - at : datagram->segment;
        if (size < HEADROOM + TAG_SIZE || get_le(message, 4) != DATA) {
            handshake_receive(tunnel, message, size, &datagram->source);
            continue;
        }
        uint32_t index = (uint32_t)get_le(message + 4, 4);
        if (!run.keypair || run.index != index) {
            run_end(tunnel, &run, &datagram->source);
            run_begin(tunnel, &run, index);
        }
        if (run.keypair)
            receive_data(tunnel, sink, &run, message, size);
    }
    run_end(tunnel, &run, &datagram->source);
}

void *inbound_run(void *argument)
{
    struct tunnel *tunnel = argument;
    struct datagram datagrams[BATCH];
    tuntap_error err;
    struct datagram_source *source = datagrams_open(tunnel->sock);
    struct packet_sink *sink = sink_open(tunnel->dev, &err);

    while (source && sink && !atomic_load(&tunnel->ends)) {
        int count = datagrams_receive(source, tunnel->sock, datagrams);
        for (int i = 0; i < count; i++)
            receive_datagram(tunnel, sink, &datagrams[i]);
        sink_flush(sink);
    }
    sink_close(sink);
    datagrams_close(source);
    tuntap_shutdown(tunnel->dev); /* one thread does not go on without the other */
    return NULL;
}
