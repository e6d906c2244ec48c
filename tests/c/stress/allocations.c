/* SPDX-License-Identifier: MIT
 *
 * Makes each allocation of a call fail in turn, alone or together with all later ones. The call then succeeds, or fails
 * with -ENOMEM and changes nothing. It never ends the process, and a repeated call succeeds. */
#include "test.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>

/* Here malloc is not the one of glibc. */
#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
int main(void)
{
    return 0;
}
#else

/** The number of the allocation that fails, from 0. If it is negative, none fails. */
static long fail_at = -1, allocations;
static int and_later;
static size_t last_size;

/** Whether this allocation fails. */
static int fails_now(size_t size)
{
    if (fail_at < 0)
        return 0;
    long number = __atomic_fetch_add(&allocations, 1, __ATOMIC_SEQ_CST);
    if (number != fail_at && !(and_later && number > fail_at))
        return 0;
    last_size = size;
    errno = ENOMEM;
    return 1;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    return fails_now(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails_now(count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails_now(size) ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails_now(size) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (fails_now(size))
        return ENOMEM;
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

static tuntap *dev, *tap;
static char text[300];
static unsigned char frame[60] = {2}, packet[60] = {0x45, 0, 0, 60, 0, 0, 0, 0, 64, 0xfd};

/** Whether a call that failed for lack of memory must be repeated. */
static int must_repeat(long result)
{
    return result == -ENOMEM && fail_at >= 0 && !and_later;
}

static long open_tun(void)
{
    tuntap *out = NULL;
    long result = tuntap_open("t0", TUNTAP_TUN, &out, &err);
    CHECK((result == 0) == (out != NULL));
    tuntap_close(out);
    return result;
}

static long open_tap(void)
{
    tuntap *out = NULL;
    long result = tuntap_open("t%d", TUNTAP_TAP | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE, &out, &err);
    if (result == 0)
        tuntap_close(out);
    return result;
}

static long open_existing(void)
{
    tuntap *out = NULL;
    long result = tuntap_open("kept", TUNTAP_TAP | TUNTAP_EXISTING, &out, &err);
    if (result == 0)
        tuntap_close(out);
    return result;
}

/** An open that must fail reports the cause, even without memory. */
static long open_taken(void)
{
    tuntap *out;
    long result = tuntap_open("here", TUNTAP_TUN, &out, &err);
    CHECK(result < 0 && err.code == result && err.message[0]);
    return result == -ENOMEM ? result : 0;
}

static long open_misnamed(void)
{
    tuntap *out;
    long result = tuntap_open("a\nb/c", TUNTAP_TUN, &out, &err);
    CHECK(result == -ENOMEM || (result == -EINVAL && err.reason == TUNTAP_REASON_NAME));
    return result == -ENOMEM ? result : 0;
}

static long open_queue(void)
{
    tuntap *out = NULL;
    long result = tuntap_open_queue(dev, 0, &out, &err);
    if (result == 0)
        tuntap_close(out);
    return result;
}

static long open_fd(void)
{
    tuntap *out = NULL;
    long result = tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW, &out, &err);
    if (result == 0)
        tuntap_close(out);
    return result;
}

/** If the call fails, the caller still owns the descriptor. */
static long take_over(void)
{
    tuntap *out = NULL;
    int fd = fcntl(tuntap_get_fd(tap, NULL), F_DUPFD_CLOEXEC, 0);
    CHECK(fd >= 0);
    long result = tuntap_open_fd(fd, 0, &out, &err);
    if (result == 0)
        tuntap_close(out);
    else
        CHECK(close(fd) == 0);
    return result;
}

static long open_persistent(void)
{
    tuntap *out = NULL;
    long result = tuntap_open("t0", TUNTAP_TUN | TUNTAP_PERSIST, &out, &err);
    if (result == 0) {
        CHECK(tuntap_set_persist(out, 0, NULL) == 0);
        tuntap_close(out);
    }
    return result;
}

static tuntap_config *config;

static long configure(void)
{
    static char node[400];
    tuntap_config *made = NULL;
    long result = tuntap_config_new(&made, &err);
    /* A path relative to /dev, which the library makes absolute. */
    for (size_t i = 0; i + 10 <= sizeof node; i += 2)
        memcpy(node + i, "./net/tun", 10);
    (void)(result || (result = tuntap_config_set_node(made, node, &err)) ||
           (result = tuntap_config_set_netns(made, "/proc/self/ns/net", &err)) ||
           (result = tuntap_config_set_mtu(made, 1400, &err)) ||
           (result = tuntap_config_set_owner(made, 0, &err)) ||
           (result = tuntap_config_set_group(made, 0, &err)) ||
           (result = tuntap_config_set_alias(made, "an alias", &err)) ||
           (result = tuntap_config_set_txqueuelen(made, 700, &err)) ||
           (result = tuntap_config_set_sndbuf(made, 100000, &err)) ||
           (result = tuntap_config_set_vnet_hdr_size(made, 20, &err)) ||
           (result = tuntap_config_set_vnet_endian(made, TUNTAP_ENDIAN_NATIVE, &err)) ||
           (result = config_add_addr(made, "10.1.0.1/24", NULL, 0, &err)) ||
           (result = config_add_addr(made, "fd00::1/64", NULL, 0, &err)) ||
           (result = config_add_route(made, "10.2.0.0/16", NULL, 0, 0, &err)) ||
           (result = tuntap_config_set_up(made, 1, &err)));
    tuntap_config_free(result == 0 ? config : made);
    if (result == 0)
        config = made;
    return result;
}

static long open_config(void)
{
    tuntap *out = NULL;
    long result = tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, config, &out, &err);
    tuntap_close(out);
    return result;
}

static long get_texts(void)
{
    long result;
    (void)((result = tuntap_get_name(dev, text, sizeof text, &err)) ||
           (result = tuntap_get_alias(dev, text, sizeof text, &err)) ||
           (result = tuntap_get_addr(dev, text, sizeof text, &err)) ||
           (result = tuntap_get_netmask(dev, text, sizeof text, &err)));
    return result;
}

static long get_numbers(void)
{
    uint32_t number;
    uint64_t bits;
    uint8_t mac[6];
    tuntap_stats stats;
    long result;
    (void)((result = tuntap_get_mtu(dev, &number, &err)) || (result = tuntap_get_mac(tap, mac, &err)) ||
           (result = tuntap_get_stats(dev, &stats, sizeof stats, &err)) ||
           (result = tuntap_get_flags(dev, &bits, &err)) || (result = tuntap_get_offloads(tap, &bits, &err)));
    return result;
}

static long list_addrs(void)
{
    tuntap_addr out[8];
    long result = tuntap_list_addrs(dev, out, 8, sizeof *out, &err);
    CHECK(result < 0 || result >= 2);
    return result;
}

static long list_routes(void)
{
    tuntap_route out[8];
    long result = tuntap_list_routes(dev, out, 8, sizeof *out, &err);
    CHECK(result < 0 || result >= 2);
    return result;
}

/** Changes the alias and back, so that a success changes nothing. */
static long change_link(void)
{
    long result;
    (void)((result = tuntap_set_alias(dev, "another", &err)) || (result = tuntap_set_alias(dev, "alias", &err)));
    if (result == 0)
        result = tuntap_set_mtu(dev, 1300, &err);
    if (result == 0)
        result = tuntap_set_txqueuelen(dev, 600, &err);
    return result;
}

static long rename_it(void)
{
    return tuntap_set_name(dev, "here", &err);
}

static long set_owner(void)
{
    return tuntap_set_owner(dev, 0, &err);
}

static long set_tx_filter(void)
{
    static const uint8_t macs[3][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 3}};
    return tuntap_set_filter_mac(tap, macs[0], 3, 0, &err);
}

