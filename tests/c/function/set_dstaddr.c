/* SPDX-License-Identifier: MIT */
#include "test.h"

static tuntap *dev;

static void the_destination_is_set_and_unset(uint64_t kind)
{
    OK(tuntap_open("t0", kind, &dev, &err));
    FAILS(tuntap_set_dstaddr(dev, "10.8.0.2", &err), ENOENT, TUNTAP_REASON_UNSET);
    MESSAGE_HAS("tuntap_set_addr");
    IP("address add 10.8.0.1/24 dev t0");
    OK(tuntap_set_dstaddr(dev, "10.8.0.2", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.2\",\"prefixlen\":24", "address show t0");
    IP("link set t0 up");
    OK(tuntap_set_dstaddr(dev, "10.9.0.2", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.9.0.2\",\"prefixlen\":24", "address show t0");
    IP_HAS("\"dst\":\"10.9.0.0/24\"", "route show dev t0");
    OK(tuntap_set_dstaddr(dev, "10.8.0.1", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24", "address show t0");
    tuntap_close(dev);
}

/** The first address changes, and the other addresses stay. */
static void other_addresses_stay(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    write_file("/proc/sys/net/ipv4/conf/all/promote_secondaries", "0");
    write_file("/proc/sys/net/ipv4/conf/t0/promote_secondaries", "0");
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add 10.8.0.7/24 dev t0");
    OK(tuntap_set_dstaddr(dev, "10.8.0.2", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.2\"", "address show t0");
    IP_HAS("\"local\":\"10.8.0.7\",\"prefixlen\":24", "address show t0");
    tuntap_close(dev);
}

/** The first address stays the first one, so that the next call changes the same address. */
static void the_first_address_stays_the_first(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add 10.9.0.1/24 dev t0");
    OK(tuntap_set_dstaddr(dev, "10.8.0.2", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.2\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"local\":\"10.9.0.1\",\"prefixlen\":24,", "address show t0");
    const char *shown = output_of("ip -j address show t0");
    CHECK(strstr(shown, "\"local\":\"10.8.0.1\"") < strstr(shown, "\"local\":\"10.9.0.1\""));
    tuntap_close(dev);
}

static void a_removed_device_is_reported(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link delete t0");
    FAILS(tuntap_set_dstaddr(dev, "10.8.0.2", &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

static void invalid_values_are_refused_and_only_a_change_needs_privilege(void)
{
    const char *wrong[] = {"", "10.8.0.2/24", "0.0.0.0", "224.0.0.1", "fd00::2", "host"};
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1 peer 10.8.0.2 dev t0");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(tuntap_set_dstaddr(dev, wrong[i], &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_set_dstaddr(dev, "10.5.9.2/30", &err), EINVAL, TUNTAP_REASON_ADDRESS);
    MESSAGE_HAS("\"10.5.9.2/30\": a peer has no prefix");
    FAILS(tuntap_set_dstaddr(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_dstaddr(NULL, "10.8.0.2", &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    drop_privileges();
    OK(tuntap_set_dstaddr(dev, "10.8.0.2", &err));
    FAILS(tuntap_set_dstaddr(dev, "10.8.0.3", &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.2\",\"prefixlen\":32", "address show t0");
    tuntap_close(dev);
}

int main(void)
{
    begin();
    the_destination_is_set_and_unset(TUNTAP_TUN);
    the_destination_is_set_and_unset(TUNTAP_TAP);
    other_addresses_stay();
    the_first_address_stays_the_first();
    a_removed_device_is_reported();
    invalid_values_are_refused_and_only_a_change_needs_privilege();
    return 0;
}
