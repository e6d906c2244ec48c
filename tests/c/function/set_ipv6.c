/* SPDX-License-Identifier: MIT */
#include "netns.h"

/** The sysctl of the device has this value. */
#define SYSCTL_IS(value, device, name)                                                                      \
    do {                                                                                             \
        if (strcmp(output_of("cat /proc/sys/net/ipv6/conf/" device "/" name), value "\n") != 0)      \
            fail(__FILE__, __LINE__, name " is not " value, "");                                     \
    } while (0)

static void each_setting_is_set(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    for (uint32_t value = 0; value < 3; value++) {
        OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, value, &err));
        char line[] = {(char)('0' + value), '\n', 0};
        CHECK(strcmp(output_of("cat /proc/sys/net/ipv6/conf/t0/accept_ra"), line) == 0);
    }
    OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_ADDR_GEN_MODE, 3, &err));
    IP_HAS("\"inet6_addr_gen_mode\":\"random\"", "link show t0");
    OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_ADDR_GEN_MODE, 0, &err));
    IP_HAS("\"inet6_addr_gen_mode\":\"eui64\"", "link show t0");

    /* Without generated addresses the device has none. Disabling IPv6 removes all addresses. */
    OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_ADDR_GEN_MODE, 1, &err));
    IP("link set t0 up");
    IP_HAS_NOT("inet6", "-6 address show dev t0");
    IP("address add fd00::1/64 dev t0 nodad");
    OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_DISABLE, 1, &err));
    IP_HAS_NOT("fd00::1", "-6 address show dev t0");
    OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_DISABLE, 0, &err));
    IP("address add fd00::1/64 dev t0 nodad");
    /* The settings of other devices did not change. */
    SYSCTL_IS("1", "default", "accept_ra");
    SYSCTL_IS("0", "lo", "disable_ipv6");
    tuntap_close(dev);
}

static void it_acts_in_the_namespace_of_the_device(void)
{
    tuntap *dev, *namesake;
    int other_netns = new_netns();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_set_netns_fd(dev, other_netns, &err));
    OK(tuntap_open("t0", TUNTAP_TUN, &namesake, &err));
    OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, 2, &err));
    INSIDE(other_netns, SYSCTL_IS("2", "t0", "accept_ra"));
    SYSCTL_IS("1", "t0", "accept_ra");
    IP("link set t0 name t1");
    OK(tuntap_set_ipv6(namesake, TUNTAP_IPV6_ACCEPT_RA, 0, &err));
    SYSCTL_IS("0", "t1", "accept_ra");
    tuntap_close(namesake);
    tuntap_close(dev);
    close(other_netns);
}

static void failed_calls_change_nothing(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    FAILS(tuntap_set_ipv6(dev, 0, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_ipv6(dev, 4, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_ipv6(NULL, TUNTAP_IPV6_ACCEPT_RA, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, 3, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_set_ipv6(dev, TUNTAP_IPV6_ADDR_GEN_MODE, 4, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_set_ipv6(dev, TUNTAP_IPV6_DISABLE, 2, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_set_ipv6(dev, TUNTAP_IPV6_ADDR_GEN_MODE, 2, &err), EINVAL, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("stable_secret");
    SYSCTL_IS("1", "t0", "accept_ra");
    IP("link set t0 mtu 1000");
    FAILS(tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, 2, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    MESSAGE_HAS("1280");
    IP("link set t0 mtu 1400");

    /* /proc is not writable. */
    begin_mounts();
    CHECK(mount("/proc/sys", "/proc/sys", "", MS_BIND | MS_REC, NULL) == 0);
    unsigned long read_only = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    CHECK(mount("none", "/proc/sys", "", MS_BIND | MS_REMOUNT | read_only, NULL) == 0);
    FAILS(tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, 2, &err), EROFS, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("/proc/sys/net/ipv6/conf/t0/accept_ra");
    OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, 1, &err));
    CHECK(umount2("/proc/sys", MNT_DETACH) == 0);
    tuntap_close(dev);
}

/** Drops privileges permanently, so this runs last. The files belong to root, also to the root of a user namespace. */
static void only_a_change_needs_privilege(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, 1, &err));
    drop_privileges();
    FAILS(tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, 2, &err), EACCES, TUNTAP_REASON_PRIVILEGE);
    OK(tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, 1, &err));
    SYSCTL_IS("1", "t0", "accept_ra");
    tuntap_close(dev);
}

int main(void)
{
    begin();
    each_setting_is_set();
    it_acts_in_the_namespace_of_the_device();
    failed_calls_change_nothing();
    needs_other_users();
    only_a_change_needs_privilege();
    return 0;
}
