/* SPDX-License-Identifier: MIT */
#include "event.h"

static tuntap *tun, *tap;
static tuntap_monitor *all, *one;

static void is_device(const char *name, uint32_t mtu, int up, const char *mac)
{
    CHECK(strcmp(event.name, name) == 0 && event.index == if_nametoindex(name));
    CHECK(event.mtu == mtu && event.up == up && event.carrier == 1 && memcmp(event.mac, mac, 6) == 0);
    CHECK(event.flags == (strcmp(name, "t0") == 0 ? TUNTAP_TUN : TUNTAP_TAP));
    for (size_t i = strlen(name); i < sizeof event.name; i++)
        CHECK(event.name[i] == 0);
}

static void is_address(const char *addr, const char *peer, uint32_t scope, uint64_t flags)
{
    CHECK(strcmp(event.addr, addr) == 0 && strcmp(event.peer, peer) == 0);
    CHECK(event.scope == scope && event.addr_flags == flags);
}

static void has_no_address(void)
{
    static const char zeros[TUNTAP_ADDR_SIZE];
    CHECK(memcmp(event.addr, zeros, sizeof zeros) == 0 && memcmp(event.peer, zeros, sizeof zeros) == 0);
    CHECK(event.scope == 0 && event.addr_flags == 0);
}

/** Both the monitor of all devices and the monitor of the TAP report the event. */
#define BOTH(kind, name, mtu, up, mac)          \
    do {                                        \
        NEXT(all, kind);                        \
        is_device(name, mtu, up, mac);          \
        NEXT(one, kind);                        \
        is_device(name, mtu, up, mac);          \
    } while (0)

static void each_change_of_a_link_is_an_event(void)
{
    BOTH(DEVICE, "t1", 1500, 0, "\2\0\0\0\0\1");
    has_no_address();
    NEXT(all, COMPLETE);
    CHECK(only_the_kind_is_set());
    NEXT(one, COMPLETE);
    IP("link set t1 up");
    BOTH(UP, "t1", 1500, 1, "\2\0\0\0\0\1");
    has_no_address();
    IP("link set t1 mtu 1400");
    BOTH(MTU, "t1", 1400, 1, "\2\0\0\0\0\1");
    IP("link set t1 address 02:00:00:00:00:02");
    BOTH(MAC, "t1", 1400, 1, "\2\0\0\0\0\2");
    IP("link set t1 down");
    BOTH(DOWN, "t1", 1400, 0, "\2\0\0\0\0\2");
    IP("link set t1 name fifteen-bytes-x");
    BOTH(NAME, "fifteen-bytes-x", 1400, 0, "\2\0\0\0\0\2");
    IP("link set fifteen-bytes-x name t1");
    BOTH(NAME, "t1", 1400, 0, "\2\0\0\0\0\2");

    /* Settings that do not change, and changes that no event reports. */
    IP("link set t1 down mtu 1400 address 02:00:00:00:00:02");
    IP("link set t1 alias something");
    IP("link set t1 txqueuelen 77 multicast off");
    NO_EVENT(all);
    NO_EVENT(one);
    IP("link set t1 up");
    BOTH(UP, "t1", 1400, 1, "\2\0\0\0\0\2");
}

/** The kernel reports the carrier with a delay, so the test waits for each state. */
static void the_carrier_is_an_event(void)
{
    int off = 0, on = 1;
    CHECK(ioctl(tuntap_get_fd(tap, NULL), TUNSETCARRIER, &off) == 0);
    NEXT_OF(all, CARRIER_OFF, "t1");
    CHECK(event.carrier == 0 && event.up == 1);
    NEXT_OF(one, CARRIER_OFF, "t1");
    CHECK(ioctl(tuntap_get_fd(tap, NULL), TUNSETCARRIER, &on) == 0);
    NEXT_OF(all, CARRIER_ON, "t1");
    CHECK(event.carrier == 1 && event.up == 1);
    NEXT_OF(one, CARRIER_ON, "t1");
}

/** Both monitors report the event, with these properties of the address. */
#define BOTH_ADDR(kind, addr, peer, scope, flags)        \
    do {                                                 \
        NEXT_ADDR(all, kind, addr);                      \
        is_address(addr, peer, scope, flags);            \
        NEXT_ADDR(one, kind, addr);                      \
        is_address(addr, peer, scope, flags);            \
        is_device("t1", 1400, 1, "\2\0\0\0\0\2");        \
    } while (0)

