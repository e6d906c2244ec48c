/* SPDX-License-Identifier: MIT
 *
 * A thousand random changes by ip(8) are reported exactly and in order. If a monitor does not read, and there are more
 * changes than the kernel keeps, it reports an overrun and then the current state. To repeat a run, give the seed that
 * it printed as the argument. */
#include "event.h"

#include <stdbool.h>

enum { DEVICES = 3, CHANGES = 1000, ADDRESSES = 12, FLOOD = 6000 };

struct device {
    tuntap *dev;
    uint32_t index, mtu;
    bool is_tap, up;
    uint8_t mac[6];
    char name[TUNTAP_NAME_SIZE];
    char addresses[ADDRESSES][TUNTAP_ADDR_SIZE];
};

/** A change that ip(8) makes, and the state of the device after it. */
struct expected {
    uint32_t kind, index, mtu;
    bool up;
    uint8_t mac[6];
    char name[TUNTAP_NAME_SIZE], addr[TUNTAP_ADDR_SIZE];
};

/** A monitor, and how many expected events it has reported. */
struct observer {
    tuntap_monitor *monitor;
    uint32_t only;
    int reported;
};

static struct device devices[DEVICES];
static struct expected expected[CHANGES];
static int changes;
static uint32_t seed, state;
static FILE *ip;

/** xorshift: the same numbers on every machine. */
static uint32_t below(uint32_t limit)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

/** Writes a line to `ip -batch`, which runs it immediately. */
static void run_ip(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(ip, format, arguments);
    va_end(arguments);
    fputc('\n', ip);
    CHECK(fflush(ip) == 0);
}

static void expect(const struct device *device, uint32_t kind, const char *addr)
{
    struct expected *next = &expected[changes++];
    *next = (struct expected){.kind = kind, .index = device->index, .mtu = device->mtu, .up = device->up};
    memcpy(next->mac, device->mac, 6);
    memcpy(next->name, device->name, sizeof next->name);
    snprintf(next->addr, sizeof next->addr, "%s", addr);
}

static void is_expected(int number)
{
    const struct expected *wanted = &expected[number];
    if (event.kind != wanted->kind || event.index != wanted->index || event.mtu != wanted->mtu ||
        !event.up != !wanted->up || memcmp(event.mac, wanted->mac, 6) != 0 || strcmp(event.name, wanted->name) != 0 ||
        strcmp(event.addr, wanted->addr) != 0) {
        fprintf(stderr, "seed %u, change %d: %u of %s %s instead of %u of %s %s\n", (unsigned)seed, number,
                (unsigned)event.kind, event.name, event.addr, (unsigned)wanted->kind, wanted->name, wanted->addr);
        exit(1);
    }
}

/** Takes up to `most` of the expected events. */
static void take_expected(struct observer *observer, int most)
{
    for (; observer->reported < changes && most > 0; observer->reported++) {
        if (observer->only && observer->only != expected[observer->reported].index)
            continue;
        take(observer->monitor);
        is_expected(observer->reported);
        most--;
    }
}

static bool has_ipv6(const struct device *device)
{
    for (int i = 0; i < ADDRESSES; i++)
        if (strchr(device->addresses[i], ':'))
            return true;
    return false;
}

/** Makes one possible change. A device that goes down would lose its IPv6 addresses, so only a device without any goes
 * down. Returns true if it added an IPv6 address: the kernel reports it a moment later, or never if it is deleted
 * first. */
