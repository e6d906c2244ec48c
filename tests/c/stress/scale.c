/* SPDX-License-Identifier: MIT
 *
 * The addresses and routes that the device already has do not increase the number of messages of a call: adding a route
 * lists no routes. A monitor reads one list of the current state. */
#include "netlink.h"

#include <sys/resource.h>

enum { ROUTES = 4000, ADDRESSES = 2000 };

/** Counts the messages to and from the kernel that the statement needs. */
#define MESSAGES(statement, result)             \
    do {                                        \
        requests = datagrams = 0;               \
        statement;                              \
        (result) = requests + datagrams;        \
    } while (0)

/** Makes ip(8) run `count` similar commands. */
static void run_batch(const char *before, int count, const char *after)
{
    char path[] = "/tmp/tuntap-scale-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    FILE *file = fdopen(fd, "w");
    CHECK(file);
    for (int i = 0; i < count; i++)
        fprintf(file, "%s11.%d.%d.%d/32 %s\n", before, i / 65536, i / 256 % 256, i % 256, after);
    fclose(file);
    IP("-batch %s", path);
    unlink(path);
}

static void adding_a_route_needs_the_same_messages(tuntap *dev)
{
    long alone, among, again;
    MESSAGES(OK(add_route(dev, "12.0.0.1", NULL, 0, 0, &err)), alone);
    run_batch("route add ", ROUTES, "dev t0");
    MESSAGES(OK(add_route(dev, "12.0.0.2", NULL, 0, 0, &err)), among);
    MESSAGES(OK(add_route(dev, "12.0.0.3", NULL, 0, 0, &err)), again);
    printf("a route: %ld messages, with %d others %ld\n", alone, ROUTES, among);
    CHECK(alone > 0 && among == alone && again == alone);
    IP_HAS("\"dst\":\"12.0.0.3\"", "route show dev t0 12.0.0.3");
    CHECK(tuntap_list_routes(dev, NULL, 0, sizeof(tuntap_route), &err) >= ROUTES + 3);
}

static void a_monitor_takes_one_list(tuntap *dev)
{
    tuntap_monitor *monitor;
    tuntap_event event;
    long before, after;
    int found = 0;
    MESSAGES(OK(tuntap_monitor_open(dev, 0, &monitor, &err)), before);
    tuntap_monitor_close(monitor);
    run_batch("address add ", ADDRESSES, "dev t0");
    MESSAGES(OK(tuntap_monitor_open(dev, 0, &monitor, &err)), after);
    printf("a monitor: %ld messages, with %d addresses %ld\n", before, ADDRESSES, after);
    do {
        OK(tuntap_monitor_next(monitor, &event, sizeof event, 0, &err));
        found += event.kind == TUNTAP_EVENT_ADDR_ADDED;
    } while (event.kind != TUNTAP_EVENT_COMPLETE);
    CHECK(found >= ADDRESSES && after < before + ADDRESSES / 50);
    tuntap_monitor_close(monitor);
}

/** The number of bytes that this process has mapped. */
static rlim_t mapped(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    CHECK(file && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/** With increasing memory, the open fails with -ENOMEM until the list fits. */
static void a_monitor_without_memory_fails(tuntap *dev)
{
    struct rlimit before;
    int refused = 0, result;
    if (instrumented())
        return; /* These tools map memory themselves. */
    CHECK(getrlimit(RLIMIT_AS, &before) == 0);
    for (rlim_t room = 0;; room += 32 << 10) {
        tuntap_monitor *monitor = NULL;
        struct rlimit limit = {mapped() + room, before.rlim_max};
        CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
        result = tuntap_monitor_open(dev, 0, &monitor, &err);
        CHECK(setrlimit(RLIMIT_AS, &before) == 0);
        if (result == 0) {
            tuntap_monitor_close(monitor);
            break;
        }
        CHECK(result == -ENOMEM && !monitor && err.code == -ENOMEM && err.reason == TUNTAP_REASON_SYSTEM);
        refused++;
    }
    CHECK(refused > 3);
}

/** An open monitor whose list does not fit fails with -ENOMEM, and lists the state again with more memory. */
static void a_monitor_without_memory_recovers(tuntap *dev)
{
    struct rlimit before;
    tuntap_monitor *monitor;
    tuntap_event event = {0};
    int refused = 0, found = 0;
    if (instrumented())
        return; /* These tools map memory themselves. */
    OK(tuntap_monitor_open(dev, TUNTAP_MONITOR_ROUTES, &monitor, &err));
    while (event.kind != TUNTAP_EVENT_COMPLETE)
        OK(tuntap_monitor_next(monitor, &event, sizeof event, 0, &err));
    /* More notifications than the socket holds. */
    run_batch("route del ", ROUTES, "dev t0");
    run_batch("route add ", ROUTES, "dev t0");
    CHECK(getrlimit(RLIMIT_AS, &before) == 0);
    event = (tuntap_event){0};
    for (rlim_t room = 0; event.kind != TUNTAP_EVENT_COMPLETE;) {
        struct rlimit limit = {mapped() + room, before.rlim_max};
        CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
        int result = tuntap_monitor_next(monitor, &event, sizeof event, 0, &err);
        CHECK(setrlimit(RLIMIT_AS, &before) == 0);
        found = event.kind == TUNTAP_EVENT_OVERRUN ? 0 : found + (event.kind == TUNTAP_EVENT_ROUTE_ADDED);
        if (result == 0)
            continue;
        if (result != -ENOMEM)
            fail(__FILE__, __LINE__, "the monitor does not recover", err.message);
        refused++;
        room += 64 << 10;
    }
    printf("a monitor without memory: %d times, then %d routes\n", refused, found);
    CHECK(refused > 3 && found >= ROUTES);
    tuntap_monitor_close(monitor);
}

int main(void)
{
    tuntap *dev;
    begin();
    ipv4_only();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_up(dev, &err));
    adding_a_route_needs_the_same_messages(dev);
    a_monitor_takes_one_list(dev);
    a_monitor_without_memory_fails(dev);
    a_monitor_without_memory_recovers(dev);
    tuntap_close(dev);
    return 0;
}
