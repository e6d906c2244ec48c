/* SPDX-License-Identifier: MIT
 *
 * Makes any system call of a child fail, with any errno. The child has a seccomp filter that notifies this process of
 * each system call. This process, the supervisor, counts them, makes one fail, and lets the kernel run the others.
 *
 * The child reports its progress with a system call, mark(), which waits for the answer. So the child stands still
 * while the supervisor checks what it did. One child, with one filter, runs any number of steps. */
#ifndef INJECT_H
#define INJECT_H

#include "../test.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/** The greatest number of system calls in a step. */
#define MOST_CALLS 512
/** After this many milliseconds without a system call, a child counts as hanging. */
#define HANGS_AFTER 10000

/** Calls that are not made to fail: those that cannot fail, those that free something and whose result does not matter,
 * and those that allocate memory, which has its own test. */
static const int NEVER[] = {
    SYS_brk, SYS_clock_nanosleep, SYS_close, SYS_exit, SYS_exit_group, SYS_futex, SYS_getpid, SYS_gettid, SYS_madvise,
    SYS_mmap, SYS_mprotect, SYS_mremap, SYS_munmap, SYS_restart_syscall, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_sched_yield, SYS_set_robust_list, SYS_tgkill,
#ifdef SYS_rseq
    SYS_rseq,
#endif
};
#define NEVER_COUNT (sizeof NEVER / sizeof *NEVER)

/** A system call, with the request of an ioctl, or with the type of the netlink message that was sent last. */
struct call {
    int number;
    unsigned request, netlink_type;
};

/** The marks of a child. */
enum mark { BEFORE = 1, CALLED, AFTER, DONE };

struct injector {
    pid_t child;
    int listener;
    /** The number of the system call that fails, from 1, and its errno. 0: none fails. */
    unsigned nth;
    int error;
    /** A system call that this scenario never makes fail. */
    int skipped;
    /** The system calls of the present step. */
    int counting;
    unsigned count, netlink_type;
    struct call calls[MOST_CALLS];
    /** The notification of the mark that waits for its answer. */
    uint64_t waiting;
    /** Runs a moment after the child starts to wait, once per call. */
    void (*meanwhile)(struct injector *);
    int meanwhile_done;
};

#define MARK_MAGIC 0x7a70

/** In the child: reports a mark, and waits for the answer. */
UNUSED static long mark(enum mark where)
{
    return syscall(SYS_getpgid, MARK_MAGIC, where);
}

/** Memory that the child and its supervisor share. */
struct shared {
    /** The filter's descriptor in the child, plus 1, and whether the supervisor has copied it. */
    volatile int listener, taken;
    long result;
    tuntap_error err;
    /** The part of the state that only the child knows. */
    char state[256];
};
static struct shared *shared;

/** In the child: from here on the supervisor is notified of its system calls. */
static void install_filter(void)
{
    struct sock_filter code[NEVER_COUNT + 3];
    size_t at = 0;
    code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < NEVER_COUNT; i++, at++)
        code[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)NEVER[i],
                                                (uint8_t)(NEVER_COUNT - i), 0);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short)at, code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    shared->listener = fd < 0 ? -1 : fd + 1;
    if (fd < 0)
        _exit(77);
    while (!shared->taken)
        sched_yield();
    close(fd);
}

/** Copies a descriptor of the child. */
static int descriptor_of(pid_t child, int fd)
{
    int process = (int)syscall(SYS_pidfd_open, child, 0), copy = -1;
    if (process >= 0)
        copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
    close(process);
    return copy;
}

/** Starts a child, which runs the action under the filter and exits. It is killed if its parent exits. */
static void start(struct injector *it, void (*action)(void))
{
    memset(shared, 0, sizeof *shared);
    memset(it, 0, sizeof *it);
    fflush(NULL);
    pid_t parent = getpid();
    it->child = fork();
    CHECK(it->child >= 0);
    if (it->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        install_filter();
        action();
        _exit(0);
    }
    while (shared->listener == 0)
        sched_yield();
    if (shared->listener < 0)
        skip("no seccomp filter with a listener here: Linux 5.0");
    it->listener = descriptor_of(it->child, shared->listener - 1);
    if (it->listener < 0)
        skip("no pidfd_getfd here: Linux 5.6");
    shared->taken = 1;
}