static bool change(struct device *device, uint32_t number)
{
    uint32_t place = below(ADDRESSES);
    char *addr = device->addresses[place], was[TUNTAP_NAME_SIZE];
    long which = device - devices;
    switch (number) {
    case 0:
        if (device->up && has_ipv6(device))
            return false;
        device->up = !device->up;
        run_ip("link set %s %s", device->name, device->up ? "up" : "down");
        expect(device, device->up ? TUNTAP_EVENT_UP : TUNTAP_EVENT_DOWN, "");
        return false;
    case 1:
        device->mtu = 1280 + (device->mtu - 1280 + 1 + below(200)) % 221;
        run_ip("link set %s mtu %u", device->name, (unsigned)device->mtu);
        expect(device, TUNTAP_EVENT_MTU, "");
        return false;
    case 2:
        if (!device->is_tap)
            return false;
        device->mac[5] = (uint8_t)(device->mac[5] + 1 + below(200));
        run_ip("link set %s address 02:00:00:00:00:%02x", device->name, device->mac[5]);
        expect(device, TUNTAP_EVENT_MAC, "");
        return false;
    case 3:
        if (device->up)
            return false;
        memcpy(was, device->name, sizeof was);
        snprintf(device->name, sizeof device->name, "%c%u", "abc"[which], (unsigned)changes);
        run_ip("link set %s name %s", was, device->name);
        expect(device, TUNTAP_EVENT_NAME, "");
        return false;
    default:
        if (addr[0]) {
            run_ip("address del %s dev %s", addr, device->name);
            expect(device, TUNTAP_EVENT_ADDR_REMOVED, addr);
            addr[0] = 0;
            return false;
        }
        bool ipv6 = place % 2 && device->up;
        snprintf(addr, TUNTAP_ADDR_SIZE, ipv6 ? "fd00:%ld:%u::1/64" : "10.%ld.%u.1/24", which + 1,
                 (unsigned)place + 1);
        run_ip("address add %s dev %s%s", addr, device->name, ipv6 && below(2) ? " nodad" : "");
        expect(device, TUNTAP_EVENT_ADDR_ADDED, addr);
        return ipv6;
    }
}

static void open_devices(void)
{
    for (int i = 0; i < DEVICES; i++) {
        struct device *device = &devices[i];
        char name[] = {'t', (char)('0' + i), 0};
        *device = (struct device){.is_tap = i > 0, .mtu = 1500, .mac = {i ? 2 : 0}};
        snprintf(device->name, sizeof device->name, "%s", name);
        OK(tuntap_open(name, device->is_tap ? TUNTAP_TAP : TUNTAP_TUN, &device->dev, &err));
        device->index = if_nametoindex(name);
        if (device->is_tap)
            IP("link set %s address 02:00:00:00:00:00", name);
        if (access("/proc/sys/net/ipv6", F_OK) == 0)
            IP("link set %s addrgenmode none", name);
    }
}

static void close_devices(void)
{
    for (int i = 0; i < DEVICES; i++)
        tuntap_close(devices[i].dev);
}

static void watch(struct observer *observer, const struct device *device)
{
    *observer = (struct observer){.only = device ? device->index : 0};
    OK(tuntap_monitor_open(device ? device->dev : NULL, 0, &observer->monitor, &err));
    CHECK(take_present_state(observer->monitor) == (device ? 1 : DEVICES));
}

/** One monitor keeps up, one is behind by as much as the kernel keeps for it, and one watches a single device. */
static void each_change_is_reported_in_order(void)
{
    struct observer observers[3];
    open_devices();
    watch(&observers[0], NULL);
    watch(&observers[1], NULL);
    watch(&observers[2], &devices[1]);
    int most_behind = 60;
    ip = popen("ip -batch -", "w");
    CHECK(ip);
    while (changes < CHANGES) {
        struct device *device = &devices[below(DEVICES)];
        bool later = change(device, below(8));
        take_expected(&observers[0], later ? CHANGES : (int)below(4));
        take_expected(&observers[2], (int)below(3));
        if (changes - observers[1].reported > most_behind)
            take_expected(&observers[1], (int)below(100));
    }
    CHECK(pclose(ip) == 0);
    for (int i = 0; i < 3; i++) {
        take_expected(&observers[i], CHANGES);
        NO_EVENT(observers[i].monitor);
        tuntap_monitor_close(observers[i].monitor);
    }
    close_devices();
}

