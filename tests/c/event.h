/* SPDX-License-Identifier: MIT
 *
 * Events of a tuntap_monitor for the tests. */
#ifndef EVENT_H
#define EVENT_H

#include "packet.h"

/** The event that take() or NEXT received last. */
UNUSED static tuntap_event event;

/** Waits for the next event of a monitor. Returns its kind. Without an event within 20 seconds the test fails. */
#define take(monitor) take_it(__FILE__, __LINE__, monitor)

UNUSED static uint32_t take_it(const char *file, int line, tuntap_monitor *monitor)
{
    memset(&event, 0x55, sizeof event);
    if (tuntap_monitor_next(monitor, &event, sizeof event, 20000, &err) != 0)
        fail(file, line, "no event", err.message);
    return event.kind;
}

/** The next event of the monitor has this kind, which is written without TUNTAP_EVENT_. */
#define NEXT(monitor, wanted) next_is(__FILE__, __LINE__, monitor, TUNTAP_EVENT_##wanted)

UNUSED static void next_is(const char *file, int line, tuntap_monitor *monitor, uint32_t kind)
{
    char text[500];
    if (take_it(file, line, monitor) == kind)
        return;
    snprintf(text, sizeof text, "%u instead of %u, of %s %s", (unsigned)event.kind, (unsigned)kind, event.name,
             event.addr);
    fail(file, line, "another event", text);
}

/** Like NEXT, and the event is about this device. */
#define NEXT_OF(monitor, wanted, name_)                                                            \
    do {                                                                                           \
        const char *of_ = (name_);                                                                 \
        NEXT(monitor, wanted);                                                                     \
        if (strcmp(event.name, of_) != 0)                                                          \
            fail(__FILE__, __LINE__, "an event of another device", event.name);                    \
    } while (0)

/** Like NEXT, and the event is about this address. */
#define NEXT_ADDR(monitor, wanted, text)                                                           \
    do {                                                                                           \
        NEXT(monitor, wanted);                                                                     \
        if (strcmp(event.addr, (text)) != 0)                                                       \
            fail(__FILE__, __LINE__, "another address", event.addr);                               \
    } while (0)

/** Like NEXT, and the event is about this route. */
#define NEXT_ROUTE(monitor, wanted, text)                                                          \
    do {                                                                                           \
        NEXT(monitor, wanted);                                                                     \
        if (strcmp(event.destination, (text)) != 0)                                                \
            fail(__FILE__, __LINE__, "another route", event.destination);                          \
    } while (0)

/** There is no event. The kernel announces a change before ip(8) exits, so the test need not wait. */
#define NO_EVENT(monitor)                                                                          \
    FAILS(tuntap_monitor_next(monitor, &event, sizeof event, 0, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT)

/** The event is about no device: everything but its kind is 0. */
UNUSED static int only_the_kind_is_set(void)
{
    tuntap_event empty;
    memset(&empty, 0, sizeof empty);
    empty.kind = event.kind;
    return memcmp(&event, &empty, sizeof event) == 0;
}

/** Takes the events up to TUNTAP_EVENT_COMPLETE. Returns the number of events before it. */
UNUSED static int take_present_state(tuntap_monitor *monitor)
{
    int count = 0;
    for (; take(monitor) != TUNTAP_EVENT_COMPLETE; count++)
        CHECK(event.kind == TUNTAP_EVENT_DEVICE || event.kind == TUNTAP_EVENT_ADDR_ADDED ||
              event.kind == TUNTAP_EVENT_ROUTE_ADDED);
    return count;
}

#endif
