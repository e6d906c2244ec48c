/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <poll.h>

static tuntap *dev;

static void several_of_each_family(uint64_t kind)
{
    OK(tuntap_open("t0", kind, &dev, &err));
    OK(tuntap_add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(tuntap_add_addr(dev, "10.8.0.2/24", NULL, 0, &err));
    OK(tuntap_add_addr(dev, "192.0.2.1", NULL, 0, &err));
    OK(tuntap_add_addr(dev, "fd00::1/64", NULL, 0, &err));
    OK(tuntap_add_addr(dev, "fd00:0:0:1::1/64", NULL, 0, &err));
    OK(tuntap_add_addr(dev, "fd00::9", NULL, 0, &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"local\":\"10.8.0.2\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"local\":\"192.0.2.1\",\"prefixlen\":32,", "address show t0");
    IP_HAS("\"local\":\"fd00::1\",\"prefixlen\":64,", "address show t0");
    IP_HAS("\"local\":\"fd00:0:0:1::1\",\"prefixlen\":64,", "address show t0");
    IP_HAS("\"local\":\"fd00::9\",\"prefixlen\":128,", "address show t0");
    tuntap_close(dev);
}

static void a_tap_has_a_broadcast_address(void)
{
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    OK(tuntap_add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(tuntap_add_addr(dev, "10.8.1.1/31", NULL, 0, &err));
    IP_HAS("\"broadcast\":\"10.8.0.255\"", "address show t0");
    IP_HAS_NOT("\"broadcast\":\"10.8.1", "address show t0");
    tuntap_close(dev);
}

static void a_loopback_address_is_the_hosts_own(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_add_addr(dev, "127.0.0.9/8", NULL, 0, &err));
    IP_HAS("\"local\":\"127.0.0.9\",\"prefixlen\":8,\"scope\":\"host\"", "address show t0");
    OK(tuntap_del_addr(dev, "127.0.0.9/8", NULL, &err));
    IP_HAS_NOT("127.0.0.9", "address show t0");
    tuntap_close(dev);
}

static void a_peer_is_the_other_end(uint64_t kind)
{
    OK(tuntap_open("t0", kind, &dev, &err));
    IP("link set t0 up");
    OK(tuntap_add_addr(dev, "10.8.0.1", "10.8.0.2", 0, &err));
    OK(tuntap_add_addr(dev, "10.8.1.1/24", "10.8.1.2", 0, &err));
    OK(tuntap_add_addr(dev, "fd00::1", "fd00::2", 0, &err));
    OK(tuntap_add_addr(dev, "192.0.2.1/24", "192.0.2.1", 0, &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.2\",\"prefixlen\":32,", "address show t0");
    IP_HAS("\"local\":\"10.8.1.1\",\"address\":\"10.8.1.2\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"local\":\"fd00::1\",\"address\":\"fd00::2\",\"prefixlen\":128,", "address show t0");
    IP_HAS("\"local\":\"192.0.2.1\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"dst\":\"10.8.0.2\"", "route show dev t0");
    while (!strstr(output_of("ip -6 route show dev t0"), "fd00::2 ")) /* the kernel takes its time */
        poll(NULL, 0, 10);
    tuntap_close(dev);
}

/** Duplicate address detection: never on a TUN, on a TAP unless it is told not to. */
static void ipv6_can_be_used_at_once(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link set t0 up");
    OK(tuntap_add_addr(dev, "fd00::1/64", NULL, 0, &err));
    IP_HAS_NOT("\"tentative\":true", "address show t0 to fd00::1");
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 up");
    OK(tuntap_add_addr(dev, "fd00::1/64", NULL, 0, &err));
    OK(tuntap_add_addr(dev, "fd00::2/64", NULL, TUNTAP_ADDR_NODAD, &err));
    IP_HAS("\"tentative\":true", "address show t0 to fd00::1");
    IP_HAS_NOT("\"tentative\":true", "address show t0 to fd00::2");
    IP_HAS("\"nodad\":true", "address show t0 to fd00::2");
    tuntap_close(dev);
}

static void a_route_to_the_network_comes_unless_told_otherwise(void)
{
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 up");
    OK(tuntap_add_addr(dev, "10.8.0.1/24", NULL, TUNTAP_ADDR_NOPREFIXROUTE, &err));
    OK(tuntap_add_addr(dev, "fd00::1/64", NULL, TUNTAP_ADDR_NOPREFIXROUTE | TUNTAP_ADDR_NODAD, &err));
    OK(tuntap_add_addr(dev, "10.9.0.1/24", NULL, 0, &err));
    OK(tuntap_add_addr(dev, "fd01::1/64", NULL, 0, &err));
    IP_HAS_NOT("10.8.0.0/24", "route show dev t0");
    IP_HAS_NOT("fd00::/64", "-6 route show dev t0");
    IP_HAS("10.9.0.0/24", "route show dev t0");
    IP_HAS("fd01::/64", "-6 route show dev t0");
    tuntap_close(dev);
}

static void what_is_there_already_stays(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add 10.8.0.1 peer 10.8.0.9/32 dev t0");
    IP("address add fd00::1/64 dev t0");
    become(1234, 1234);
    OK(tuntap_add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(tuntap_add_addr(dev, "10.8.0.1", NULL, 0, &err));
    OK(tuntap_add_addr(dev, "10.8.0.1", "10.8.0.9", 0, &err));
    OK(tuntap_add_addr(dev, "fd00::1/64", NULL, TUNTAP_ADDR_NODAD, &err));
    FAILS(tuntap_add_addr(dev, "10.8.0.1/25", NULL, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    FAILS(tuntap_add_addr(dev, "fd00::2/64", NULL, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    tuntap_close(dev);
}

static void what_cannot_be_changes_nothing(void)
{
    static const char *const wrong[][2] = {
        {"", NULL}, {"10.8.0.1/33", NULL}, {"fd00::1/129", NULL}, {"10.8.0.1/x", NULL}, {"fd00::1%t0", NULL},
        {"::", NULL}, {"::/0", NULL}, {"ff02::1/64", NULL}, {"224.0.0.1", NULL}, {"0.0.0.0/0", NULL},
        {"255.255.255.255", NULL}, {"10.8.0.1\xff", NULL}, {"10.8.0.1/24", "fd00::2"}, {"fd00::1", "10.8.0.2"},
        {"10.8.0.1/24", "10.8.0.2/24"}, {"10.8.0.1/24", ""}, {"10.8.0.1/24", "0.0.0.0"},
    };
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add fd00::1/64 dev t0");
    char *before = strdup(output_of("ip -j -d address show t0"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(tuntap_add_addr(dev, wrong[i][0], wrong[i][1], 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_add_addr(dev, "10.8.0.1", NULL, TUNTAP_ADDR_TENTATIVE, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_add_addr(dev, "10.8.0.1", NULL, UINT64_C(1) << 63, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_add_addr(dev, "fd00::1/80", NULL, 0, &err), EEXIST, TUNTAP_REASON_BUSY);
    MESSAGE_HAS("give t0 the address fd00::1/80");
    FAILS(tuntap_add_addr(dev, NULL, NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_add_addr(NULL, "10.8.0.1", NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strcmp(before, output_of("ip -j -d address show t0")) == 0);
    free(before);

    IP("link set t0 mtu 1279");
    FAILS(tuntap_add_addr(dev, "fd00::2/64", NULL, 0, &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("IPv6 needs an MTU of 1280, and it has 1279");
    OK(tuntap_add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    IP("link set t0 mtu 1280");
    OK(tuntap_add_addr(dev, "fd00::2/64", NULL, 0, &err));
    IP("link delete t0");
    FAILS(tuntap_add_addr(dev, "10.8.0.2/24", NULL, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_add_addr(dev, "fd00::3/64", NULL, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    write_file("/proc/sys/net/ipv6/conf/t0/disable_ipv6", "1");
    FAILS(tuntap_add_addr(dev, "fd00::1/64", NULL, 0, &err), EACCES, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("disable");
    tuntap_close(dev);
}

int main(void)
{
    begin_with_users();
    several_of_each_family(TUNTAP_TUN);
    several_of_each_family(TUNTAP_TAP);
    a_tap_has_a_broadcast_address();
    a_loopback_address_is_the_hosts_own();
    a_peer_is_the_other_end(TUNTAP_TUN);
    a_peer_is_the_other_end(TUNTAP_TAP);
    ipv6_can_be_used_at_once();
    a_route_to_the_network_comes_unless_told_otherwise();
    what_cannot_be_changes_nothing();
    what_is_there_already_stays();
    return 0;
}
