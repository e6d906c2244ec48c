/* SPDX-License-Identifier: MIT
 *
 * What every C test needs. A test is one main(): it begins with begin(), says with CHECK, OK and FAILS what
 * must hold, and returns 0. It ends with 1 at the first failure, and with 77 if the machine cannot run it. A test
 * looks at what the library did without the library: with ip(8), /proc or a raw socket. */
#ifndef TEST_H
#define TEST_H

#define _GNU_SOURCE
/* Must come first: musl declares struct ethhdr, and the kernel's headers then leave it out. */
#include <netinet/if_ether.h>

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tuntap.h>

#include "values.h"

#define UNUSED __attribute__((unused))

/** The error of the last call that OK or FAILS made. */
UNUSED static tuntap_error err;

UNUSED static void fail(const char *file, int line, const char *what, const char *more)
{
    fprintf(stderr, "%s:%d: %s%s%s\n", file, line, what, more[0] ? ": " : "", more);
    exit(1);
}

UNUSED static void skip(const char *reason)
{
    fprintf(stderr, "SKIP: %s\n", reason);
    exit(77);
}

/** How the test is run: "plain", "guest" on an emulated processor, or the name of a tool (tests/c/run.sh,
 * tests/guest). */
UNUSED static int run_as(const char *how)
{
    const char *given = getenv("TEST_HOW");
    return strcmp(given ? given : "plain", how) == 0;
}

/** Whether a tool such as valgrind runs the test, which needs more time and memory. */
UNUSED static int instrumented(void)
{
    return !run_as("plain") && !run_as("guest");
}

/** Whether the running kernel is at least this one, by uname(2). */
UNUSED static int kernel_is(unsigned major, unsigned minor)
{
    unsigned has_major, has_minor;
    struct utsname name;
    if (uname(&name) != 0 || sscanf(name.release, "%u.%u", &has_major, &has_minor) != 2)
        exit(1);
    return has_major > major || (has_major == major && has_minor >= minor);
}

/** Skips what is left of the test on an older kernel: `needs_kernel(6, 2, "super-packets of UDP")`. */
UNUSED static void needs_kernel(unsigned major, unsigned minor, const char *what)
{
    struct utsname name;
    if (kernel_is(major, minor))
        return;
    uname(&name);
    fprintf(stderr, "SKIP: %s: since Linux %u.%u, and this is %s; the rest was run\n", what, major, minor, name.release);
    exit(77);
}