static long set_addr(void)
{
    return tuntap_set_addr(dev, "10.7.0.9/24", &err);
}

/** Restores the addresses, and the route that the kernel removed with the last of them. */
static long restore_addrs(void)
{
    return tuntap_set_addr(dev, "10.7.0.1/24", &err) < 0 || add_addr(dev, "10.7.0.2/24", NULL, 0, &err) < 0 ||
           add_route(dev, "10.8.0.0/16", NULL, 0, 0, &err) < 0;
}

static long add_third_addr(void)
{
    return add_addr(dev, "10.7.0.3/24", NULL, 0, &err);
}

static long del_third_addr(void)
{
    return del_addr(dev, "10.7.0.3", NULL, &err);
}

/** Removes the first address, with which the kernel removes the second. */
static long del_first_addr(void)
{
    return del_addr(dev, "10.7.0.1", NULL, &err);
}

static long add_second_route(void)
{
    return add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err);
}

static long del_second_route(void)
{
    return del_route(dev, "10.9.0.0/16", NULL, 0, 0, &err);
}

static long del_first_route(void)
{
    return del_route(dev, "10.8.0.0/16", NULL, 0, 0, &err);
}

static long add_first_route(void)
{
    return add_route(dev, "10.8.0.0/16", NULL, 0, 0, &err);
}

