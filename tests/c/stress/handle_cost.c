/* SPDX-License-Identifier: MIT
 *
 * Counts what a handle costs: its descriptors after each step, and the system calls of the step. A process that traces
 * this one counts the system calls. */
#include "../packet.h"

#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/** These system calls mark the begin and the end of a step for the tracer. Nothing else in this program makes them. */
enum { BEGINS = SYS_getsid, ENDS = SYS_getpgid };

/** The steps, and the system calls that each may take. */
enum step { OPEN, ADDR, UP, WAIT, MTU, QUEUE, OFFLOAD, STEPS };
static const struct {
    const char *name;
    long most;
} STEP[] = {
    {"open", 9}, {"set_addr", 13}, {"up", 8}, {"the first wait", 6}, {"set_mtu after a wait", 12}, {"open_queue", 22},
    {"open with offload", 17},
};
/** The limit for the steps open, address and up together. */
enum { ALL_THREE = 30 };

static tuntap *dev, *queue;
static uint8_t buf[100];

static void calls_do_not_wait(void)
{
    FAILS(tuntap_read_timeout(dev, buf, sizeof buf, 0, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    tuntap_wake(dev);
    FAILS(tuntap_read_timeout(dev, buf, sizeof buf, -1, &err), ECANCELED, TUNTAP_REASON_WOKEN);
}

/** A handle has one descriptor, one more after it was configured, and one more after a wait. */
#define COSTS(step, descriptors_of_all, call)                        \
    do {                                                             \
        syscall(BEGINS);                                             \
        call;                                                        \
        syscall(ENDS, step);                                         \
        CHECK(descriptors() == before + (descriptors_of_all));       \
    } while (0)

static void use_a_handle(void)
{
    uint32_t number;
    /* The C library may make additional system calls the first time. */
    OK(tuntap_open("t1", TUNTAP_TUN, &dev, &err));
    OK(tuntap_get_index(dev, &number, &err));
    tuntap_close(dev);
    int before = descriptors();
    COSTS(OPEN, 1, OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err)));
    calls_do_not_wait();
    CHECK(descriptors() == before + 1);
    COSTS(ADDR, 2, OK(tuntap_set_addr(dev, "10.8.0.1/24", &err)));
    COSTS(UP, 2, OK(tuntap_up(dev, &err)));
    IP_HAS("10.8.0.1", "address show up dev t0");
    COSTS(WAIT, 2, FAILS(tuntap_read_timeout(dev, buf, sizeof buf, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT));
    COSTS(MTU, 2, OK(tuntap_set_mtu(dev, 1400, &err)));
    IP_HAS("\"mtu\":1400,", "link show t0");
    COSTS(QUEUE, 3, OK(tuntap_open_queue(dev, 0, &queue, &err)));
    FAILS(tuntap_read_timeout(queue, buf, sizeof buf, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    CHECK(descriptors() == before + 4);
    tuntap_close(queue);
    tuntap_close(dev);
    COSTS(OFFLOAD, 1, OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err)));
    tuntap_close(dev);
    CHECK(descriptors() == before);
}

static void is_within_its_limits(const long *counts)
{
    for (int i = 0; i < STEPS; i++) {
        printf("%s: %ld system calls\n", STEP[i].name, counts[i]);
        CHECK(counts[i] > 0 && counts[i] <= STEP[i].most);
    }
    CHECK(counts[OPEN] + counts[ADDR] + counts[UP] <= ALL_THREE);
}

/** The system call of mmap(2): on 32-bit processors it is mmap2, with an offset in pages. */
#ifdef SYS_mmap2
enum { MAP = SYS_mmap2 };
#else
enum { MAP = SYS_mmap };
#endif

/** System calls with which the C library allocates memory. */
static int is_memory(uint64_t number)
{
    return number == SYS_brk || number == MAP || number == SYS_munmap || number == SYS_mremap;
}

static int trace(pid_t child, int *status)
{
    CHECK(syscall(SYS_ptrace, PTRACE_SYSCALL, child, 0, 0) == 0);
    return waitpid(child, status, 0) == child && WIFSTOPPED(*status);
}

static void use_a_handle_traced(void)
{
    long counts[STEPS] = {0}, count = 0;
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) != 0)
            _exit(77);
        raise(SIGSTOP);
        use_a_handle();
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip("no process may be traced here");
    CHECK(WIFSTOPPED(status));
    CHECK(syscall(SYS_ptrace, PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
    while (trace(child, &status)) {
        struct ptrace_syscall_info info;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80))
            continue;
        if (syscall(SYS_ptrace, PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) <= 0)
            skip("PTRACE_GET_SYSCALL_INFO came with Linux 5.3");
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY || is_memory(info.entry.nr))
            continue;
        count = info.entry.nr == BEGINS ? 0 : count + 1;
        if (info.entry.nr == ENDS && info.entry.args[0] < STEPS)
            counts[info.entry.args[0]] = count - 1;
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    is_within_its_limits(counts);
}

/** Without a free descriptor, a pending wake still ends a call that would wait. */
static void without_a_free_descriptor_only_a_wait_fails(void)
{
    struct rlimit before, limit;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    limit = before;
    limit.rlim_cur = (rlim_t)tuntap_get_fd(dev, NULL) + 1;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    FAILS(tuntap_read_timeout(dev, buf, sizeof buf, 1, &err), EMFILE, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("read t0");
    MESSAGE_HAS("descriptor");
    FAILS(tuntap_up(dev, &err), EMFILE, TUNTAP_REASON_SYSTEM);
    calls_do_not_wait();
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    FAILS(tuntap_read_timeout(dev, buf, sizeof buf, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    tuntap_close(dev);
}

#ifdef __GLIBC__
enum { is_glibc = 1 };
#else
enum { is_glibc = 0 };
#endif

int main(void)
{
    begin();
    ipv4_only();
    /* musl makes other system calls, and on a slow processor some are interrupted. */
    if (run_as("plain") && is_glibc)
        use_a_handle_traced();
    else
        use_a_handle();
    without_a_free_descriptor_only_a_wait_fails();
    return 0;
}
