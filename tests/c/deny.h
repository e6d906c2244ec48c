/* SPDX-License-Identifier: MIT
 *
 * System calls that fail, by seccomp. */
#ifndef DENY_H
#define DENY_H

#include "test.h"

#include <linux/seccomp.h>
#include <stddef.h>

/** From here on, this system call of this process fails. Of ioctl(2) and socketcall(2), only this request fails. */
UNUSED static void deny_one(long call, unsigned request, unsigned number)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, request ? (unsigned)call : ~0U, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(call == SYS_ioctl)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, request, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | number),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

#endif
