/* SPDX-License-Identifier: MIT
 *
 * A failure with an unknown errno is reported as a failure with this number. The kernel has such numbers (ENOTSUPP,
 * 524, if the BPF JIT has no room), and seccomp can return any number up to 4095. */
#include "deny.h"

#include <signal.h>
#include <sys/syscall.h>

enum { UNKNOWN = 524, LARGEST = 4095 };

/** Variants of a system call that a C library may use instead: musl uses open(2), and glibc uses send(2) on ARM, and
 * socketcall(2), with the numbers of <linux/net.h>, on i386 and s390x. */
static const struct variant {
    long call, other;
    unsigned request;
} variants[] = {
#ifdef SYS_open
    {SYS_openat, SYS_open, 0},
#endif
#ifdef SYS_send
    {SYS_sendto, SYS_send, 0},
    {SYS_recvfrom, SYS_recv, 0},
#endif
#ifdef SYS_socketcall
    {SYS_socket, SYS_socketcall, 1},
    {SYS_sendto, SYS_socketcall, 9},
    {SYS_sendto, SYS_socketcall, 11},
    {SYS_recvfrom, SYS_socketcall, 10},
    {SYS_recvfrom, SYS_socketcall, 12},
#endif
    {-1, -1, 0},
};

/** Denies the system call and its variants. */
static void deny(long call, unsigned request, unsigned number)
{
    deny_one(call, request, number);
    for (const struct variant *variant = variants; variant->call >= 0; variant++)
        if (variant->call == call)
            deny_one(variant->other, variant->request, number);
}

/** The value of an output before a call. A failed call does not change it. */
static void *const untouched = (void *)&err;

static tuntap *dev;

static long open_device(void)
{
    tuntap *out = untouched;
    long result = tuntap_open("t0", TUNTAP_TUN, &out, &err);
    CHECK(out == untouched);
    return result;
}

static long take_over(void)
{
    tuntap *out = untouched;
    long result = tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW, &out, &err);
    CHECK(out == untouched);
    return result;
}

static long open_namespace(void)
{
    tuntap_config *config;
    CHECK(tuntap_config_new(&config, &err) == 0);
    return tuntap_config_set_netns(config, "/proc/self/ns/net", &err);
}

static long open_monitor(void)
{
    tuntap_monitor *out = untouched;
    long result = tuntap_monitor_open(NULL, 0, &out, &err);
    CHECK(out == untouched);
    return result;
}

static long set_filter(void)
{
    const struct sock_filter drop[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    return tuntap_set_filter_bpf(dev, drop, 1, &err);
}

static long get_sndbuf(void)
{
    uint32_t out = 42;
    long result = tuntap_get_sndbuf(dev, &out, &err);
    CHECK(out == 42);
    return result;
}

static long get_mtu(void)
{
    uint32_t out = 42;
    long result = tuntap_get_mtu(dev, &out, &err);
    CHECK(out == 42);
    return result;
}

static long set_owner(void)
{
    return tuntap_set_owner(dev, 0, &err);
}

static long set_carrier(void)
{
    return tuntap_set_carrier(dev, 0, &err);
}

static long set_mtu(void)
{
    return tuntap_set_mtu(dev, 1400, &err);
}

static long list_addrs(void)
{
    tuntap_addr out[1];
    return tuntap_list_addrs(dev, out, 1, sizeof *out, &err);
}

static const char packet[20] = {0x45};

static long write_packet(void)
{
    long result = tuntap_write(dev, packet, sizeof packet, &err);
    CHECK(tuntap_write(dev, packet, sizeof packet, NULL) == result);
    return result;
}

static long read_packet(void)
{
    char out[2000];
    long result = tuntap_read(dev, out, sizeof out, &err);
    CHECK(tuntap_read(dev, out, sizeof out, NULL) == result);
    return result;
}

static long wait_for_packet(void)
{
    char out[2000];
    return tuntap_read_timeout(dev, out, sizeof out, 10000, &err);
}

/** The action fails with this errno if the system call is denied. Runs in a child, because the filter stays. */
static void call_fails_with(long call, unsigned request, unsigned number, long (*action)(void))
{
    int status;
    pid_t parent = getpid(), child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char text[32];
        snprintf(text, sizeof text, "errno %u", number);
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent);
        memset(&err, 0x55, sizeof err);
        deny(call, request, number);
        long result = action();
        if (result != -(long)number || err.code != -(int)number || err.reason != TUNTAP_REASON_SYSTEM ||
            !strstr(err.message, text)) {
            fprintf(stderr, "returned %ld, code %d, reason %u: %.248s\n", result, (int)err.code,
                    (unsigned)err.reason, err.message);
            _exit(1);
        }
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "system call %ld, request %#x, errno %u: status %#x\n", call, request, number,
                (unsigned)status);
        exit(1);
    }
}

int main(void)
{
    if (run_as("valgrind"))
        return 0; /* Valgrind makes its own system calls, and reports descriptors that the child leaves open. */
    begin();
    OK(tuntap_open("here", TUNTAP_TAP, &dev, &err));
    IP("link set here addrgenmode none"); /* The kernel sends no packets through it. */
    OK(tuntap_up(dev, &err));
    call_fails_with(SYS_ioctl, TUNSETIFF, UNKNOWN, open_device);
    call_fails_with(SYS_ioctl, TUNSETIFF, LARGEST, open_device);
    call_fails_with(SYS_openat, 0, UNKNOWN, open_device);
    call_fails_with(SYS_socket, 0, UNKNOWN, open_device);
    call_fails_with(SYS_ioctl, TUNGETIFF, UNKNOWN, take_over);
    call_fails_with(SYS_openat, 0, UNKNOWN, open_namespace);
    call_fails_with(SYS_socket, 0, UNKNOWN, open_monitor);
    call_fails_with(SYS_ioctl, TUNATTACHFILTER, UNKNOWN, set_filter);
    call_fails_with(SYS_ioctl, TUNGETSNDBUF, UNKNOWN, get_sndbuf);
    call_fails_with(SYS_ioctl, TUNSETOWNER, UNKNOWN, set_owner);
    call_fails_with(SYS_ioctl, TUNSETCARRIER, UNKNOWN, set_carrier);
    call_fails_with(SYS_sendto, 0, UNKNOWN, get_mtu);
    call_fails_with(SYS_sendto, 0, UNKNOWN, set_mtu);
    call_fails_with(SYS_recvfrom, 0, UNKNOWN, set_mtu);
    call_fails_with(SYS_sendto, 0, UNKNOWN, list_addrs);
    call_fails_with(SYS_write, 0, UNKNOWN, write_packet);
    call_fails_with(SYS_readv, 0, UNKNOWN, read_packet);
    call_fails_with(SYS_eventfd2, 0, UNKNOWN, wait_for_packet);
    call_fails_with(SYS_ppoll, 0, UNKNOWN, wait_for_packet);
    tuntap_close(dev);
    IP_HAS_NOT("\"t0\"", "link show");
    return 0;
}