static long follow_netns(void)
{
    uint32_t mtu;
    long result = tuntap_set_netns(dev, "/proc/self/ns/net", &err);
    return result == 0 ? tuntap_get_mtu(dev, &mtu, &err) : result;
}

static long monitor(void)
{
    tuntap_monitor *it = NULL;
    tuntap_event event;
    int devices = 0;
    long result = tuntap_monitor_open(NULL, 0, &it, &err);
    while (result == 0) {
        do
            result = tuntap_monitor_next(it, &event, sizeof event, 10000, &err);
        while (must_repeat(result));
        if (result < 0 || event.kind == TUNTAP_EVENT_COMPLETE)
            break;
        devices += event.kind == TUNTAP_EVENT_DEVICE;
    }
    CHECK(result < 0 || devices >= 3);
    tuntap_monitor_close(it);
    return result;
}

static long batches(void)
{
    tuntap_packet out[4];
    tuntap_reader *reader = NULL;
    tuntap_writer *writer = NULL;
    long result = tuntap_reader_new(tap, 0, &reader, &err);
    if (result == 0)
        result = tuntap_writer_new(tap, 0, &writer, &err);
    if (result == 0) {
        do
            result = tuntap_writer_put(writer, frame, sizeof frame, &err);
        while (must_repeat(result));
        do
            result = result < 0 ? result : tuntap_writer_flush(writer, &err);
        while (must_repeat(result));
        long taken = tuntap_reader_batch(reader, out, 4, sizeof *out, &err);
        CHECK(taken >= 0 || taken == -EAGAIN || taken == -ENOMEM);
    }
    tuntap_reader_free(reader);
    tuntap_writer_free(writer);
    return result;
}

static long split_and_join(void)
{
    tuntap_vnet_hdr hdr = {0};
    tuntap_splitter *splitter = NULL;
    tuntap_joiner *joiner = NULL;
    void *joined;
    void *part;
    long result = tuntap_splitter_new(TUNTAP_TUN, &splitter, &err);
    if (result == 0)
        result = tuntap_joiner_new(TUNTAP_TUN, &joiner, &err);
    if (result == 0)
        result = tuntap_splitter_begin(splitter, &hdr, sizeof hdr, packet, 60, &err);
    if (result == 0)
        CHECK(tuntap_splitter_next(splitter, &part, NULL) == 60);
    if (result == 0)
        result = tuntap_joiner_put(joiner, packet, 60, &err);
    if (result == 0)
        CHECK(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &joined, NULL) == 60);
    tuntap_splitter_free(splitter);
    tuntap_joiner_free(joiner);
    return result;
}

/** A call, and what undoes its success. */
static const struct action {
    const char *name;
    long (*run)(void);
    long (*undo)(void);
} actions[] = {
    {"open_tun", open_tun, NULL},
    {"open_tap", open_tap, NULL},
    {"open_existing", open_existing, NULL},
    {"open_taken", open_taken, NULL},
    {"open_misnamed", open_misnamed, NULL},
    {"open_queue", open_queue, NULL},
    {"open_fd", open_fd, NULL},
    {"take_over", take_over, NULL},
    {"open_persistent", open_persistent, NULL},
    {"configure", configure, NULL},
    {"open_config", open_config, NULL},
    {"get_texts", get_texts, NULL},
    {"get_numbers", get_numbers, NULL},
    {"list_addrs", list_addrs, NULL},
    {"list_routes", list_routes, NULL},
    {"change_link", change_link, NULL},
    {"rename_it", rename_it, NULL},
    {"set_owner", set_owner, NULL},
    {"set_tx_filter", set_tx_filter, NULL},
    {"set_addr", set_addr, restore_addrs},
    {"add_addr", add_third_addr, del_third_addr},
    {"del_addr", del_first_addr, restore_addrs},
    {"add_route", add_second_route, del_second_route},
    {"del_route", del_first_route, add_first_route},
    {"follow_netns", follow_netns, NULL},
    {"monitor", monitor, NULL},
    {"batches", batches, NULL},
    {"in_memory", split_and_join, NULL},
};

