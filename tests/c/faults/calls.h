/* SPDX-License-Identifier: MIT
 *
 * Macros that define the functions of a scenario from one expression each. */
#ifndef CALLS_H
#define CALLS_H

#include "faults.h"

/** Defines the call under test. */
#define CALL(name, expression) \
    static long name(void)     \
    {                          \
        return expression;     \
    }

/** Defines the function that undoes the call. */
#define UNDO(name, expression)                 \
    static void name(UNUSED long result)       \
    {                                          \
        OK(expression);                        \
    }

/** Defines the function that runs before the call. */
#define PREPARE(name, expression) \
    static void name(void)        \
    {                             \
        OK(expression);           \
    }

#endif
