/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include <sys/resource.h>

static tuntap_config *config;
static int other_netns;

/** All settings are made in the other network namespace. This thread stays in its own. */
static void the_device_opens_in_the_namespace(uint64_t flags)
{
    tuntap *dev;
    int sock;
    STAYS(OK(tuntap_open_config("t0", flags, config, &dev, &err)));
    CHECK(!exists("t0"));
    INSIDE(other_netns, {
        IP_HAS("\"mtu\":1400,", "link show t0");
        IP_HAS("\"UP\"", "link show t0");
        IP_HAS("\"local\":\"10.9.0.1\"", "address show t0");
        IP_HAS("\"dst\":\"10.10.0.0/16\"", "route show dev t0");
        sock = bring_up("t0", flags);
    });
    packets_flow(sock, dev, flags);
    STAYS(OK(tuntap_set_alias(dev, "there", &err)));
    INSIDE(other_netns, IP_HAS("\"ifalias\":\"there\"", "link show t0"));
    close(sock);
    tuntap_close(dev);
    INSIDE(other_netns, CHECK(!exists("t0")));
}

/** A failed open leaves no device in either network namespace. */
static void a_failed_open_leaves_nothing(void)
{
    tuntap *dev = NULL;
    OK(tuntap_config_set_mtu(config, 67, &err));
    STAYS(UNCHANGED(FAILS(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_PERSIST, config, &dev, &err), EINVAL,
                          TUNTAP_REASON_RANGE)));
    INSIDE(other_netns, CHECK(!exists("t0")));
    OK(tuntap_config_set_mtu(config, 1400, &err));
    INSIDE(other_netns, IP("link add taken type veth peer name v1"));
    STAYS(UNCHANGED(FAILS(tuntap_open_config("taken", TUNTAP_TUN, config, &dev, &err), EINVAL, TUNTAP_REASON_KIND)));
    STAYS(UNCHANGED(FAILS(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_EXISTING, config, &dev, &err), ENODEV,
                          TUNTAP_REASON_ABSENT)));
    CHECK(!dev);
}

/** Opens the device while the process may only map this many bytes more. */
static int open_within(rlim_t bytes, tuntap **dev)
{
    struct rlimit before, limit;
    rlim_t pages = strtoul(output_of("cut -d' ' -f1 /proc/%d/statm", (int)getpid()), NULL, 10);
    CHECK(getrlimit(RLIMIT_AS, &before) == 0);
    limit = (struct rlimit){pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes, before.rlim_max};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    int result = tuntap_open_config("t0", TUNTAP_TUN, config, dev, &err);
    CHECK(setrlimit(RLIMIT_AS, &before) == 0);
    return result;
}

/** The call starts a thread. No other test starts one before, whose stack the C library would keep. */
static void little_memory_is_enough(void)
{
    tuntap *dev = NULL;
    if (instrumented())
        return; /* These tools map much memory themselves. */
    STAYS(UNCHANGED(FAILS(open_within(128 * 1024, &dev), ENOMEM, TUNTAP_REASON_SYSTEM)));
    MESSAGE_HAS("start a thread for the network namespace");
    MESSAGE_HAS("RLIMIT_NPROC");
    CHECK(!dev);
    STAYS(OK(open_within(2 << 20, &dev)));
    tuntap_close(dev);
}

static void files_that_are_not_network_namespaces_are_refused(void)
{
    FAILS(tuntap_config_set_netns(config, "/proc/self/ns/mnt", &err), EINVAL, TUNTAP_REASON_NAMESPACE);
    MESSAGE_HAS("/proc/self/ns/mnt");
    FAILS(tuntap_config_set_netns(config, "/dev/null", &err), EINVAL, TUNTAP_REASON_NAMESPACE);
    FAILS(tuntap_config_set_netns(config, "/proc/self/ns/nothing", &err), ENOENT, TUNTAP_REASON_SYSTEM);
    FAILS(tuntap_config_set_netns(config, "", &err), ENOENT, TUNTAP_REASON_SYSTEM);
    /* A message shows control characters of a path escaped, so that they do nothing to a terminal. */
    FAILS(tuntap_config_set_netns(config, "/x\nroot: \x1b[31m\xff\xc3\xa9", &err), ENOENT, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("/x\\x0aroot: \\x1b[31m\\xff\xc3\xa9: No such file");
    FAILS(tuntap_config_set_netns(NULL, "/proc/self/ns/net", &err), EINVAL, TUNTAP_REASON_ARGUMENT);
}

/** Drops privileges permanently, so this runs last. */
static void entering_the_namespace_needs_privilege(void)
{
    tuntap *dev = NULL;
    drop_privileges();
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    STAYS(FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), EPERM, TUNTAP_REASON_PRIVILEGE));
    MESSAGE_HAS("CAP_SYS_ADMIN");
    CHECK(!dev);
}

int main(void)
{
    char path[64];
    tuntap *dev;
    int before;
    begin();
    ipv4_only();
    before = descriptors();
    other_netns = new_netns();
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), other_netns);
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_mtu(config, 1400, &err));
    OK(config_add_addr(config, "10.9.0.1/24", NULL, 0, &err));
    OK(tuntap_config_set_up(config, 1, &err));
    OK(config_add_route(config, "10.10.0.0/16", NULL, 0, 0, &err));
    OK(tuntap_config_set_netns(config, path, &err));
    files_that_are_not_network_namespaces_are_refused();
    little_memory_is_enough();
    the_device_opens_in_the_namespace(TUNTAP_TUN);
    the_device_opens_in_the_namespace(TUNTAP_TAP | TUNTAP_PI);
    a_failed_open_leaves_nothing();

    /* NULL: the device opens in this thread's network namespace again. */
    OK(tuntap_config_set_netns(config, NULL, &err));
    CHECK(descriptors() == before + 1);
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    CHECK(exists("t0"));
    tuntap_close(dev);
    OK(tuntap_config_set_netns(config, path, &err));
    entering_the_namespace_needs_privilege();
    tuntap_config_free(config);
    close(other_netns);
    CHECK(descriptors() == before);
    return 0;
}