/** Reads the devices, addresses and routes that the kernel lists, and the open descriptors, without any allocation. */
static void read_state(char *state, size_t size)
{
    static const char *const files[] = {"/proc/self/net/dev", "/proc/self/net/if_inet6", "/proc/self/net/route",
                                        "/proc/self/net/fib_trie"};
    size_t used = 0;
    memset(state, 0, size);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int fd = open(files[i], O_RDONLY | O_CLOEXEC);
        ssize_t got;
        CHECK(fd >= 0);
        while ((got = read(fd, state + used, size - 1 - used)) > 0)
            used += (size_t)got;
        close(fd);
        /* Only the names of the devices, because the counters change. */
        if (i == 0) {
            size_t kept = 0;
            for (char *line = strtok(state, "\n"); line; line = strtok(NULL, "\n")) {
                size_t name = strcspn(line, ":");
                memmove(state + kept, line, name);
                kept += name;
            }
            memset(state + kept, 0, size - kept);
            used = kept;
        }
    }
    for (int fd = 0; fd < 64; fd++)
        state[used++] = fcntl(fd, F_GETFD) >= 0 ? '1' : '0';
}

enum { PASSED = 0, NOT_REACHED = 3 };

/** In a child: runs the action with a failing allocation `number`, and then again without a failure. */
static int attempt(const struct action *action, long number, int later)
{
    static char before[65536], after[65536];
    read_state(before, sizeof before);
    memset(&err, 0, sizeof err);
    allocations = 0, and_later = later, fail_at = number;
    long result = action->run();
    fail_at = -1;
    if (allocations <= number) {
        if (action->undo)
            action->undo();
        return result < 0 ? 1 : NOT_REACHED;
    }
    read_state(after, sizeof after);
    if (result < 0 && (result != -ENOMEM || err.code != -ENOMEM || err.reason != TUNTAP_REASON_SYSTEM ||
                       !err.message[0])) {
        fprintf(stderr, "returned %ld, code %d, reason %u: %.248s\n", result, (int)err.code, (unsigned)err.reason,
                err.message);
        return 1;
    }
    /* Without any memory, a call of several steps cannot undo its changes. */
    int must_be_unchanged = !later || !action->undo;
    if (result < 0 && must_be_unchanged && memcmp(before, after, sizeof before) != 0) {
        fprintf(stderr, "before: %s\nafter: %s\n", before, after);
        return 1;
    }
    if (action->undo && (result >= 0 || !must_be_unchanged))
        action->undo();
    result = action->run();
    if (result < 0)
        fprintf(stderr, "again: returned %ld: %.248s\n", result, err.message);
    return result < 0 || (action->undo && action->undo() != 0);
}

/** The result of an attempt, in a child that is killed if this process exits. */
static int outcome(const struct action *action, long number, int later)
{
    int status;
    pid_t parent = getpid(), child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent);
        CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
        _exit(attempt(action, number, later));
    }
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void prepare(void)
{
    begin();
    IP("link set lo up");
    IP("tuntap add dev kept mode tap");
    OK(tuntap_open("here", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_open("tap", TUNTAP_TAP | TUNTAP_OFFLOAD | TUNTAP_NONBLOCK, &tap, &err));
    CHECK(chdir("/dev") == 0);
    CHECK(configure() == 0);
    IP("link set here addrgenmode none");
    IP("link set tap addrgenmode none");
    IP("link set here alias alias up");
    IP("link set tap up");
    IP("addr add 10.7.0.1/24 dev here");
    IP("addr add 10.7.0.2/24 dev here");
    IP("route add 10.8.0.0/16 dev here");
    /* The first query of a handle opens its socket. */
    int up;
    OK(tuntap_get_up(dev, &up, &err));
    OK(tuntap_get_up(tap, &up, &err));
}

/** Makes each allocation of an action fail. Returns whether a failure did harm. */
static int run(const struct action *action)
{
    int failures = 0, tried = 0;
    prepare();
    for (int later = 0; later < 2; later++) {
        int got;
        for (long number = 0; (got = outcome(action, number, later)) != NOT_REACHED && failures < 20; number++) {
            tried++;
            if (got == PASSED)
                continue;
            failures++;
            fprintf(stderr, "%s, allocation %ld%s: %d\n", action->name, number, later ? " and later" : "", got);
        }
    }
    printf("%s: %d of %d failed allocations did harm\n", action->name, failures, tried);
    tuntap_config_free(config);
    tuntap_close(dev);
    tuntap_close(tap);
    return failures != 0;
}

/** Runs all actions at the same time in their own network namespaces: the kernel needs most of the time to remove
 * devices. */
int main(void)
{
    int failures = 0, status;
    pid_t parent = getpid();
    if (run_as("valgrind"))
        return 0;
    if (geteuid() != 0 && access("/dev/net/tun", R_OK | W_OK) != 0)
        skip("this user may not read and write /dev/net/tun");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent);
            exit(run(&actions[i]));
        }
    }
    while (wait(&status) > 0)
        failures += status != 0;
    return failures != 0;
}
#endif
