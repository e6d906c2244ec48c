/* SPDX-License-Identifier: MIT */
#include "test.h"

static tuntap *dev;

static void expect_address(const char *address, int wanted)
{
    char text[100];
    snprintf(text, sizeof text, "\"local\":\"%s\"", address);
    IP_SAYS(wanted, text, "address show t0");
}

/** Three addresses of one network. With the first one, the kernel removes the others, and the library restores them. */
static void other_addresses_keep_their_order(const char *gone, const char *kept)
{
    char local[32];
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0 label t0:one");
    IP("address add 10.8.0.2/24 dev t0 label t0:two");
    IP("address add 10.8.0.3/24 dev t0 valid_lft 1000 preferred_lft 500 label t0:three");
    OK(del_addr(dev, gone, NULL, &err));
    snprintf(local, sizeof local, "%.8s", gone);
    expect_address(local, 0);
    const char *shown = output_of("ip -o -4 address show t0");
    const char *at = shown;
    for (const char *label = kept; *label; label += strlen(label) + 1) {
        at = strstr(at, label);
        if (!at)
            fail(__FILE__, __LINE__, label, shown);
    }
    if (strcmp(local, "10.8.0.3") != 0) {
        CHECK(strstr(shown, "valid_lft 1000sec") || strstr(shown, "valid_lft 999sec"));
        CHECK(strstr(shown, "preferred_lft 500sec") || strstr(shown, "preferred_lft 499sec"));
    }
    tuntap_close(dev);
}

static void addresses_of_both_families_are_removed(uint64_t kind)
{
    OK(tuntap_open("t0", kind, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add 10.8.0.1 peer 10.8.0.9/32 dev t0");
    IP("address add fd00::1/64 dev t0 nodad");
    IP("address add fd00::2/64 dev t0 nodad");
    IP("address add fd00::3 peer fd00::4/128 dev t0 nodad");
    OK(del_addr(dev, "fd00::1/64", NULL, &err));
    expect_address("fd00::1", 0);
    expect_address("fd00::2", 1);
    OK(del_addr(dev, "fd00::3", "fd00::4", &err));
    expect_address("fd00::3", 0);
    OK(del_addr(dev, "10.8.0.1", "10.8.0.9", &err));
    IP_HAS_NOT("10.8.0.9", "address show t0");
    expect_address("10.8.0.1", 1);

    /* With a prefix, the address without a peer is meant if there is one. */
    IP("address add 10.8.0.1 peer 10.9.0.9/24 dev t0");
    OK(del_addr(dev, "10.8.0.1/24", NULL, &err));
    IP_HAS("10.9.0.9", "address show t0");
    expect_address("10.8.0.1", 1);
    OK(del_addr(dev, "10.8.0.1/24", NULL, &err));
    expect_address("10.8.0.1", 0);
    IP("address add 10.8.0.1/24 dev t0");

    /* Without a prefix and a peer, all entries with this address are meant. */
    IP("address add 10.8.0.1 peer 10.8.0.9/32 dev t0");
    OK(del_addr(dev, "10.8.0.1", NULL, &err));
    expect_address("10.8.0.1", 0);
    OK(del_addr(dev, "fd00::2", NULL, &err));
    expect_address("fd00::2", 0);
    tuntap_close(dev);
}

static void failed_calls_change_nothing(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add fd00::1/64 dev t0 nodad");
    char *before = strdup(output_of("ip -j -d address show t0"));
    FAILS(del_addr(dev, "10.8.0.2", NULL, &err), ENOENT, TUNTAP_REASON_UNSET);
    MESSAGE_HAS("t0 does not have the address 10.8.0.2");
    FAILS(del_addr(dev, "10.8.0.1/25", NULL, &err), ENOENT, TUNTAP_REASON_UNSET);
    FAILS(del_addr(dev, "10.8.0.1", "10.8.0.9", &err), ENOENT, TUNTAP_REASON_UNSET);
    FAILS(del_addr(dev, "fd00::2/64", NULL, &err), ENOENT, TUNTAP_REASON_UNSET);
    FAILS(del_addr(dev, "host", NULL, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(del_addr(dev, "10.8.0.1", "fd00::2", &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_del_addr(dev, addr_of("10.8.0.1", NULL, 0), 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(del_addr(dev, NULL, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(del_addr(NULL, "10.8.0.1", NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strcmp(before, output_of("ip -j -d address show t0")) == 0);
    IP("link delete t0");
    FAILS(del_addr(dev, "10.8.0.1", NULL, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    drop_privileges();
    FAILS(del_addr(dev, "10.8.0.1", NULL, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    expect_address("10.8.0.1", 1);
    free(before);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    other_addresses_keep_their_order("10.8.0.1/24", "10.8.0.2/24\0t0:two\00010.8.0.3/24\0t0:three\0");
    other_addresses_keep_their_order("10.8.0.2", "10.8.0.1/24\0t0:one\00010.8.0.3/24\0t0:three\0");
    other_addresses_keep_their_order("10.8.0.3/24", "10.8.0.1/24\0t0:one\00010.8.0.2/24\0t0:two\0");
    addresses_of_both_families_are_removed(TUNTAP_TUN);
    addresses_of_both_families_are_removed(TUNTAP_TAP);
    failed_calls_change_nothing();
    return 0;
}
