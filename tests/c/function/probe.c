/* SPDX-License-Identifier: MIT */
#include "test.h"

enum { LAST = TUNTAP_FEATURE_TUNNEL_GSO };

static int has(const tuntap *dev, uint32_t feature)
{
    int supported = 77;
    OK(tuntap_probe(dev, feature, &supported, &err));
    CHECK(supported == 0 || supported == 1);
    return supported;
}

/** The answers match the driver and the version of the running kernel. */
static void the_kernel_is_queried(void)
{
    unsigned features;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && ioctl(fd, TUNGETFEATURES, &features) == 0);
    close(fd);
    CHECK(has(NULL, TUNTAP_FEATURE_TUN) && has(NULL, TUNTAP_FEATURE_TAP) && has(NULL, TUNTAP_FEATURE_IPV4));
    CHECK(has(NULL, TUNTAP_FEATURE_MULTI_QUEUE) == ((features & IFF_MULTI_QUEUE) != 0));
    CHECK(has(NULL, TUNTAP_FEATURE_OFFLOAD) == ((features & IFF_VNET_HDR) != 0));
    CHECK(has(NULL, TUNTAP_FEATURE_NAPI) == ((features & IFF_NAPI) != 0));
    CHECK(has(NULL, TUNTAP_FEATURE_CARRIER) == kernel_is(5, 0));
    CHECK(has(NULL, TUNTAP_FEATURE_FOLLOW) == kernel_is(5, 4));
    CHECK(has(NULL, TUNTAP_FEATURE_USO) == kernel_is(6, 2));
    CHECK(has(NULL, TUNTAP_FEATURE_TUNNEL_GSO) == kernel_is(6, 17));
    CHECK(has(NULL, TUNTAP_FEATURE_NETNS) == (access("/proc/self/ns/net", F_OK) == 0));
    CHECK(has(NULL, TUNTAP_FEATURE_IPV6) == (access("/proc/net/if_inet6", F_OK) == 0));
    int rules = system("ip rule >/dev/null 2>&1") == 0;
    CHECK(has(NULL, TUNTAP_FEATURE_DEFAULT_ROUTE) == rules && has(NULL, TUNTAP_FEATURE_BYPASS) == rules);
    CHECK(has(NULL, TUNTAP_FEATURE_FIND_ROUTE) && has(NULL, TUNTAP_FEATURE_MASTER));
    CHECK(has(NULL, TUNTAP_FEATURE_IPV6_SETTINGS) == has(NULL, TUNTAP_FEATURE_IPV6));
    for (uint32_t feature = 1; feature <= LAST; feature++)
        CHECK(!has(NULL, feature) || tuntap_has(feature));
    CHECK(!has(NULL, 0) && !has(NULL, LAST + 1) && !has(NULL, UINT32_MAX));
}

/** A device reports the features that it has, not those that another device can have. */
static void a_device_reports_its_own_features(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE, &dev, &err));
    UNCHANGED(for (uint32_t feature = 1; feature <= LAST; feature++) has(dev, feature));
    CHECK(has(dev, TUNTAP_FEATURE_TAP) && !has(dev, TUNTAP_FEATURE_TUN) && !has(dev, TUNTAP_FEATURE_PI));
    CHECK(has(dev, TUNTAP_FEATURE_OFFLOAD) && has(dev, TUNTAP_FEATURE_MULTI_QUEUE) && !has(dev, TUNTAP_FEATURE_NAPI));
    CHECK(has(dev, TUNTAP_FEATURE_USO) == has(NULL, TUNTAP_FEATURE_USO));
    CHECK(has(dev, TUNTAP_FEATURE_TUNNEL_GSO) == has(NULL, TUNTAP_FEATURE_TUNNEL_GSO));
    CHECK(has(dev, TUNTAP_FEATURE_CARRIER) == has(NULL, TUNTAP_FEATURE_CARRIER));
    CHECK(has(dev, TUNTAP_FEATURE_FOLLOW) == has(NULL, TUNTAP_FEATURE_FOLLOW));
    CHECK(has(dev, TUNTAP_FEATURE_STEERING) == has(NULL, TUNTAP_FEATURE_STEERING));
    CHECK(has(dev, TUNTAP_FEATURE_ROUTE) && has(dev, TUNTAP_FEATURE_PERSIST));
    tuntap_close(dev);
    /* The header of a persistent device is too short for tunnels. */
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_PERSIST, &dev, &err));
    CHECK(has(dev, TUNTAP_FEATURE_OFFLOAD) && !has(dev, TUNTAP_FEATURE_TUNNEL_GSO));
    OK(tuntap_set_persist(dev, 0, &err));
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_PI, &dev, &err));
    CHECK(has(dev, TUNTAP_FEATURE_TUN) && !has(dev, TUNTAP_FEATURE_TAP) && has(dev, TUNTAP_FEATURE_PI));
    CHECK(has(dev, TUNTAP_FEATURE_IPV6_SETTINGS) == has(NULL, TUNTAP_FEATURE_IPV6));
    IP("link set t0 mtu 1279");
    CHECK(!has(dev, TUNTAP_FEATURE_IPV6_SETTINGS) && has(dev, TUNTAP_FEATURE_MASTER));
    CHECK(!has(dev, TUNTAP_FEATURE_OFFLOAD) && !has(dev, TUNTAP_FEATURE_USO) && !has(dev, TUNTAP_FEATURE_MULTI_QUEUE));
    int supported = 77;
    FAILS(tuntap_probe(dev, TUNTAP_FEATURE_TUN, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(tuntap_probe(NULL, TUNTAP_FEATURE_TUN, NULL, NULL) == -EINVAL);
    IP("link delete t0");
    for (uint32_t feature = 1; feature <= LAST; feature++)
        FAILS(tuntap_probe(dev, feature, &supported, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(supported == 77);
    tuntap_close(dev);
}

/** Without the privilege to query, the call fails instead of reporting that a feature is missing. */
static void a_missing_privilege_is_an_error(void)
{
    tuntap *dev;
    int supported = 77;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    CHECK(mount("none", "/dev/net", "tmpfs", 0, "mode=0755") == 0);
    FAILS(tuntap_probe(NULL, TUNTAP_FEATURE_MULTI_QUEUE, &supported, &err), ENOENT, TUNTAP_REASON_NO_DRIVER);
    CHECK(mknod("/dev/net/tun", S_IFCHR | 0600, makedev(10, 200)) == 0);
    become(1234, 1234);
    FAILS(tuntap_probe(NULL, TUNTAP_FEATURE_USO, &supported, &err), EACCES, TUNTAP_REASON_PRIVILEGE);
    FAILS(tuntap_probe(dev, TUNTAP_FEATURE_FOLLOW, &supported, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    CHECK(supported == 77);
    CHECK(has(dev, TUNTAP_FEATURE_CARRIER) == 1 && has(NULL, TUNTAP_FEATURE_MONITOR) == 1);
    tuntap_close(dev);
}

int main(void)
{
    begin_with_users();
    UNCHANGED(the_kernel_is_queried());
    a_device_reports_its_own_features();
    needs_other_users();
    a_missing_privilege_is_an_error();
    return 0;
}
