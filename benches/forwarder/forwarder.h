/* SPDX-License-Identifier: MIT
 *
 * Shared by the forwarders in C: two devices, a thread for each direction. SIGTERM ends the process. */
#ifndef FORWARDER_H
#define FORWARDER_H

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Forwards from in[0] to out[0] and so on, without end. */
typedef void *(*forward_function)(void *direction);

struct direction {
    void *in, *out;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/** Forwards in both directions until SIGTERM ends the process. */
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
