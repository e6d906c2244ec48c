/* SPDX-License-Identifier: MIT
 *
 * Exceptions from the rules of faults.h, each with its cause. */
#ifndef ALLOWED_H
#define ALLOWED_H

#include "inject.h"

/** A call may fail with another code than the system call. 0 means any system call, request or error. */
struct allowed {
    int number;
    unsigned request;
    int error, code;
    const char *why;
};

/** Other steps that the message may name: steps that many calls do first. */
struct step {
    int number;
    unsigned request, netlink_type;
    const char *words;
};

static const struct allowed ALLOWED[] = {
    {0, 0, EPERM, EXDEV, "without the right to query or enter its namespace, the device is reported as elsewhere"},
    {SYS_capget, 0, 0, EXDEV, "capget cannot fail: without its answer, the caller counts as one without privilege"},
    {SYS_capget, 0, 0, EPERM, "likewise"},
    {SYS_clone3, 0, 0, ENOMEM, "pthread_create says EAGAIN whatever it is, which means here that there is no memory"},
};

static const struct step STEPS[] = {
    {SYS_ioctl, TUNGETIFF, 0, "query the state of the device|query the modes of|query the name of"},
    {SYS_ioctl, TUNGETDEVNETNS, 0, "query the namespace of"},
    {SYS_ioctl, TUNGETSNDBUF, 0, "query the send buffer of t0"},
    {0, 0, RTM_GETLINK, "query the state of"},
    {0, 0, RTM_GETADDR, "list the addresses of t0"},
    {0, 0, RTM_GETROUTE, "list the routes through t0"},
};

/** The text contains one of the phrases. */
static int has_one_of(const char *text, const char *phrases)
{
    while (phrases && *phrases) {
        char phrase[128];
        size_t length = strcspn(phrases, "|");
        snprintf(phrase, sizeof phrase, "%.*s", (int)length, phrases);
        if (strstr(text, phrase))
            return 1;
        phrases += length + (phrases[length] != 0);
    }
    return 0;
}

/** The message names the step, in the words of the scenario or in those of the system call. */
static int names_the_step(const struct call *call, const char *message, const char *words)
{
    if (has_one_of(message, words))
        return 1;
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
        const struct step *it = &STEPS[i];
        if ((it->number == 0 || it->number == call->number) && (it->request == 0 || it->request == call->request) &&
            (it->netlink_type == 0 || it->netlink_type == call->netlink_type) && has_one_of(message, it->words))
            return 1;
    }
    return 0;
}

static int is_allowed(const struct call *call, int error, long code)
{
    if (code == -error)
        return 1;
    for (size_t i = 0; i < sizeof ALLOWED / sizeof *ALLOWED; i++) {
        const struct allowed *it = &ALLOWED[i];
        if ((it->number == 0 || it->number == call->number) && (it->request == 0 || it->request == call->request) &&
            (it->error == 0 || it->error == error) && it->code == -code)
            return 1;
    }
    return 0;
}

/** The answer to a change was lost, so the caller cannot know whether the kernel made it. */
static int answer_was_lost(const struct call *call)
{
    if (call->number != SYS_recvfrom && call->number != SYS_recvmsg)
        return 0;
    switch (call->netlink_type) {
    case RTM_NEWLINK:
    case RTM_SETLINK:
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWRULE:
    case RTM_DELRULE:
        return 1;
    default:
        return 0;
    }
}

#endif
