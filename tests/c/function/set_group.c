/* SPDX-License-Identifier: MIT */
#include "test.h"

enum { USER = 1234, OTHER = 1235 };

static tuntap_config *config;

static void the_device_can_be_opened(void)
{
    tuntap *dev;
    OK(tuntap_open_config("t0", TUNTAP_TAP, config, &dev, &err));
    tuntap_close(dev);
    tuntap_config_free(config);
}

static void opening_is_refused(void)
{
    tuntap *dev;
    FAILS(tuntap_open_config("t0", TUNTAP_TAP, config, &dev, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    tuntap_config_free(config);
}

/** In a user namespace whose only group, 0, is the group of the device outside. */
static void groups_have_the_numbers_of_the_callers_namespace(void)
{
    tuntap *dev;
    uint32_t gid = 77;
    OK(tuntap_open_config("t0", TUNTAP_TAP, config, &dev, &err));
    tuntap_config_free(config);
    if (unshare(CLONE_NEWUSER) == 0) {
        write_file("/proc/self/setgroups", "deny");
        write_file("/proc/self/gid_map", "0 1235 1");
        OK(tuntap_get_group(dev, &gid, &err));
        CHECK(gid == 0);
        OK(tuntap_set_group(dev, 0, &err));
        FAILS(tuntap_set_group(dev, OTHER, &err), EINVAL, TUNTAP_REASON_RANGE);
    }
    tuntap_close(dev);
}

static void only_members_of_the_group_can_open_the_device(const char *node)
{
    tuntap *dev;
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_node(config, node, &err));
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_PERSIST, &dev, &err));
    OK(tuntap_set_group(dev, UINT32_MAX - 1, &err));
    IP_HAS("\"group\":4294967294", "link show t0");
    OK(tuntap_set_group(dev, OTHER, &err));
    IP_HAS("\"group\":1235", "link show t0");
    tuntap_close(dev);
    as_user(USER, OTHER, the_device_can_be_opened);
    as_user(OTHER, USER, opening_is_refused);
    as_user(USER, OTHER, groups_have_the_numbers_of_the_callers_namespace);
    IP_HAS("\"group\":1235", "link show t0");
    tuntap_config_free(config);
}

int main(void)
{
    tuntap *dev;
    const char *node = begin_with_users();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_set_group(dev, 0, &err));
    OK(tuntap_set_group(dev, 0, &err));
    IP_HAS("\"group\":\"root\"", "link show t0");

    FAILS(tuntap_set_group(dev, UINT32_MAX, &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("no such group");
    IP_HAS("\"group\":\"root\"", "link show t0");
    FAILS(tuntap_set_group(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_set_group(dev, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    needs_other_users();
    only_members_of_the_group_can_open_the_device(node);
    return 0;
}
