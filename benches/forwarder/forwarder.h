/* SPDX-License-Identifier: MIT
 *
 * What the forwarders in C share: two devices, a thread for each direction, and an end by SIGTERM. */
#ifndef FORWARDER_H
#define FORWARDER_H

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Forwards from in[0] to out[0] and so on, for ever. */
typedef void *(*forward_function)(void *direction);

struct direction {
    void *in, *out;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/** Forwards both ways until SIGTERM, which ends the process. */
static void forward_both(void *first, void *second, forward_function forward)
{
    static struct direction directions[2];
    pthread_t thread;
    directions[0] = (struct direction){first, second};
    directions[1] = (struct direction){second, first};
    puts("ready");
    fflush(stdout);
    if (pthread_create(&thread, NULL, forward, &directions[1]) != 0)
        die("pthread_create");
    forward(&directions[0]);
}

#endif
