/* SPDX-License-Identifier: MIT
 *
 * A seccomp filter that allows the system calls of docs/seccomp.md. Any other system call ends the process. */
#ifndef FILTER_H
#define FILTER_H

#include "test.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

/** What a program does: one row of the document's list each. */
enum purpose {
    OPENING = 1,
    CONFIGURING = 2,
    PACKETS = 4,
    MONITORS = 8,
    NAMESPACES = 16,
    OLDKERNELS = 32,
    ANYTHING = 63,
};

struct named_call {
    const char *name;
    unsigned number;
    unsigned purpose;
};

/** The documented system calls: tests/seccomp.sh writes calls.h from the document. */
static const struct named_call documented[] = {
#include "calls.h"
};

/** System calls of this program itself: it exits, uses two pipes, and prints. */
static const struct named_call used_by_the_test[] = {
    {"exit_group", SYS_exit_group, ANYTHING},
    {"read", SYS_read, ANYTHING},
    {"write", SYS_write, ANYTHING},
};

static struct sock_filter filter[512];
static unsigned short filter_length;

static void append(struct sock_filter instruction)
{
    CHECK(filter_length < sizeof filter / sizeof filter[0]);
    filter[filter_length++] = instruction;
}

/** Allows the system calls of the list for these purposes, except the one named `without`. */
static void allow(const struct named_call *calls, size_t count, unsigned purposes, const char *without)
{
    for (size_t i = 0; i < count; i++) {
        if (!(calls[i].purpose & purposes) || strcmp(calls[i].name, without) == 0)
            continue;
        append((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1));
        append((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
}

/** TUNGETDEVNETNS fails, as before Linux 5.4. */
static void simulate_old_kernel(void)
{
    append((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4));
    append((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])));
    append((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TUNGETDEVNETNS, 0, 1));
    append((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL));
    append((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
}

/** From here on, a system call that is not documented for these purposes, or is named `without`, ends this process. */
UNUSED static void enter_sandbox(unsigned purposes, const char *without)
{
    append((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
    append((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
    append((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    append((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    if (purposes != ANYTHING && purposes & OLDKERNELS)
        simulate_old_kernel();
    allow(documented, sizeof documented / sizeof documented[0], purposes, without);
    allow(used_by_the_test, sizeof used_by_the_test / sizeof used_by_the_test[0], purposes, without);
    append((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    struct sock_fprog program = {.len = filter_length, .filter = filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
}

#endif
