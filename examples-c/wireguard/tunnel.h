/* SPDX-License-Identifier: MIT
 *
 * The tunnel and its peers. Two threads share them: one reads the device and sends (outbound.c), the other one receives
 * and writes to the device (inbound.c). The mutex guards what changes and both use. A thread takes it once for a run of
 * packets of one peer, not while a cipher or a system call works. A handshake holds it for a fraction of a
 * millisecond. */
#ifndef TUNNEL_H
#define TUNNEL_H

#include <netinet/in.h>
#include <pthread.h>
#include <tuntap.h>

#include "config.h"
#include "cookie.h"
#include "transport.h"

/* When to do what: NEVER for what is not pending. */
struct timers {
    uint64_t initiate;   /* send an initiation, the first or again */
    uint64_t keepalive;  /* answer the data that came: nothing was sent since */
    uint64_t silence;    /* begin a new session: nothing came since data was sent */
    uint64_t persistent; /* send a keepalive for NAT, as configured */
    uint64_t wipe;       /* forget all keys */
    uint64_t attempt, initiated; /* no deadlines: when the attempt began, and when the last initiation was sent */
};

enum { QUEUE_SIZE = 64 };

struct peer {
    /* Constant. */
    struct noise_peer noise;
    uint64_t persistent; /* interval */

    /* Guarded by the mutex. */
    struct cookie_jar cookies;
    struct sockaddr_in6 endpoint; /* port 0: not known yet. IPv4 addresses are mapped. */
    struct noise handshake;       /* our initiation; local is 0 if there is none */
    struct keypair *previous, *current, *next;
    uint8_t timestamp[TIMESTAMP_SIZE]; /* the greatest one that came */
    uint64_t initiation_came;
    struct timers timers;

    /* Of the sending thread: packets that wait for a session. */
    tuntap_packet queue[QUEUE_SIZE];
    size_t queued;
};

/* What a receiver index stands for. The place in the table is the low bits of the index, so a new index is drawn until
 * its place is free. */
struct session {
    uint32_t index;
    struct peer *peer;       /* NULL: free */
    struct keypair *keypair; /* NULL: a handshake */
};

struct tunnel {
    /* Constant. */
    tuntap *dev;
    int sock;
    uint32_t mtu;
    struct identity identity;
    struct allowed allowed;
    struct peer *peers;
    size_t count;
    EVP_CIPHER *cipher; /* fetched once */

    /* Guarded by the mutex. */
    pthread_mutex_t lock;
    uint64_t deadline; /* not later than the first timer */
    uint64_t timestamp;
    struct session *sessions;
    uint32_t mask;

    struct cookie_checker checker; /* of the receiving thread */
    atomic_int ends;
};

/* All that begins here ends in tunnel_close, which wipes the keys. It may be called after a failure, too. */
int tunnel_open(struct tunnel *tunnel, const struct config *config);
void tunnel_close(struct tunnel *tunnel);

uint64_t now(void); /* of a clock that also counts while the machine sleeps */
struct peer *peer_by_key(struct tunnel *tunnel, const uint8_t public_key[KEY_SIZE]);

/* The functions below need the mutex. */
uint32_t session_new(struct tunnel *tunnel, struct peer *peer);
struct session *session_find(struct tunnel *tunnel, uint32_t index);
void session_end(struct tunnel *tunnel, uint32_t index);

/* A keypair as the initiator has it may send at once. The responder's may when the first packet has come by it. */
void peer_begin(struct tunnel *tunnel, struct peer *peer, struct keypair *keypair);
void peer_offer(struct tunnel *tunnel, struct peer *peer, struct keypair *keypair);
void peer_confirm(struct tunnel *tunnel, struct peer *peer);
void peer_wipe(struct tunnel *tunnel, struct peer *peer);

/* Each of these says what happened, and sets the timers that follow from it. */
void timers_init(struct timers *timers);
void timers_want_session(struct tunnel *tunnel, struct peer *peer, uint64_t time);
void timers_initiated(struct tunnel *tunnel, struct peer *peer, uint64_t time);
void timers_offered(struct tunnel *tunnel, struct peer *peer, uint64_t time);
void timers_session(struct tunnel *tunnel, struct peer *peer, uint64_t time);
void timers_sent(struct tunnel *tunnel, struct peer *peer, uint64_t time, int data);
void timers_received(struct tunnel *tunnel, struct peer *peer, uint64_t time, int data);

/* What is due, as a sum of these. Lowers the deadline of the tunnel to what is not due yet. */
enum { DUE_INITIATION = 1, DUE_KEEPALIVE = 2, DUE_GIVE_UP = 4 };
unsigned timers_due(struct tunnel *tunnel, struct peer *peer, uint64_t time);

/* handshake.c: sends an initiation; and reads a message that is not data. The second one takes the mutex itself. */
void handshake_initiate(struct tunnel *tunnel, struct peer *peer);
void handshake_receive(struct tunnel *tunnel, const uint8_t *message, size_t size, const struct sockaddr_in6 *source);

/* The two threads. They return when the tunnel ends; outbound_run says why. */
void outbound_run(struct tunnel *tunnel, tuntap_error *err);
void *inbound_run(void *tunnel);

#endif