/** The offset of the lower half of an argument, for a seccomp filter. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ARGUMENT(n) (offsetof(struct seccomp_data, args[n]) + 4)
#else
#define ARGUMENT(n) offsetof(struct seccomp_data, args[n])
#endif

/** The condition holds. */
#define CHECK(condition)                                   \
    do {                                                   \
        if (!(condition))                                  \
            fail(__FILE__, __LINE__, #condition, "");      \
    } while (0)

/** The call, whose last argument is &err, succeeds. */
#define OK(call)                                           \
    do {                                                   \
        memset(&err, 0, sizeof err);                       \
        if ((call) < 0)                                    \
            fail(__FILE__, __LINE__, #call, err.message);  \
    } while (0)

/** The call, whose last argument is &err, fails with this errno, this reason and a message. */
#define FAILS(call, number, why)                                                                \
    do {                                                                                        \
        char text_[512];                                                                        \
        memset(&err, 0x55, sizeof err);                                                         \
        long result_ = (long)(call);                                                            \
        snprintf(text_, sizeof text_, "returned %ld, code %d, reason %u (%s): %.248s", result_, \
                 (int)err.code, (unsigned)err.reason, tuntap_strreason(err.reason),             \
                 err.code == 0x55555555 ? "" : err.message);                                    \
        if (result_ != -(number) || err.code != -(number) || err.reason != (why) ||             \
            !memchr(err.message, 0, sizeof err.message) || err.message[0] == 0)                 \
            fail(__FILE__, __LINE__, #call, text_);                                             \
    } while (0)

/** The message of the last failure contains this text. */
#define MESSAGE_HAS(text)                                                  \
    do {                                                                   \
        if (!strstr(err.message, (text)))                                  \
            fail(__FILE__, __LINE__, "no \"" text "\" in", err.message);   \
    } while (0)

/** The output of a command, up to 64 KiB. The test fails if the command cannot be run. */
UNUSED static const char *output_of(const char *format, ...)
{
    static char text[65536];
    char command[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    FILE *pipe = popen(command, "r");
    CHECK(pipe);
    text[fread(text, 1, sizeof text - 1, pipe)] = 0;
    pclose(pipe);
    return text;
}

/** Runs `ip ARGUMENTS`, which succeeds. */
#define IP(...)                                                                     \
    do {                                                                            \
        char command_[400];                                                         \
        snprintf(command_, sizeof command_, __VA_ARGS__);                           \
        char line_[512];                                                            \
        snprintf(line_, sizeof line_, "ip %s 2>&1; echo $?", command_);             \
        const char *said_ = output_of("%s", line_);                                 \
        if (strcmp(said_, "0\n") != 0)                                              \
            fail(__FILE__, __LINE__, command_, said_);                              \
    } while (0)

/** The output of `ip -j -d ARGUMENTS` contains this text, or does not: `IP_HAS("\"mtu\":1400", "link show vpn0")`. */
#define IP_HAS(text, ...) IP_SAYS(1, text, __VA_ARGS__)
#define IP_HAS_NOT(text, ...) IP_SAYS(0, text, __VA_ARGS__)
#define IP_SAYS(wanted, text, ...) ip_says(__FILE__, __LINE__, wanted, text, __VA_ARGS__)

UNUSED static void ip_says(const char *file, int line, int wanted, const char *text, const char *format, ...)
{
    char arguments[400], what[500];
    va_list values;
    va_start(values, format);
    vsnprintf(arguments, sizeof arguments, format, values);
    va_end(values);
    const char *said = output_of("ip -j -d %s 2>&1", arguments);
    snprintf(what, sizeof what, "ip %s %s", wanted ? "does not say" : "says", text);
    if ((strstr(said, text) != NULL) != wanted)
        fail(file, line, what, said);
}

/** Like IP_SAYS, but waits: the kernel's link watch does some changes a moment later. */
#define IP_WILL_SAY(wanted, text, ...)                                                \
    do {                                                                              \
        for (int i_ = 0; i_ < 2000; i_++) {                                           \
            char arguments_[400];                                                     \
            snprintf(arguments_, sizeof arguments_, __VA_ARGS__);                     \
            if ((strstr(output_of("ip -j -d %s", arguments_), text) != NULL) == (wanted)) \
                break;                                                                \
            usleep(10000);                                                            \
        }                                                                             \
        IP_SAYS(wanted, text, __VA_ARGS__);                                           \
    } while (0)

/** Waits until the output of a command contains the text. */
UNUSED static void wait_for_output(const char *text, const char *command)
{
    for (int i = 0; i < 2000; i++) {
        if (strstr(output_of("%s", command), text))
            return;
        usleep(10000);
    }
    fail(__FILE__, __LINE__, command, text);
}

/** Waits for the local route of an IPv6 address. The kernel adds it a moment after ip(8) returned. */
UNUSED static void wait_for_local(const char *address)
{
    wait_for_output(address, "ip -6 route show table local");
}

/** Waits until a device that is up has no carrier. Linux 6.1 and older remove it a moment after the last close. */
UNUSED static void wait_for_no_carrier(const char *name)
{
    char command[64];
    snprintf(command, sizeof command, "ip link show %s", name);
    wait_for_output("NO-CARRIER", command);
}

/** Whether an interface of this name exists, by /proc/net/dev. */
UNUSED static int exists(const char *name)
{
    char needle[64];
    snprintf(needle, sizeof needle, "%s:", name);
    return strstr(output_of("cat /proc/net/dev"), needle) != NULL;
}

/** The number of open descriptors of this process. */
UNUSED static int descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    CHECK(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

UNUSED static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/** Whether begin() made a user namespace. Root has there no privilege that the kernel checks in the initial one. */
UNUSED static int in_user_namespace;

/** Moves this process into a new network namespace: as root, or as root of a new user namespace. */
UNUSED static void begin(void)
{
    char map[64];
    unsigned user = geteuid(), group = getegid();
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (user == 0) {
        if (unshare(CLONE_NEWNET) == 0)
            return;
        skip("root may not make a network namespace here (unshare: not permitted)");
    }
    if (access("/dev/net/tun", R_OK | W_OK) != 0)
        skip("this user may not read and write /dev/net/tun: run as root, or chmod 0666 it");
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        skip("no unprivileged user namespaces here: run as root");
    in_user_namespace = 1;
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", user);
    write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", group);
    write_file("/proc/self/gid_map", map);
}

/** Moves this process into a new mount namespace: its mounts are not visible outside. */
UNUSED static void begin_mounts(void)
{
    CHECK(unshare(CLONE_NEWNS) == 0);
    CHECK(mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) == 0);
}

/** Skips the rest of the test in a user namespace, because the rest needs other users. No handle may be open: a skip
 * would leak it. */
UNUSED static void needs_other_users(void)
{
    if (in_user_namespace)
        skip("what needs another user was not run: run as root");
}

/** Like begin(), for a test that continues as other users. As root, returns a new device node that every user may open,
 * even if the mode of /dev/net/tun forbids it. Otherwise returns NULL: call needs_other_users() before its use. */
UNUSED static const char *begin_with_users(void)
{
    static char node[64];
    begin();
    if (in_user_namespace)
        return NULL;
    begin_mounts();
    CHECK(mount("tmpfs", "/mnt", "tmpfs", 0, "mode=0755") == 0);
    snprintf(node, sizeof node, "/mnt/tun");
    if (mknod(node, S_IFCHR | 0666, makedev(10, 200)) != 0)
        skip("root may not make device nodes here");
    CHECK(chmod(node, 0666) == 0);
    return node;
}

/** Becomes a user without any privilege, permanently. */
UNUSED static void become(unsigned user, unsigned group)
{
    CHECK(setresgid(group, group, group) == 0);
    CHECK(setresuid(user, user, user) == 0);
}

/** Gives up all privileges, permanently. As root, the process becomes user 1234. A user namespace has no other user, so
 * there it only drops its capabilities. */
UNUSED static void drop_privileges(void)
{
    static struct __user_cap_data_struct none[2];
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    if (!in_user_namespace) {
        become(1234, 1234);
        return;
    }
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0); /* Otherwise ip(8) would regain them. */
    CHECK(syscall(SYS_capset, &header, none) == 0);
}

/** Runs the action in a child process as an unprivileged user. No handle may be open: the child would leak it. */
UNUSED static void as_user(unsigned user, unsigned group, void (*action)(void))
{
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        become(user, group);
        CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* Otherwise /proc/self belongs to root. */
        action();
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/** All interfaces as ip(8) shows them, and the number of descriptors of this process. The caller frees the text. */
UNUSED static char *snapshot(void)
{
    const char *links = output_of("ip -j -d link show");
    size_t size = strlen(links) + 32;
    char *result = malloc(size);
    CHECK(result);
    snprintf(result, size, "%d descriptors\n%s", descriptors(), links);
    return result;
}

/** The statement changes no interface and leaves no descriptor. */
#define UNCHANGED(statement)                                                                       \
    do {                                                                                           \
        char *before_ = snapshot();                                                                 \
        statement;                                                                                 \
        char *after_ = snapshot();                                                                  \
        if (strcmp(before_, after_) != 0) {                                                        \
            fprintf(stderr, "before: %s\n after: %s\n", before_, after_);                          \
            fail(__FILE__, __LINE__, "this changes something", #statement);                        \
        }                                                                                          \
        free(before_);                                                                             \
        free(after_);                                                                              \
    } while (0)

/** Creates or joins a device as a program without this library does. Returns its descriptor, or -1. */
UNUSED static int join_by_hand(const char *name, int flags)
{
    struct ifreq request = {.ifr_flags = (short)flags};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    if (ioctl(fd, TUNSETIFF, &request) == 0)
        return fd;
    close(fd);
    return -1;
}

/** Sets the filter of a TAP by hand. A 64-bit kernel accepts only its own sock_fprog, also from a 32-bit program. */
UNUSED static void filter_by_hand(int fd, const struct sock_filter *code, unsigned short length)
{
    static struct sock_fprog usual; /* with padding that is initialized */
    usual.len = length;
    usual.filter = (struct sock_filter *)code;
    struct {
        unsigned short length, padding[3];
        uint64_t code;
    } wide = {length, {0}, (uintptr_t)code};
    if (ioctl(fd, TUNATTACHFILTER, &usual) != 0)
        CHECK(ioctl(fd, _IOC(_IOC_WRITE, 'T', 213, sizeof wide), &wide) == 0);
}

/** The kernel's own flags of a queue: IFF_TUN, IFF_NO_PI, ... */
UNUSED static int flags_by_hand(int fd)
{
    struct ifreq request = {.ifr_flags = 0};
    CHECK(ioctl(fd, TUNGETIFF, &request) == 0);
    return (unsigned short)request.ifr_flags;
}

#endif
