/* SPDX-License-Identifier: MIT
 *
 * The clock of the benchmarks. */
#ifndef CLOCK_H
#define CLOCK_H

#include <time.h>

/** Nanoseconds since some moment. */
static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

#endif
