/* SPDX-License-Identifier: MIT */
#include "netlink.h"

static tuntap *dev;

static void it_sets_the_address_the_prefix_and_the_route(uint64_t kind)
{
    OK(tuntap_open("t0", kind, &dev, &err));
    OK(tuntap_set_addr(dev, "10.8.0.1/24", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24,", "address show t0");
    IP_SAYS(kind == TUNTAP_TAP, "\"broadcast\":\"10.8.0.255\"", "address show t0");
    IP("link set t0 up");
    IP_HAS("\"dst\":\"10.8.0.0/24\",\"dev\":\"t0\"", "route show");

    OK(tuntap_set_addr(dev, "192.168.7.1/31", &err));
    IP_HAS("\"local\":\"192.168.7.1\",\"prefixlen\":31,", "address show t0");
    IP_HAS_NOT("10.8.0", "address show t0");
    IP_HAS_NOT("10.8.0", "route show");
    OK(tuntap_set_addr(dev, "10.8.0.1", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":32,", "address show t0");
    tuntap_close(dev);
}

/** Several addresses of several networks, also those that Linux removes together with the first of their network. */
static void it_replaces_all_ipv4_addresses(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    write_file("/proc/sys/net/ipv4/conf/all/promote_secondaries", "0");
    write_file("/proc/sys/net/ipv4/conf/t0/promote_secondaries", "0");
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add 10.8.0.2/24 dev t0");
    IP("address add 10.9.0.1 peer 10.9.0.2 dev t0");
    IP("address add fd00::1/64 dev t0");

    OK(tuntap_set_addr(dev, "10.8.0.2/24", &err));
    IP_HAS("\"local\":\"10.8.0.2\",\"prefixlen\":24,", "-4 address show t0");
    IP_HAS_NOT("10.8.0.1", "-4 address show t0");
    IP_HAS_NOT("10.9.0.1", "-4 address show t0");
    IP_HAS("fd00::1", "-6 address show t0");
    tuntap_close(dev);
}

/** Without a prefix in the call, a present address keeps its prefix and its peer. */
static void without_a_prefix_the_present_prefix_stays(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1 peer 10.8.0.2/24 dev t0");
    OK(tuntap_set_addr(dev, "10.8.0.1", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.2\",\"prefixlen\":24,", "address show t0");
    OK(tuntap_set_addr(dev, "10.8.0.1/24", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24,", "address show t0");
    tuntap_close(dev);

    /* Also if the device has other addresses. */
    const char *kept[] = {"10.8.0.1", "10.9.0.1"}, *gone[] = {"10.9.0.1", "10.8.0.1"};
    for (size_t i = 0; i < 2; i++) {
        char shown[64];
        OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
        IP("address add 10.8.0.1/24 dev t0");
        IP("address add 10.9.0.1/24 dev t0");
        OK(tuntap_set_addr(dev, kept[i], &err));
        snprintf(shown, sizeof shown, "\"local\":\"%s\",\"prefixlen\":24,", kept[i]);
        IP_HAS(shown, "address show t0");
        IP_HAS_NOT(gone[i], "address show t0");
        tuntap_close(dev);
    }
}

static void invalid_addresses_change_nothing(void)
{
    static char before[65536];
    const char *wrong[] = {"",           "/",          "10.8.0.1/",   "10.8.0.1/33",     "10.8.0.1/+8", "10.8.0.1/-1",
                           "10.8.0",     "10.8.0.256", "10.8.0.1 ",   "010.8.0.1",       "fd00::1/129", "host",
                           "0.0.0.0/24", "224.0.0.1",  "10.8.0.\xff", "255.255.255.255", "10.8.0.1/24/24"};
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    strcpy(before, output_of("ip -d address"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(tuntap_set_addr(dev, wrong[i], &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_set_addr(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_addr(NULL, "10.8.0.1", &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strcmp(before, output_of("ip -d address")) == 0);
    IP("link delete t0");
    FAILS(tuntap_set_addr(dev, "10.8.0.1", &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

/** A link-local address replaces the link-local addresses of IPv6, and another address replaces the others. */
static void an_ipv6_address_replaces_those_of_the_same_kind(uint64_t kind)
{
    OK(tuntap_open("t0", kind, &dev, &err));
    IP("link set t0 addrgenmode none");
    IP("link set t0 up");
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add fd00::1/64 dev t0 nodad");
    IP("address add fd00::2/64 dev t0 nodad");
    IP("address add fe80::1/64 dev t0 nodad");
    OK(tuntap_set_addr(dev, "fd00::3/64", &err));
    IP_HAS("\"local\":\"fd00::3\",\"prefixlen\":64,", "address show t0");
    IP_HAS_NOT("\"fd00::1\"", "address show t0");
    IP_HAS_NOT("\"fd00::2\"", "address show t0");
    IP_HAS("\"fe80::1\"", "address show t0");
    IP_HAS("\"10.8.0.1\"", "address show t0");

    /* The same address with another prefix, and without a prefix in the call. */
    OK(tuntap_set_addr(dev, "fd00::3/80", &err));
    IP_HAS("\"local\":\"fd00::3\",\"prefixlen\":80,", "address show t0");
    OK(tuntap_set_addr(dev, "fd00::3", &err));
    IP_HAS("\"local\":\"fd00::3\",\"prefixlen\":80,", "address show t0");

    OK(tuntap_set_addr(dev, "fe80::2/64", &err));
    IP_HAS("\"fe80::2\"", "address show t0");
    IP_HAS_NOT("\"fe80::1\"", "address show t0");
    IP_HAS("\"fd00::3\"", "address show t0");
    OK(tuntap_set_addr(dev, "10.9.0.1/24", &err));
    IP_HAS("\"fd00::3\"", "address show t0");
    IP_HAS_NOT("\"10.8.0.1\"", "address show t0");

    IP("link set t0 mtu 1300");
    write_file("/proc/sys/net/ipv6/conf/t0/disable_ipv6", "1");
    FAILS(tuntap_set_addr(dev, "fd00::9/64", &err), EACCES, TUNTAP_REASON_SYSTEM);
    IP("link set t0 mtu 1000");
    FAILS(tuntap_set_addr(dev, "fd00::9/64", &err), EINVAL, TUNTAP_REASON_RANGE);
    tuntap_close(dev);
}

/** The kernel removes routes with the address that they need. A failed change restores the routes too. */
static void a_failed_change_restores_the_routes(void)
{
    static const char *const all = "ip -d address show t0; ip -d route show table all; ip -d -6 route show table all";
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 addrgenmode none");
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    IP("route add 10.9.0.0/16 dev t0 src 10.8.0.1");
    IP("route add 10.10.0.0/16 via 10.8.0.2 dev t0");
    IP("route add 10.11.0.0/16 via 10.8.0.2 dev t0 tos 0x10 mtu 1300 table 100");
    char *before = strdup(output_of("%s", all));
    refused_type = RTM_NEWADDR;
    FAILS(tuntap_set_addr(dev, "10.7.0.1/24", &err), ENOMEM, TUNTAP_REASON_SYSTEM);
    if (refused_type || strcmp(before, output_of("%s", all)) != 0)
        fail(__FILE__, __LINE__, before, output_of("%s", all));
    free(before);
    tuntap_close(dev);
}

/** The kernel has made the change, but its answer is lost. */
static void a_request_is_repeated_after_a_lost_answer(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    lost_type = RTM_DELADDR;
    OK(tuntap_set_addr(dev, "10.8.0.2/24", &err));
    CHECK(lost_type == 0);
    lost_type = RTM_NEWADDR;
    OK(tuntap_set_addr(dev, "10.8.0.3/24", &err));
    CHECK(lost_type == 0);
    lost_type = RTM_GETADDR;
    OK(tuntap_set_addr(dev, "10.8.0.3/25", &err));
    CHECK(lost_type == 0);
    IP_HAS("\"local\":\"10.8.0.3\",\"prefixlen\":25,", "address show t0");
    IP_HAS_NOT("10.8.0.2", "address show t0");
    tuntap_close(dev);
}

static void only_a_change_needs_privilege(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    drop_privileges();
    OK(tuntap_set_addr(dev, "10.8.0.1/24", &err));
    OK(tuntap_set_addr(dev, "10.8.0.1", &err));
    FAILS(tuntap_set_addr(dev, "10.8.0.1/25", &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    FAILS(tuntap_set_addr(dev, "10.8.0.2", &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24,", "address show t0");
    tuntap_close(dev);
}

int main(void)
{
    begin();
    it_sets_the_address_the_prefix_and_the_route(TUNTAP_TUN);
    it_sets_the_address_the_prefix_and_the_route(TUNTAP_TAP);
    it_replaces_all_ipv4_addresses();
    without_a_prefix_the_present_prefix_stays();
    invalid_addresses_change_nothing();
    an_ipv6_address_replaces_those_of_the_same_kind(TUNTAP_TUN);
    an_ipv6_address_replaces_those_of_the_same_kind(TUNTAP_TAP);
    a_failed_change_restores_the_routes();
    a_request_is_repeated_after_a_lost_answer();
    only_a_change_needs_privilege();
    return 0;
}