static void each_ipv4_address_is_an_event(void)
{
    IP("address add 10.8.0.1/24 dev t1");
    BOTH_ADDR(ADDR_ADDED, "10.8.0.1/24", "", TUNTAP_SCOPE_GLOBAL, 0);
    IP("address add 10.8.0.2/24 dev t1 label t1:x");
    BOTH_ADDR(ADDR_ADDED, "10.8.0.2/24", "", TUNTAP_SCOPE_GLOBAL, TUNTAP_ADDR_SECONDARY);
    IP("address add 10.9.0.1 peer 10.9.0.2/32 dev t1 scope link");
    BOTH_ADDR(ADDR_ADDED, "10.9.0.1/32", "10.9.0.2", TUNTAP_SCOPE_LINK, 0);
    IP("address add 10.10.0.1/8 dev t1 noprefixroute valid_lft 1000 preferred_lft 900");
    BOTH_ADDR(ADDR_ADDED, "10.10.0.1/8", "", TUNTAP_SCOPE_GLOBAL, TUNTAP_ADDR_NOPREFIXROUTE | TUNTAP_ADDR_DYNAMIC);

    /* A change of the lifetime is not an event. */
    IP("address change 10.10.0.1/8 dev t1 noprefixroute valid_lft 2000 preferred_lft 0");
    IP("address change 10.8.0.1/24 dev t1 broadcast 10.8.0.255");
    NO_EVENT(all);
    NO_EVENT(one);

    /* The kernel removes a secondary address with its primary one. */
    IP("address del 10.8.0.1/24 dev t1");
    BOTH_ADDR(ADDR_REMOVED, "10.8.0.2/24", "", TUNTAP_SCOPE_GLOBAL, TUNTAP_ADDR_SECONDARY);
    BOTH_ADDR(ADDR_REMOVED, "10.8.0.1/24", "", TUNTAP_SCOPE_GLOBAL, 0);
    IP("address del 10.9.0.1 peer 10.9.0.2/32 dev t1");
    BOTH_ADDR(ADDR_REMOVED, "10.9.0.1/32", "10.9.0.2", TUNTAP_SCOPE_LINK, 0);
    IP("address add 10.8.0.1/24 dev t1");
    BOTH_ADDR(ADDR_ADDED, "10.8.0.1/24", "", TUNTAP_SCOPE_GLOBAL, 0);
    NO_EVENT(all);
    NO_EVENT(one);
}

/** An address is reported once, although the kernel reports it again after duplicate address detection. */
static void each_ipv6_address_is_an_event(void)
{
    if (access("/proc/sys/net/ipv6", F_OK) != 0)
        return;
    IP("address add fd00::1/64 dev t1 nodad");
    BOTH_ADDR(ADDR_ADDED, "fd00::1/64", "", TUNTAP_SCOPE_GLOBAL, TUNTAP_ADDR_NODAD);
    IP("address add fe80::7 peer fe80::8/128 dev t1 nodad");
    BOTH_ADDR(ADDR_ADDED, "fe80::7/128", "fe80::8", TUNTAP_SCOPE_LINK, TUNTAP_ADDR_NODAD);
    IP("address add fd00::2/64 dev t1");
    BOTH_ADDR(ADDR_ADDED, "fd00::2/64", "", TUNTAP_SCOPE_GLOBAL, TUNTAP_ADDR_TENTATIVE);
    while (strstr(output_of("ip address show dev t1"), "tentative"))
        poll(NULL, 0, 10);
    IP("address change fd00::2/64 dev t1 preferred_lft 0");
    NO_EVENT(all);
    NO_EVENT(one);
    IP("address del fd00::2/64 dev t1");
    BOTH_ADDR(ADDR_REMOVED, "fd00::2/64", "", TUNTAP_SCOPE_GLOBAL, TUNTAP_ADDR_DEPRECATED);
    IP("address del fe80::7 peer fe80::8/128 dev t1");
    BOTH_ADDR(ADDR_REMOVED, "fe80::7/128", "fe80::8", TUNTAP_SCOPE_LINK, TUNTAP_ADDR_NODAD);
}

