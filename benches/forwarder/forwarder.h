/* SPDX-License-Identifier: MIT
 *
 * Shared by the forwarders in C: two devices, a thread for each direction and queue. SIGTERM ends the process. */
#ifndef FORWARDER_H
#define FORWARDER_H

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
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

/** Forwards in all directions until SIGTERM ends the process, each in a thread of its own. */
static void forward_all(const struct direction *directions, size_t count, forward_function forward)
{
    pthread_t thread;
    puts("ready");
    fflush(stdout);
    for (size_t i = 1; i < count; i++)
        if (pthread_create(&thread, NULL, forward, (void *)(uintptr_t)&directions[i]) != 0)
            die("pthread_create");
    forward((void *)(uintptr_t)&directions[0]);
}

#endif
