/* SPDX-License-Identifier: MIT */
#include "test.h"

enum { MOST = 16 };

static tuntap_addr addrs[MOST];

/** The listed entry of this address. */
static const tuntap_addr *find(ssize_t count, const char *addr)
{
    for (ssize_t i = 0; i < count; i++)
        if (strcmp(addrs[i].addr, addr) == 0)
            return &addrs[i];
    fail(__FILE__, __LINE__, "not listed", addr);
    return NULL;
}

static void addresses_are_those_of_the_kernel(uint64_t kind)
{
    const uint64_t bare = kind == TUNTAP_TAP ? TUNTAP_ADDR_NOBROADCAST : 0;
    tuntap *dev, *other;
    OK(tuntap_open("t0", kind, &dev, &err));
    OK(tuntap_open("t1", kind, &other, &err));
    CHECK(tuntap_list_addrs(dev, addrs, MOST, sizeof *addrs, &err) == 0);
    IP("link set t0 addrgenmode none");
    IP("link set t0 up");
    IP("address add 192.0.2.1/24 dev t1");
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add 10.8.0.2/24 dev t0");
    IP("address add 10.8.1.1 peer 10.8.1.2/32 dev t0 scope link");
    IP("address add 10.8.2.1/32 dev t0 scope host");
    IP("address add fd00::1/64 dev t0 nodad");
    IP("address add fd00::2 peer fd00::3/128 dev t0 nodad");
    IP("address add fe80::1/64 dev t0 nodad noprefixroute");
    IP("address add fd00::4/64 dev t0 nodad valid_lft 1000 preferred_lft 0");
    ssize_t count = tuntap_list_addrs(dev, addrs, MOST, sizeof *addrs, &err);
    CHECK(count == 8);

    /* IPv4 addresses come first, in the order of the kernel. */
    const tuntap_addr *addr = find(count, "10.8.0.1/24");
    CHECK(addr->family == TUNTAP_IPV4 && addr->prefix == 24 && addr->scope == TUNTAP_SCOPE_GLOBAL);
    CHECK(addr->flags == bare && addr->peer[0] == 0 && addr->reserved == 0 && addr->label[0] == 0);
    CHECK(addr->valid == 0 && addr->preferred == 0 && addr->metric == 0 && addr->broadcast[0] == 0);
    addr = find(count, "10.8.0.2/24");
    CHECK(addr->flags == (bare | TUNTAP_ADDR_SECONDARY));
    addr = find(count, "10.8.1.1/32");
    CHECK(strcmp(addr->peer, "10.8.1.2") == 0 && addr->scope == TUNTAP_SCOPE_LINK);
    addr = find(count, "10.8.2.1/32");
    CHECK(addr->scope == TUNTAP_SCOPE_HOST);
    const char *shown = output_of("ip -o -4 address show t0");
    for (int i = 0; i < 4; i++) {
        CHECK(addrs[i].family == TUNTAP_IPV4);
        shown = strstr(shown, addrs[i].peer[0] ? addrs[i].peer : addrs[i].addr);
        CHECK(shown);
    }

    addr = find(count, "fd00::1/64");
    CHECK(addr->family == TUNTAP_IPV6 && addr->prefix == 64 && addr->scope == TUNTAP_SCOPE_GLOBAL);
    CHECK(addr->flags == TUNTAP_ADDR_NODAD && addr->peer[0] == 0);
    addr = find(count, "fd00::2/128");
    CHECK(strcmp(addr->peer, "fd00::3") == 0);
    addr = find(count, "fe80::1/64");
    CHECK(addr->scope == TUNTAP_SCOPE_LINK && addr->flags == (TUNTAP_ADDR_NODAD | TUNTAP_ADDR_NOPREFIXROUTE));
    addr = find(count, "fd00::4/64");
    CHECK(addr->flags == (TUNTAP_ADDR_NODAD | TUNTAP_ADDR_DEPRECATED | TUNTAP_ADDR_DYNAMIC));
    CHECK(addr->valid > 990 && addr->valid <= 1000 && addr->preferred == 0);
    tuntap_close(dev);
    tuntap_close(other);
}

static void tentative_addresses_are_reported(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 addrgenmode none");
    IP("link set t0 up");
    IP("address add fd00::1/64 dev t0");
    CHECK(tuntap_list_addrs(dev, addrs, MOST, sizeof *addrs, &err) == 1);
    CHECK(addrs[0].flags == TUNTAP_ADDR_TENTATIVE);
    tuntap_close(dev);
}

/** A caller may have room for fewer entries, or know more members than this library. */
static void only_as_many_as_fit_are_written(void)
{
    struct {
        tuntap_addr known;
        uint64_t later[3];
    } longer[3];
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    for (int i = 1; i <= 3; i++)
        IP("address add 10.8.%d.1/24 dev t0", i);
    CHECK(tuntap_list_addrs(dev, NULL, 0, sizeof *addrs, &err) == 3);
    memset(addrs, 0x55, sizeof addrs);
    CHECK(tuntap_list_addrs(dev, addrs, 2, sizeof *addrs, &err) == 3);
    CHECK(strcmp(addrs[1].addr, "10.8.2.1/24") == 0 && addrs[2].addr[0] == 0x55);

    memset(longer, 0x55, sizeof longer);
    CHECK(tuntap_list_addrs(dev, &longer[0].known, 2, sizeof *longer, &err) == 3);
    CHECK(strcmp(longer[1].known.addr, "10.8.2.1/24") == 0);
    CHECK(longer[0].later[0] == 0 && longer[1].later[2] == 0 && longer[2].known.addr[0] == 0x55);

    memset(addrs, 0x55, sizeof addrs);
    FAILS(tuntap_list_addrs(dev, addrs, 3, sizeof *addrs - 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("sizeof(tuntap_addr)");
    FAILS(tuntap_list_addrs(dev, addrs, 3, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list_addrs(dev, addrs, 3, 4097, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list_addrs(dev, NULL, 3, sizeof *addrs, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list_addrs(dev, addrs, (size_t)-11, sizeof *addrs, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list_addrs(dev, addrs, 3, (size_t)-11, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list_addrs(NULL, addrs, 3, sizeof *addrs, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_list_addrs(dev, addrs, 3, sizeof *addrs, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(addrs[0].addr[0] == 0x55);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    addresses_are_those_of_the_kernel(TUNTAP_TUN);
    addresses_are_those_of_the_kernel(TUNTAP_TAP);
    tentative_addresses_are_reported();
    only_as_many_as_fit_are_written();
    return 0;
}