/** A bridge also reports that a port has left it. The device still exists. */
static void a_bridge_does_not_remove_its_ports(void)
{
    IP("link add bridge0 type bridge");
    IP("link set t1 master bridge0");
    IP("link set bridge0 up");
    IP("link set t1 nomaster");
    IP("link delete bridge0");
    NO_EVENT(all);
    NO_EVENT(one);
    IP("link set t1 mtu 1300");
    NEXT(all, MTU);
    NEXT(one, MTU);
}

static void a_new_device_is_an_event_of_the_monitor_of_all(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &tun, &err));
    NEXT(all, DEVICE);
    is_device("t0", 1500, 0, "\0\0\0\0\0\0");
    has_no_address();
    IP("address add 10.7.0.1/24 dev t0");
    NEXT_ADDR(all, ADDR_ADDED, "10.7.0.1/24");
    CHECK(strcmp(event.name, "t0") == 0);
    IP("link add v0 type veth peer name v1");
    IP("address add 10.6.0.1/24 dev v0");
    IP("link delete v0");
    NO_EVENT(all);
    NO_EVENT(one);
}

/** A monitor here reports that the device moved. A monitor in the other network namespace reports a new device. */
static void a_move_is_the_last_event_of_a_device(void)
{
    tuntap_monitor *other, *follower;
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(unshare(CLONE_NEWNET) == 0);
    OK(tuntap_monitor_open(NULL, 0, &other, &err));
    NEXT(other, COMPLETE);
    int away = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(setns(home, CLONE_NEWNET) == 0);
    OK(tuntap_monitor_open(tun, 0, &follower, &err));
    NEXT(follower, DEVICE);
    NEXT_ADDR(follower, ADDR_ADDED, "10.7.0.1/24");
    NEXT(follower, COMPLETE);
    IP("link set t0 netns /proc/%d/fd/%d", (int)getpid(), away);

    while (take(all) == TUNTAP_EVENT_ADDR_REMOVED)
        CHECK(strcmp(event.addr, "10.7.0.1/24") == 0);
    CHECK(event.kind == TUNTAP_EVENT_MOVED && strcmp(event.name, "t0") == 0 && event.flags == TUNTAP_TUN);
    has_no_address();
    NEXT_OF(other, DEVICE, "t0");
    while (take(follower) == TUNTAP_EVENT_ADDR_REMOVED)
        continue;
    CHECK(event.kind == TUNTAP_EVENT_MOVED && strcmp(event.name, "t0") == 0);
    FAILS(tuntap_monitor_next(follower, &event, sizeof event, -1, &err), ENODEV, TUNTAP_REASON_REMOVED);
    MESSAGE_HAS("another network namespace");
    tuntap_close(tun);
    NO_EVENT(all);
    while (take(other) != TUNTAP_EVENT_REMOVED)
        CHECK(event.kind == TUNTAP_EVENT_CARRIER_OFF);
    tuntap_monitor_close(follower);
    tuntap_monitor_close(other);
    close(away);
    close(home);
    NO_EVENT(one);
}

/** The kernel also reports that its addresses are removed. The monitor of the device ends: each further call fails. */
static void the_removal_of_a_device_is_an_event(void)
{
    IP("link delete t1");
    for (int i = 0; i < 2; i++) {
        while (take(i ? one : all) != TUNTAP_EVENT_REMOVED)
            CHECK(event.kind == TUNTAP_EVENT_DOWN || event.kind == TUNTAP_EVENT_ADDR_REMOVED ||
                  event.kind == TUNTAP_EVENT_CARRIER_OFF);
        CHECK(strcmp(event.name, "t1") == 0 && event.index != 0);
        has_no_address();
    }
    NO_EVENT(all);
    static const int32_t limits[] = {0, 10, -1, INT32_MAX};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        memset(&event, 0x55, sizeof event);
        FAILS(tuntap_monitor_next(one, &event, sizeof event, limits[i], &err), ENODEV, TUNTAP_REASON_REMOVED);
        CHECK(event.kind == 0x55555555);
    }
    /* The ended monitor does not report a new device with the same name. The other monitor does. */
    IP("tuntap add t1 mode tap");
    FAILS(tuntap_monitor_next(one, &event, sizeof event, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    NEXT_OF(all, DEVICE, "t1");
    IP("link delete t1");
    while (take(all) != TUNTAP_EVENT_REMOVED)
        CHECK(event.kind == TUNTAP_EVENT_CARRIER_OFF);
}

static volatile sig_atomic_t signals;

static void count(int number)
{
    (void)number;
    signals++;
}

static void a_wait_lasts_at_least_its_time_limit(void)
{
    static const int32_t limits[] = {1, 2, 10, 45, 99};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        memset(&event, 0x55, sizeof event);
        TAKES_AT_LEAST(limits[i], FAILS(tuntap_monitor_next(all, &event, sizeof event, limits[i], &err), ETIMEDOUT,
                                        TUNTAP_REASON_TIMEOUT));
        CHECK(event.kind == 0x55555555);
    }
}

