/* SPDX-License-Identifier: MIT */
#include "test.h"

static tuntap *dev;

static void the_netmask_changes_the_prefix(uint64_t kind)
{
    OK(tuntap_open("t0", kind, &dev, &err));
    FAILS(tuntap_set_netmask(dev, "255.255.255.0", &err), ENOENT, TUNTAP_REASON_UNSET);
    IP("address add 10.8.0.1/32 dev t0");
    IP("link set t0 up");
    OK(tuntap_set_netmask(dev, "255.255.255.0", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24", "address show t0");
    IP_HAS("\"dst\":\"10.8.0.0/24\"", "route show dev t0");
    IP_SAYS(kind == TUNTAP_TAP, "\"broadcast\":\"10.8.0.255\"", "address show t0");
    OK(tuntap_set_netmask(dev, "255.255.255.252", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":30", "address show t0");
    IP_HAS_NOT("10.8.0.0/24", "route show dev t0");
    OK(tuntap_set_netmask(dev, "0.0.0.0", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":0", "address show t0");
    OK(tuntap_set_netmask(dev, "255.255.255.255", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":32", "address show t0");
    tuntap_close(dev);
}

/** The first address stays the first one, so that the next call changes the same address. */
static void the_first_address_stays_the_first(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add 10.9.0.1/24 dev t0");
    OK(tuntap_set_netmask(dev, "255.255.0.0", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":16,", "address show t0");
    IP_HAS("\"local\":\"10.9.0.1\",\"prefixlen\":24,", "address show t0");
    const char *shown = output_of("ip -j address show t0");
    CHECK(strstr(shown, "\"local\":\"10.8.0.1\"") < strstr(shown, "\"local\":\"10.9.0.1\""));
    tuntap_close(dev);
}

/** The kernel lists a deprecated address without lifetime as if it were preferred for ever. */
static void a_deprecated_address_stays_deprecated(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("address add 10.9.0.1/24 dev t0 preferred_lft 0");
    IP("address add 10.10.0.1/24 dev t0 valid_lft 5000 preferred_lft 0");
    IP("address add 10.11.0.1/24 dev t0 valid_lft 5000 preferred_lft 3000");
    OK(tuntap_set_netmask(dev, "255.255.0.0", &err));
    IP_HAS("\"deprecated\":true", "address show t0 to 10.9.0.1");
    IP_HAS("\"valid_life_time\":4294967295", "address show t0 to 10.9.0.1");
    IP_HAS("\"deprecated\":true", "address show t0 to 10.10.0.1");
    IP_HAS_NOT("\"deprecated\":true", "address show t0 to 10.11.0.1");
    const char *said = strstr(output_of("ip -j address show t0 to 10.11.0.1"), "\"preferred_life_time\":");
    CHECK(said && atoi(said + 22) > 2900 && atoi(said + 22) <= 3000);
    tuntap_close(dev);
}

static void a_removed_device_is_reported(void)
{
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link delete t0");
    FAILS(tuntap_set_netmask(dev, "255.0.0.0", &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

static void invalid_values_are_refused_and_only_a_change_needs_privilege(void)
{
    const char *wrong[] = {"", "24", "/24", "255.0.255.0", "0.0.0.255", "255.255.255", "ffff::"};
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1 peer 10.8.0.2/24 dev t0");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(tuntap_set_netmask(dev, wrong[i], &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_set_netmask(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_netmask(NULL, "255.0.0.0", &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    drop_privileges();
    OK(tuntap_set_netmask(dev, "255.255.255.0", &err));
    FAILS(tuntap_set_netmask(dev, "255.255.0.0", &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.2\",\"prefixlen\":24", "address show t0");
    tuntap_close(dev);
}

int main(void)
{
    begin();
    the_netmask_changes_the_prefix(TUNTAP_TUN);
    the_netmask_changes_the_prefix(TUNTAP_TAP);
    the_first_address_stays_the_first();
    a_deprecated_address_stays_deprecated();
    a_removed_device_is_reported();
    invalid_values_are_refused_and_only_a_change_needs_privilege();
    return 0;
}
