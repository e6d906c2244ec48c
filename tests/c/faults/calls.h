/* SPDX-License-Identifier: MIT
 *
 * The functions of a scenario, each of one expression. */
#ifndef CALLS_H
#define CALLS_H

#include "faults.h"

/** What is made to fail. */
#define CALL(name, expression) \
    static long name(void)     \
    {                          \
        return expression;     \
    }

/** What makes it undone. */
#define UNDO(name, expression)                 \
    static void name(UNUSED long result)       \
    {                                          \
        OK(expression);                        \
    }

/** What comes before it. */
#define PREPARE(name, expression) \
    static void name(void)        \
    {                             \
        OK(expression);           \
    }

#endif
