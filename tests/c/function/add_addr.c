/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

static tuntap *dev;

static void several_addresses_of_each_family_are_added(uint64_t kind)
{
    OK(tuntap_open("t0", kind, &dev, &err));
    OK(add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(add_addr(dev, "10.8.0.2/24", NULL, 0, &err));
    OK(add_addr(dev, "192.0.2.1", NULL, 0, &err));
    OK(add_addr(dev, "fd00::1/64", NULL, 0, &err));
    OK(add_addr(dev, "fd00:0:0:1::1/64", NULL, 0, &err));
    OK(add_addr(dev, "fd00::9", NULL, 0, &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"local\":\"10.8.0.2\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"local\":\"192.0.2.1\",\"prefixlen\":32,", "address show t0");
    IP_HAS("\"local\":\"fd00::1\",\"prefixlen\":64,", "address show t0");
    IP_HAS("\"local\":\"fd00:0:0:1::1\",\"prefixlen\":64,", "address show t0");
    IP_HAS("\"local\":\"fd00::9\",\"prefixlen\":128,", "address show t0");
    tuntap_close(dev);
}

/** The label that the kernel sets by default is not a different property. */
static void the_device_name_is_the_default_label(void)
{
    tuntap_addr addr = {.addr = "10.8.0.1/24", .label = "t0"};
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_add_addr(dev, &addr, sizeof addr, 0, &err));
    OK(tuntap_add_addr(dev, &addr, sizeof addr, 0, &err));
    IP_HAS("\"label\":\"t0\"", "address show t0");
    strcpy(addr.label, "t0:1");
    FAILS(tuntap_add_addr(dev, &addr, sizeof addr, 0, &err), EEXIST, TUNTAP_REASON_BUSY);
    tuntap_close(dev);
}

/** As tuntap.h describes it: inet_ntop(3) writes the text, and the prefix is a number. */
static void binary_addresses_can_be_added(void)
{
    const struct in_addr v4 = {htonl(0x0a080001)};
    const struct in6_addr v6 = {{{0xfd, [15] = 1}}};
    tuntap_addr addr = {.prefix = 24}, addr6 = {.prefix = 64};
    tuntap_route route = {.prefix = 48};
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    CHECK(inet_ntop(AF_INET, &v4, addr.addr, sizeof addr.addr));
    CHECK(inet_ntop(AF_INET6, &v6, addr6.addr, sizeof addr6.addr));
    CHECK(inet_ntop(AF_INET6, &(struct in6_addr){{{0xfd, 1}}}, route.destination, sizeof route.destination));
    OK(tuntap_add_addr(dev, &addr, sizeof addr, 0, &err));
    OK(tuntap_add_addr(dev, &addr6, sizeof addr6, 0, &err));
    OK(tuntap_up(dev, &err));
    OK(tuntap_add_route(dev, &route, sizeof route, 0, &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"local\":\"fd00::1\",\"prefixlen\":64,", "address show t0");
    IP_HAS("\"dst\":\"fd01::/48\"", "-6 route show dev t0");
    tuntap_close(dev);
}

static void an_address_of_a_tap_has_a_broadcast_address(void)
{
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    OK(add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(add_addr(dev, "10.8.1.1/31", NULL, 0, &err));
    IP_HAS("\"broadcast\":\"10.8.0.255\"", "address show t0");
    IP_HAS_NOT("\"broadcast\":\"10.8.1", "address show t0");
    tuntap_close(dev);
}

static void a_loopback_address_has_host_scope(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(add_addr(dev, "127.0.0.9/8", NULL, 0, &err));
    IP_HAS("\"local\":\"127.0.0.9\",\"prefixlen\":8,\"scope\":\"host\"", "address show t0");
    OK(del_addr(dev, "127.0.0.9/8", NULL, &err));
    IP_HAS_NOT("127.0.0.9", "address show t0");
    tuntap_close(dev);
}

static void an_address_can_have_a_peer(uint64_t kind)
{
    OK(tuntap_open("t0", kind, &dev, &err));
    IP("link set t0 up");
    OK(add_addr(dev, "10.8.0.1", "10.8.0.2", 0, &err));
    OK(add_addr(dev, "10.8.1.1/24", "10.8.1.2", 0, &err));
    OK(add_addr(dev, "fd00::1", "fd00::2", 0, &err));
    OK(add_addr(dev, "192.0.2.1/24", "192.0.2.1", 0, &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.2\",\"prefixlen\":32,", "address show t0");
    IP_HAS("\"local\":\"10.8.1.1\",\"address\":\"10.8.1.2\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"local\":\"fd00::1\",\"address\":\"fd00::2\",\"prefixlen\":128,", "address show t0");
    IP_HAS("\"local\":\"192.0.2.1\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"dst\":\"10.8.0.2\"", "route show dev t0");
    while (!strstr(output_of("ip -6 route show dev t0"), "fd00::2 ")) /* the kernel adds it a moment later */
        poll(NULL, 0, 10);
    tuntap_close(dev);
}

/** A TUN never does duplicate address detection, and a TAP does it unless TUNTAP_ADDR_NODAD is set. */
static void duplicate_address_detection_runs_on_a_tap_without_nodad(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link set t0 up");
    OK(add_addr(dev, "fd00::1/64", NULL, 0, &err));
    IP_HAS_NOT("\"tentative\":true", "address show t0 to fd00::1");
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 up");
    OK(add_addr(dev, "fd00::1/64", NULL, 0, &err));
    OK(add_addr(dev, "fd00::2/64", NULL, TUNTAP_ADDR_NODAD, &err));
    IP_HAS("\"tentative\":true", "address show t0 to fd00::1");
    IP_HAS_NOT("\"tentative\":true", "address show t0 to fd00::2");
    IP_HAS("\"nodad\":true", "address show t0 to fd00::2");
    tuntap_close(dev);
}

static void a_route_to_the_network_is_added_unless_disabled(void)
{
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 up");
    OK(add_addr(dev, "10.8.0.1/24", NULL, TUNTAP_ADDR_NOPREFIXROUTE, &err));
    OK(add_addr(dev, "fd00::1/64", NULL, TUNTAP_ADDR_NOPREFIXROUTE | TUNTAP_ADDR_NODAD, &err));
    OK(add_addr(dev, "10.9.0.1/24", NULL, 0, &err));
    OK(add_addr(dev, "fd01::1/64", NULL, 0, &err));
    IP_HAS_NOT("10.8.0.0/24", "route show dev t0");
    IP_HAS_NOT("fd00::/64", "-6 route show dev t0");
    IP_HAS("10.9.0.0/24", "route show dev t0");
    IP_HAS("fd01::/64", "-6 route show dev t0");
    tuntap_close(dev);
}

static void adding_existing_addresses_needs_no_privilege(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add 10.8.0.1 peer 10.8.0.9/32 dev t0");
    IP("address add fd00::1/64 dev t0");
    drop_privileges();
    OK(add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(add_addr(dev, "10.8.0.1", NULL, 0, &err));
    OK(add_addr(dev, "10.8.0.1", "10.8.0.9", 0, &err));
    OK(add_addr(dev, "fd00::1/64", NULL, TUNTAP_ADDR_NODAD, &err));
    FAILS(add_addr(dev, "10.8.0.1/25", NULL, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    FAILS(add_addr(dev, "fd00::2/64", NULL, 0, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    tuntap_close(dev);
}

/** Whichever member is wrong, the call changes nothing. */
static void each_member_is_checked(void)
{
    struct {
        tuntap_addr known;
        uint64_t later;
    } longer = {*addr_of("10.8.0.1/24", NULL, 0), 0};
    tuntap_addr *const addr = &longer.known, good = *addr;
#define WRONG(change, why)                                                            \
    do {                                                                              \
        *addr = good;                                                                 \
        change;                                                                       \
        FAILS(tuntap_add_addr(dev, addr, sizeof *addr, 0, &err), EINVAL, (why));      \
    } while (0)
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    WRONG(addr->family = 2, TUNTAP_REASON_ARGUMENT);
    WRONG(addr->family = TUNTAP_IPV6, TUNTAP_REASON_ADDRESS);
    WRONG(addr->prefix = 25, TUNTAP_REASON_ADDRESS);
    WRONG(addr->prefix = 280, TUNTAP_REASON_ADDRESS);
    WRONG(addr->scope = 5, TUNTAP_REASON_ARGUMENT);
    WRONG(addr->protocol = 256, TUNTAP_REASON_RANGE);
    WRONG(addr->reserved = 1, TUNTAP_REASON_ARGUMENT);
    WRONG((addr->valid = 10, addr->preferred = 11), TUNTAP_REASON_RANGE);
    WRONG((addr->flags = TUNTAP_ADDR_DEPRECATED, addr->preferred = 1), TUNTAP_REASON_RANGE);
    WRONG(strcpy(addr->broadcast, "fd00::1"), TUNTAP_REASON_ADDRESS);
    WRONG(strcpy(addr->label, "sixteen-letters-"), TUNTAP_REASON_RANGE);
    WRONG((strcpy(addr->addr, "fd00::1/64"), strcpy(addr->label, "t0:1")), TUNTAP_REASON_ARGUMENT);
    WRONG((strcpy(addr->addr, "fd00::1/64"), strcpy(addr->broadcast, "10.8.0.9")), TUNTAP_REASON_ARGUMENT);
    WRONG(memset(addr->addr, '1', sizeof addr->addr), TUNTAP_REASON_ADDRESS);
    MESSAGE_HAS("the address is not NUL-terminated");
    *addr = good;
    FAILS(tuntap_add_addr(dev, addr, sizeof *addr - 1, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("sizeof(tuntap_addr)");
    FAILS(tuntap_add_addr(dev, addr, 4097, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    longer.later = 1;
    FAILS(tuntap_add_addr(dev, addr, sizeof longer, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("this version of the library does not know that member");
    IP_HAS_NOT("10.8.0.1", "address show t0");
    longer.later = 0;
    OK(tuntap_add_addr(dev, addr, sizeof longer, 0, &err));
    IP_HAS("\"local\":\"10.8.0.1\"", "address show t0");
    tuntap_close(dev);
}

/** The IFA_PROTO of an address, or 0 if it has none. Not every ip(8) shows it. */
static int protocol_of(const char *wanted)
{
    char reply[8192], request[NLMSG_LENGTH(sizeof(struct ifaddrmsg))] = {0};
    struct nlmsghdr *header = (struct nlmsghdr *)request;
    int found = 0, sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    uint32_t ip = inet_addr(wanted);
    header->nlmsg_len = sizeof request;
    header->nlmsg_type = RTM_GETADDR;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    ((struct ifaddrmsg *)NLMSG_DATA(header))->ifa_family = AF_INET;
    CHECK(send(sock, request, sizeof request, 0) == sizeof request);
    int length = (int)recv(sock, reply, sizeof reply, 0);
    for (header = (struct nlmsghdr *)reply; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
        struct rtattr *part = IFA_RTA(NLMSG_DATA(header));
        int left = (int)IFA_PAYLOAD(header), matches = 0, protocol = 0;
        for (; header->nlmsg_type == RTM_NEWADDR && RTA_OK(part, left); part = RTA_NEXT(part, left)) {
            matches |= part->rta_type == IFA_LOCAL && memcmp(RTA_DATA(part), &ip, 4) == 0;
            protocol = part->rta_type == 11 ? *(uint8_t *)RTA_DATA(part) : protocol;
        }
        found = matches ? protocol : found;
    }
    close(sock);
    return found;
}

static void all_members_reach_the_kernel(void)
{
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    tuntap_addr addr = {.family = TUNTAP_IPV4, .prefix = 24, .scope = TUNTAP_SCOPE_LINK, .metric = 77, .valid = 3000,
                        .preferred = 2000, .protocol = 9, .addr = "10.8.0.1", .broadcast = "10.8.0.250",
                        .label = "t0:vpn"};
    OK(tuntap_add_addr(dev, &addr, sizeof addr, 0, &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24,\"metric\":77,\"broadcast\":\"10.8.0.250\",\"scope\":\"link\"",
           "address show t0");
    IP_HAS("\"dynamic\":true", "address show t0");
    IP_HAS("\"label\":\"t0:vpn\"", "address show t0");
    CHECK(protocol_of("10.8.0.1") == (kernel_is(5, 18) ? 9 : 0));
    const char *said = strstr(output_of("ip -j address show t0"), "\"valid_life_time\":");
    CHECK(said && atoi(said + 18) >= 2990 && atoi(said + 18) <= 3000);
    said = strstr(said, "\"preferred_life_time\":");
    CHECK(said && atoi(said + 22) >= 1990 && atoi(said + 22) <= 2000);
    tuntap_addr bare = {.flags = TUNTAP_ADDR_NOBROADCAST | TUNTAP_ADDR_DEPRECATED, .addr = "10.9.0.1/24"};
    OK(tuntap_add_addr(dev, &bare, sizeof bare, 0, &err));
    IP_HAS("\"local\":\"10.9.0.1\",\"prefixlen\":24,\"scope\"", "address show t0 to 10.9.0.1");
    IP_HAS("\"deprecated\":true", "address show t0 to 10.9.0.1");
    tuntap_close(dev);
}

/** The kernel derives the scope of an IPv6 address, and ip(8) ignores a request for one too. */
static void the_scope_of_an_ipv6_address_is_ignored(void)
{
    tuntap_addr addr = {.scope = TUNTAP_SCOPE_LINK, .addr = "fd00::1/64"};
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_add_addr(dev, &addr, sizeof addr, 0, &err));
    OK(tuntap_add_addr(dev, &addr, sizeof addr, 0, &err));
    OK(tuntap_add_addr(dev, &addr, sizeof addr, TUNTAP_REPLACE, &err));
    IP_HAS("\"scope\":\"global\"", "address show t0 to fd00::1");
    addr.scope = 5;
    FAILS(tuntap_add_addr(dev, &addr, sizeof addr, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_close(dev);
}

static void failed_calls_change_nothing(void)
{
    static const char *const wrong[][2] = {
        {"", NULL}, {"10.8.0.1/33", NULL}, {"fd00::1/129", NULL}, {"10.8.0.1/x", NULL}, {"fd00::1%t0", NULL},
        {"::", NULL}, {"::/0", NULL}, {"ff02::1/64", NULL}, {"224.0.0.1", NULL}, {"0.0.0.0/0", NULL},
        {"255.255.255.255", NULL}, {"10.8.0.1\xff", NULL}, {"10.8.0.1/24", "fd00::2"}, {"fd00::1", "10.8.0.2"},
        {"10.8.0.1/24", "10.8.0.2/24"}, {"10.8.0.1/24", "0.0.0.0"},
    };
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add fd00::1/64 dev t0 nodad");
    char *before = strdup(output_of("ip -j -d address show t0"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(add_addr(dev, wrong[i][0], wrong[i][1], 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(add_addr(dev, "10.5.9.1", "10.5.9.2/30", 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    MESSAGE_HAS("\"10.5.9.2/30\": a peer has no prefix: the prefix belongs to the address");
    FAILS(add_addr(dev, "10.8.0.1", NULL, 0x100, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_add_addr(dev, addr_of("10.8.0.1", NULL, 0), sizeof(tuntap_addr), 2, &err), EINVAL,
          TUNTAP_REASON_FLAGS);
    FAILS(add_addr(dev, "10.8.0.1", NULL, UINT64_C(1) << 63, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(add_addr(dev, "fd00::1/80", NULL, 0, &err), EEXIST, TUNTAP_REASON_BUSY);
    MESSAGE_HAS("add the address fd00::1/80 to t0: it has fd00::1/64 with other properties: use TUNTAP_REPLACE");
    FAILS(add_addr(dev, NULL, NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(add_addr(NULL, "10.8.0.1", NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strcmp(before, output_of("ip -j -d address show t0")) == 0);
    free(before);

    IP("link set t0 mtu 1279");
    FAILS(add_addr(dev, "fd00::2/64", NULL, 0, &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("IPv6 needs an MTU of 1280, and the MTU is 1279");
    OK(add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    IP("link set t0 mtu 1280");
    OK(add_addr(dev, "fd00::2/64", NULL, 0, &err));
    IP("link delete t0");
    FAILS(add_addr(dev, "10.8.0.2/24", NULL, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(add_addr(dev, "fd00::3/64", NULL, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    write_file("/proc/sys/net/ipv6/conf/t0/disable_ipv6", "1");
    FAILS(add_addr(dev, "fd00::1/64", NULL, 0, &err), EACCES, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("disable");
    tuntap_close(dev);
}

int main(void)
{
    begin();
    several_addresses_of_each_family_are_added(TUNTAP_TUN);
    several_addresses_of_each_family_are_added(TUNTAP_TAP);
    the_device_name_is_the_default_label();
    binary_addresses_can_be_added();
    an_address_of_a_tap_has_a_broadcast_address();
    a_loopback_address_has_host_scope();
    an_address_can_have_a_peer(TUNTAP_TUN);
    an_address_can_have_a_peer(TUNTAP_TAP);
    duplicate_address_detection_runs_on_a_tap_without_nodad();
    a_route_to_the_network_is_added_unless_disabled();
    each_member_is_checked();
    all_members_reach_the_kernel();
    the_scope_of_an_ipv6_address_is_ignored();
    failed_calls_change_nothing();
    adding_existing_addresses_needs_no_privilege();
    return 0;
}