static void a_signal_handler_ends_the_wait(void)
{
    static const int32_t limits[] = {-1, INT32_MIN, INT32_MAX};
    OK(tuntap_open("t2", TUNTAP_TUN, &tun, &err));
    NEXT_OF(all, DEVICE, "t2");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        signals = 0;
        start_signals(count, i == 1 ? SA_RESTART : 0);
        FAILS(tuntap_monitor_next(all, &event, sizeof event, limits[i], &err), EINTR, TUNTAP_REASON_INTERRUPTED);
        stop_signals();
        CHECK(signals > 0);
    }
}

/** A child process makes the change. */
static void a_change_ends_the_wait(void)
{
    pid_t child = fork();
    if (child == 0) {
        poll(NULL, 0, 100);
        execlp("ip", "ip", "link", "set", "t2", "mtu", "1400", (char *)NULL);
    }
    OK(tuntap_monitor_next(all, &event, sizeof event, -1, &err));
    CHECK(event.kind == TUNTAP_EVENT_MTU);
    CHECK(waitpid(child, NULL, 0) == child);
}

static void an_invalid_buffer_takes_no_event(void)
{
    struct {
        tuntap_event event;
        uint8_t later[24], beyond[8];
    } longer;
    static const uint8_t zeros[24];
    memset(&longer, 0x55, sizeof longer);
    IP("link set t2 mtu 1280");
    FAILS(tuntap_monitor_next(NULL, &event, sizeof event, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_monitor_next(all, NULL, sizeof event, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_monitor_next(all, &event, sizeof event - 1, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_monitor_next(all, &event, 4097, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("sizeof(tuntap_event)");
    FAILS(tuntap_monitor_next(all, &event, (size_t)-11, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_monitor_next(all, &event, 0, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(tuntap_monitor_next(all, NULL, sizeof event, -1, NULL) == -EINVAL);

    /* A program may be compiled with the header of a later version. */
    OK(tuntap_monitor_next(all, &longer.event, sizeof longer.event + sizeof longer.later, 0, &err));
    CHECK(longer.event.kind == TUNTAP_EVENT_MTU && longer.event.mtu == 1280);
    CHECK(memcmp(longer.later, zeros, sizeof zeros) == 0 && longer.beyond[0] == 0x55);
    CHECK(tuntap_monitor_next(all, &event, sizeof event, 0, NULL) == -ETIMEDOUT);
}

int main(void)
{
    begin();
    IP("link set lo up");
    write_file("/proc/sys/net/ipv4/conf/default/promote_secondaries", "0");
    OK(tuntap_open("t1", TUNTAP_TAP, &tap, &err));
    IP("link set t1 address 02:00:00:00:00:01 addrgenmode none");
    OK(tuntap_monitor_open(NULL, 0, &all, &err));
    OK(tuntap_monitor_open(tap, 0, &one, &err));
    each_change_of_a_link_is_an_event();
    the_carrier_is_an_event();
    each_ipv4_address_is_an_event();
    each_ipv6_address_is_an_event();
    a_bridge_does_not_remove_its_ports();
    a_new_device_is_an_event_of_the_monitor_of_all();
    a_move_is_the_last_event_of_a_device();
    the_removal_of_a_device_is_an_event();
    a_wait_lasts_at_least_its_time_limit();
    a_signal_handler_ends_the_wait();
    a_change_ends_the_wait();
    an_invalid_buffer_takes_no_event();
    tuntap_monitor_close(one);
    tuntap_monitor_close(all);
    tuntap_close(tun);
    tuntap_close(tap);
    return 0;
}
