/* SPDX-License-Identifier: MIT
 *
 * A scenario, and the child that runs its steps. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "inject.h"
#include "../netns.h"

/** Left out of the snapshot: a new device has another index each time, and a new TAP another MAC address. */
#define NEW_INDEX 1
#define NEW_MAC 2

struct scenario {
    const char *name;
    /** The message of a failure must contain one of these phrases, which are separated by |. */
    const char *words;
    /** Runs once in each child; before each step; the call; and what undoes the call, with the result of the call. */
    void (*begin)(void);
    void (*prepare)(void);
    long (*call)(void);
    void (*restore)(long result);
    /** Writes the part of the state that only the child knows. */
    void (*report)(char *text, size_t size);
    /** The open flags, for functions that several scenarios share. */
    uint64_t flags;
    /** NEW_INDEX and NEW_MAC, if each step makes a new device. */
    unsigned ignored;
    /** The modes of a persistent device that nobody uses before the call. */
    int idle;
    /** The supervisor runs it before each step. */
    void (*set_up)(void);
    /** The supervisor runs it while the call waits. */
    void (*meanwhile)(struct injector *);
    /** A system call that is not made to fail, plus 1. */
    int skipped;
    /** The call is not repeated after a failure, because it did part of its work. */
    int once;
    /** Milliseconds between two steps that free a BPF program: the kernel frees BPF programs one by one. */
    unsigned pause;
};

/** The errnos. Each system call fails with two of them, or with TUNTAP_FAULTS=all with all. 524 is ENOTSUPP: the
 * kernel's BPF returns it, and no C library knows it. 4000 is not assigned, but a later kernel may use any number up to
 * 4095. */
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

/** In the child: runs the steps. */
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
