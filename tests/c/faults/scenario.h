/* SPDX-License-Identifier: MIT
 *
 * A scenario, and the child that goes through it step by step. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "inject.h"
#include "../netns.h"

/** Left out of the picture, as a new device has another index each time, and a new TAP another MAC address. */
#define NEW_INDEX 1
#define NEW_MAC 2

struct scenario {
    const char *name;
    /** What the message may say the step is: phrases, separated by |. */
    const char *words;
    /** Once in each child; before each step; the call; and what makes it undone, which gets what it returned. */
    void (*begin)(void);
    void (*prepare)(void);
    long (*call)(void);
    void (*restore)(long result);
    /** Writes the part of its state that only the child knows. */
    void (*report)(char *text, size_t size);
    /** For the functions of several scenarios. */
    uint64_t flags;
    /** NEW_INDEX, NEW_MAC: when a device is made each time. */
    unsigned picture;
    /** The modes of a persistent device that nobody uses before the call. */
    int idle;
    /** By the process that looks on, before each step. */
    void (*set_up)(void);
    /** By the process that looks on, when the call waits. */
    void (*meanwhile)(struct injector *);
    /** A system call that is not made to fail, plus 1. */
    int skipped;
    /** The call is not made again after a failure, which did part of it. */
    int once;
    /** Milliseconds between two steps, where each frees a BPF program: the kernel frees those one by one. */
    unsigned pause;
};

/** Errnos that system calls fail with: each with two of them, in turn, or with TUNTAP_FAULTS=all with all. 524 is
 * ENOTSUPP, which the kernel's BPF answers with and no C library knows; 4000 is none, and as the kernel counts up to
 * 4095 it may be one some day. */
static const int ERRNOS[] = {EPERM, EINTR, ENOMEM, ENOBUFS, 524, 4000};
#define ERRNO_COUNT (sizeof ERRNOS / sizeof *ERRNOS)

static const struct scenario *current;
static int away_fd, here_sock, away_sock;

static void report(void)
{
    memset(shared->state, 0, sizeof shared->state);
    if (current->report)
        current->report(shared->state, sizeof shared->state);
}

/** The child. */
static void do_steps(void)
{
    current->begin();
    do {
        if (current->prepare)
            current->prepare();
        report();
        mark(BEFORE);
        int again;
        do {
            memset(&err, 0, sizeof err);
            shared->result = current->call();
            mark(CALLED);
            shared->err = err;
            report();
            again = (int)mark(AFTER);
        } while (again);
        if (current->restore)
            current->restore(shared->result);
        report();
    } while (mark(DONE));
}

#endif