/** Kills the child. Returns its wait status. */
static int end(struct injector *it)
{
    int status = 0;
    kill(it->child, SIGKILL);
    CHECK(waitpid(it->child, &status, 0) == it->child);
    close(it->listener);
    return status;
}

/** Answers the waiting mark. */
static void answer(struct injector *it, int64_t value)
{
    struct seccomp_notif_resp response = {.id = it->waiting, .val = value};
    ioctl(it->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    it->waiting = 0;
}

/** The type of the netlink message that the child is about to send, or 0. */
static unsigned netlink_type_of(const struct seccomp_notif *seen)
{
    struct nlmsghdr header = {0};
    struct iovec here = {&header, sizeof header}, there = {(void *)(uintptr_t)seen->data.args[1], sizeof header};
    if (seen->data.nr != SYS_sendto || process_vm_readv((pid_t)seen->pid, &here, 1, &there, 1, 0) < 0)
        return 0;
    return header.nlmsg_type;
}

/** Counts a system call, and decides whether it fails. */
static int fails(struct injector *it, const struct seccomp_notif *seen)
{
    struct call call = {.number = seen->data.nr};
    if (!it->counting || call.number == it->skipped)
        return 0;
    if (call.number == SYS_ioctl)
        call.request = (unsigned)seen->data.args[1];
    unsigned netlink_type = netlink_type_of(seen);
    it->netlink_type = netlink_type ? netlink_type : it->netlink_type;
    call.netlink_type = call.number == SYS_sendto || call.number == SYS_recvfrom ? it->netlink_type : 0;
    if (it->count < MOST_CALLS)
        it->calls[it->count] = call;
    return ++it->count == it->nth;
}

/** Serves the child up to its next mark, which then waits. Returns the mark, 0 if the child is dead, or -1 if it
 * hangs. */
static int next_mark(struct injector *it)
{
    for (;;) {
        struct pollfd listener = {.fd = it->listener, .events = POLLIN};
        struct seccomp_notif seen = {0};
        int ready = poll(&listener, 1, HANGS_AFTER);
        if (ready == 0)
            return -1;
        if (ready > 0 && !(listener.revents & POLLIN))
            return 0;
        if (ready < 0 || ioctl(it->listener, SECCOMP_IOCTL_NOTIF_RECV, &seen) != 0)
            continue;
        if (seen.data.nr == SYS_getpgid && seen.data.args[0] == MARK_MAGIC) {
            it->waiting = seen.id;
            return (int)seen.data.args[1];
        }
        struct seccomp_notif_resp response = {.id = seen.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        if (fails(it, &seen))
            response = (struct seccomp_notif_resp){.id = seen.id, .error = -it->error};
        ioctl(it->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
        if (seen.data.nr == SYS_ppoll && response.error == 0 && it->meanwhile && !it->meanwhile_done) {
            it->meanwhile_done = 1;
            poll(NULL, 0, 5);
            it->meanwhile(it);
        }
    }
}

/** Starts to count system calls. The nth fails with this error. */
static void begin_step(struct injector *it, unsigned nth, int error)
{
    it->nth = nth;
    it->error = error;
    it->count = it->netlink_type = 0;
    it->counting = 1;
    it->meanwhile_done = 0;
}

struct named {
    unsigned number;
    const char *name;
};

static const char *name_in(const struct named *names, size_t count, unsigned number)
{
    static char text[32];
    for (size_t i = 0; i < count; i++)
        if (names[i].number == number)
            return names[i].name;
    snprintf(text, sizeof text, "%u", number);
    return text;
}
#define NAME_IN(names, number) name_in(names, sizeof names / sizeof *names, number)

static const char *call_name(const struct call *call)
{
#define SYSTEM_CALL(name) {SYS_##name, #name}
    static const struct named calls[] = {
        SYSTEM_CALL(capget), SYSTEM_CALL(clone), SYSTEM_CALL(clone3), SYSTEM_CALL(eventfd2), SYSTEM_CALL(fcntl),
        SYSTEM_CALL(fstat), SYSTEM_CALL(getrandom), SYSTEM_CALL(getsockname), SYSTEM_CALL(ioctl),
        SYSTEM_CALL(newfstatat), SYSTEM_CALL(openat), SYSTEM_CALL(ppoll), SYSTEM_CALL(read), SYSTEM_CALL(readlink),
        SYSTEM_CALL(readv), SYSTEM_CALL(recvfrom), SYSTEM_CALL(recvmsg), SYSTEM_CALL(sendto), SYSTEM_CALL(setns),
        SYSTEM_CALL(setsockopt), SYSTEM_CALL(socket), SYSTEM_CALL(statx), SYSTEM_CALL(write), SYSTEM_CALL(writev),
    };
    static const struct named requests[] = {
        {TUNSETIFF, "TUNSETIFF"}, {TUNGETIFF, "TUNGETIFF"}, {TUNSETQUEUE, "TUNSETQUEUE"},
        {TUNSETPERSIST, "TUNSETPERSIST"}, {TUNSETOWNER, "TUNSETOWNER"}, {TUNSETGROUP, "TUNSETGROUP"},
        {TUNSETCARRIER, "TUNSETCARRIER"}, {TUNGETSNDBUF, "TUNGETSNDBUF"}, {TUNSETSNDBUF, "TUNSETSNDBUF"},
        {TUNGETDEVNETNS, "TUNGETDEVNETNS"}, {TUNSETSTEERINGEBPF, "TUNSETSTEERINGEBPF"},
        {TUNSETFILTEREBPF, "TUNSETFILTEREBPF"}, {TUNATTACHFILTER, "TUNATTACHFILTER"},
        {TUNDETACHFILTER, "TUNDETACHFILTER"}, {TUNGETFILTER, "TUNGETFILTER"}, {TUNSETTXFILTER, "TUNSETTXFILTER"},
        {TUNSETOFFLOAD, "TUNSETOFFLOAD"}, {TUNGETVNETHDRSZ, "TUNGETVNETHDRSZ"}, {TUNSETVNETHDRSZ, "TUNSETVNETHDRSZ"},
        {TUNGETVNETLE, "TUNGETVNETLE"}, {TUNSETVNETLE, "TUNSETVNETLE"}, {TUNGETVNETBE, "TUNGETVNETBE"},
        {TUNSETVNETBE, "TUNSETVNETBE"}, {TUNGETFEATURES, "TUNGETFEATURES"}, {0x8927, "SIOCGIFHWADDR"}, {0x8946, "SIOCETHTOOL"},
        {0xb703, "NS_GET_NSTYPE"},
    };
    static const struct named types[] = {
        {RTM_NEWLINK, "RTM_NEWLINK"}, {RTM_DELLINK, "RTM_DELLINK"}, {RTM_GETLINK, "RTM_GETLINK"},
        {RTM_SETLINK, "RTM_SETLINK"}, {RTM_NEWADDR, "RTM_NEWADDR"}, {RTM_DELADDR, "RTM_DELADDR"},
        {RTM_GETADDR, "RTM_GETADDR"}, {RTM_NEWROUTE, "RTM_NEWROUTE"}, {RTM_DELROUTE, "RTM_DELROUTE"},
        {RTM_GETROUTE, "RTM_GETROUTE"},
    };
    static char text[96];
    size_t length = (size_t)snprintf(text, sizeof text, "%s", NAME_IN(calls, (unsigned)call->number));
    if (call->request)
        snprintf(text + length, sizeof text - length, " %s", NAME_IN(requests, call->request));
    else if (call->netlink_type)
        snprintf(text + length, sizeof text - length, " %s", NAME_IN(types, call->netlink_type));
    return text;
}

#endif
