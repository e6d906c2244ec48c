/* SPDX-License-Identifier: MIT
 *
 * Macros that print and make a call of the library, and the variables of all files. */
#ifndef CALL_H
#define CALL_H

#include "filter.h"
#include "netns.h"
#include "steering.h"

/** Prints a call. Does not use stdio, which makes other system calls. */
#define SAY(call) CHECK(write(1, #call "\n", sizeof #call) == sizeof #call)

/** The library's call, whose last argument is &err, succeeds. */
#define CALL(call)   \
    do {             \
        SAY(call);   \
        OK(call);    \
    } while (0)

/** A call that cannot fail. */
#define DO(call)      \
    do {              \
        SAY(call);    \
        (void)(call); \
    } while (0)

static const struct sock_filter all_packets_pass[] = {BPF_STMT(BPF_RET | BPF_K, 0xffffffff)};
static tuntap *dev, *offloading, *tap;
static int to_parent[2], from_parent[2];
static int elsewhere, steering, counting;
static char elsewhere_path[64], text[256];
static uint8_t buf[70000];

/** The parent sends a packet out through t0 or s0, or changes t0. */
enum request { PACKET_OF_T0 = 'p', PACKET_OF_S0 = 's', CHANGE = 'c' };

static void ask_for(enum request request)
{
    char what = (char)request, done;
    CHECK(write(to_parent[1], &what, 1) == 1);
    CHECK(read(from_parent[0], &done, 1) == 1);
}

#endif