/** The events up to COMPLETE match what ip(8) shows of all TUN and TAP devices. */
static void events_match_ip(tuntap_monitor *monitor)
{
    char text[400], bare[TUNTAP_ADDR_SIZE];
    int reported = 0, addresses = 0, links = 0, listed = 0;
    while (take(monitor) != TUNTAP_EVENT_COMPLETE) {
        CHECK(event.kind == TUNTAP_EVENT_DEVICE || event.kind == TUNTAP_EVENT_ADDR_ADDED);
        if (event.kind == TUNTAP_EVENT_DEVICE) {
            reported++;
            snprintf(text, sizeof text, "\"ifindex\":%u,\"ifname\":\"%s\"", (unsigned)event.index, event.name);
            IP_HAS(text, "link show %s", event.name);
            snprintf(text, sizeof text, "\"mtu\":%u,", (unsigned)event.mtu);
            IP_HAS(text, "link show %s", event.name);
            IP_SAYS(event.up, "\"UP\"", "link show %s", event.name);
        } else {
            addresses++;
            snprintf(bare, sizeof bare, "%s", event.addr);
            char *slash = strchr(bare, '/');
            CHECK(slash);
            *slash = 0;
            snprintf(text, sizeof text, "\"local\":\"%s\",\"prefixlen\":%s", bare, slash + 1);
            IP_HAS(text, "address show dev %s", event.name);
        }
    }
    const char *said = output_of("ip -j -d link show type tun");
    for (const char *at = said; (at = strstr(at, "\"ifname\"")); at++)
        links++;
    said = output_of("ip -j address show");
    for (const char *at = said; (at = strstr(at, "\"local\"")); at++)
        listed++;
    CHECK(reported == links && addresses == listed);
}

static void flood(const char *name)
{
    ip = popen("ip -batch -", "w");
    CHECK(ip);
    for (int i = 0; i < FLOOD; i++)
        fprintf(ip, "link set %s mtu %d\n", name, 1300 + i % 2);
    CHECK(pclose(ip) == 0);
}

static void an_overflow_is_followed_by_the_present_state(void)
{
    tuntap_monitor *all, *present, *removed;
    open_devices();
    uint32_t index = devices[2].index;
    OK(tuntap_monitor_open(NULL, 0, &all, &err));
    OK(tuntap_monitor_open(devices[1].dev, 0, &present, &err));
    OK(tuntap_monitor_open(devices[2].dev, 0, &removed, &err));
    take_present_state(all);
    for (int round = 0; round < 3; round++) {
        flood("t1");
        IP("address add 10.%d.0.1/24 dev t1", round + 1);
        IP("link set t1 %s", round % 2 ? "down" : "up");
        if (round == 0) {
            IP("link delete t2");
            IP("tuntap add new mode tun");
        }
        CHECK(is_readable(tuntap_monitor_get_fd(all, NULL)));
        NEXT(all, OVERRUN);
        CHECK(only_the_kind_is_set());
        events_match_ip(all);
        while (tuntap_monitor_next(all, &event, sizeof event, 0, &err) == 0)
            CHECK(event.kind == TUNTAP_EVENT_CARRIER_OFF || event.kind == TUNTAP_EVENT_CARRIER_ON);
        IP("link set t1 mtu %d", 1400 + round);
        NEXT_OF(all, MTU, "t1");
        CHECK(event.mtu == (uint32_t)(1400 + round));
        CHECK(!is_readable(tuntap_monitor_get_fd(all, NULL)));
    }

    /* A monitor of one device: the device exists, or it was removed during the overrun. */
    take_present_state(present);
    NEXT(present, OVERRUN);
    CHECK(only_the_kind_is_set());
    NEXT_OF(present, DEVICE, "t1");
    CHECK(event.mtu == 1402 && event.up);
    take_present_state(present);
    NO_EVENT(present);
    take_present_state(removed);
    NEXT(removed, OVERRUN);
    NEXT(removed, COMPLETE);
    NEXT_OF(removed, REMOVED, "t2");
    CHECK(event.index == index);
    FAILS(tuntap_monitor_next(removed, &event, sizeof event, -1, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_monitor_close(removed);
    tuntap_monitor_close(present);
    tuntap_monitor_close(all);
    close_devices();
}

int main(int count, char **arguments)
{
    begin();
    signal(SIGPIPE, SIG_IGN);
    seed = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 0) : (uint32_t)now() | 1;
    state = seed;
    printf("seed %u\n", (unsigned)seed);
    each_change_is_reported_in_order();
    an_overflow_is_followed_by_the_present_state();
    return 0;
}
