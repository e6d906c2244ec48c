/* SPDX-License-Identifier: MIT
 *
 * The timers of a peer: section 6 of the paper. */
#include "crypto.h"
#include "tunnel.h"

static uint64_t jitter(void)
{
    uint64_t random;
    random_bytes(&random, sizeof random);
    return random % JITTER;
}

static void set(struct tunnel *tunnel, uint64_t *timer, uint64_t time)
{
    *timer = time;
    if (time < tunnel->deadline)
        tunnel->deadline = time;
}

void timers_init(struct timers *timers)
{
    *timers = (struct timers){NEVER, NEVER, NEVER, NEVER, NEVER, 0, 0};
}

void timers_want_session(struct tunnel *tunnel, struct peer *peer, uint64_t time)
{
    struct timers *timers = &peer->timers;
    timers->attempt = time;
    if (timers->initiate != NEVER)
        return;
    uint64_t earliest = timers->initiated + REKEY_TIMEOUT;
    set(tunnel, &timers->initiate, timers->initiated && time < earliest ? earliest : time);
}

void timers_initiated(struct tunnel *tunnel, struct peer *peer, uint64_t time)
{
    peer->timers.initiated = time;
    set(tunnel, &peer->timers.initiate, time + REKEY_TIMEOUT + jitter());
}

void timers_offered(struct tunnel *tunnel, struct peer *peer, uint64_t time)
{
    set(tunnel, &peer->timers.wipe, time + 3 * REJECT_AFTER_TIME);
}

void timers_session(struct tunnel *tunnel, struct peer *peer, uint64_t time)
{
    peer->timers.initiate = peer->timers.silence = NEVER;
    timers_offered(tunnel, peer, time);
}

static void traversed(struct tunnel *tunnel, struct peer *peer, uint64_t time)
{
    if (peer->persistent)
        set(tunnel, &peer->timers.persistent, time + peer->persistent);
}

void timers_sent(struct tunnel *tunnel, struct peer *peer, uint64_t time, int data)
{
    peer->timers.keepalive = NEVER;
    if (data && peer->timers.silence == NEVER)
        set(tunnel, &peer->timers.silence, time + KEEPALIVE_TIMEOUT + REKEY_TIMEOUT + jitter());
    traversed(tunnel, peer, time);
}

void timers_received(struct tunnel *tunnel, struct peer *peer, uint64_t time, int data)
{
    peer->timers.silence = NEVER;
    if (data && peer->timers.keepalive == NEVER)
        set(tunnel, &peer->timers.keepalive, time + KEEPALIVE_TIMEOUT);
    traversed(tunnel, peer, time);
}

unsigned timers_due(struct tunnel *tunnel, struct peer *peer, uint64_t time)
{
    struct timers *timers = &peer->timers;
    unsigned due = 0;

    if (time >= timers->wipe) {
        peer_wipe(tunnel, peer);
        timers->wipe = NEVER;
    }
    if (time >= timers->silence) {
        timers->silence = NEVER;
        timers_want_session(tunnel, peer, time);
    }
    if (time >= timers->keepalive || time >= timers->persistent) {
        timers->keepalive = NEVER;
        timers->persistent = peer->persistent ? time + peer->persistent : NEVER;
        due |= DUE_KEEPALIVE;
    }
    if (time >= timers->initiate) {
        timers->initiate = NEVER;
        if (time - timers->attempt > REKEY_ATTEMPT_TIME) {
            due |= DUE_GIVE_UP;
            set(tunnel, &timers->wipe, time + 3 * REJECT_AFTER_TIME);
        } else {
            due |= DUE_INITIATION;
        }
    }
    const uint64_t pending[] = {timers->initiate, timers->keepalive, timers->silence, timers->persistent, timers->wipe};
    for (size_t i = 0; i < sizeof pending / sizeof *pending; i++)
        if (pending[i] < tunnel->deadline)
            tunnel->deadline = pending[i];
    return due;
}
