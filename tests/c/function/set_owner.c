/* SPDX-License-Identifier: MIT */
#include "test.h"

enum { USER = 1234, OTHER = 1235, STRANGER = 1236 };

static tuntap_config *config;

static void the_device_can_be_opened(void)
{
    tuntap *dev;
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    tuntap_close(dev);
    tuntap_config_free(config);
}

static void opening_is_refused(void)
{
    tuntap *dev;
    FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    tuntap_config_free(config);
}

/** In a user namespace whose only user, 0, is the owner of the device outside. */
static void users_have_the_numbers_of_the_callers_namespace(void)
{
    tuntap *dev;
    uint32_t uid = 77;
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    tuntap_config_free(config);
    if (unshare(CLONE_NEWUSER) == 0) {
        write_file("/proc/self/uid_map", "0 1234 1");
        OK(tuntap_get_owner(dev, &uid, &err));
        CHECK(uid == 0);
        OK(tuntap_set_owner(dev, 0, &err));
        FAILS(tuntap_set_owner(dev, USER, &err), EINVAL, TUNTAP_REASON_RANGE);
    }
    tuntap_close(dev);
}

/** The message names the missing capability, not the owner. */
static void napi_frags_needs_a_capability(void)
{
    tuntap *dev;
    FAILS(tuntap_open_config("t1", TUNTAP_TAP | TUNTAP_NAPI_FRAGS, config, &dev, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    MESSAGE_HAS("TUNTAP_NAPI_FRAGS needs CAP_NET_ADMIN in the initial user namespace");
    tuntap_config_free(config);
}

static void only_the_owner_can_open_the_device(const char *node)
{
    tuntap *dev;
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_node(config, node, &err));
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_PERSIST, &dev, &err));
    OK(tuntap_set_owner(dev, UINT32_MAX - 1, &err));
    IP_HAS("\"user\":4294967294", "link show t0");
    OK(tuntap_set_owner(dev, USER, &err));
    IP_HAS("\"user\":1234", "link show t0");
    tuntap_close(dev);
    as_user(USER, OTHER, the_device_can_be_opened);
    as_user(STRANGER, USER, opening_is_refused);
    as_user(USER, OTHER, users_have_the_numbers_of_the_callers_namespace);
    IP_HAS("\"user\":1234", "link show t0");

    /* A device with an owner and a group needs a match of both. */
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_set_group(dev, OTHER, &err));
    tuntap_close(dev);
    as_user(USER, OTHER, the_device_can_be_opened);
    as_user(USER, USER, opening_is_refused);
    as_user(STRANGER, OTHER, opening_is_refused);

    IP("tuntap add t1 mode tap user %d", USER);
    as_user(USER, OTHER, napi_frags_needs_a_capability);
    tuntap_config_free(config);
}

int main(void)
{
    tuntap *dev;
    const char *node = begin_with_users();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_set_owner(dev, 0, &err));
    OK(tuntap_set_owner(dev, 0, &err));
    IP_HAS("\"user\":\"root\"", "link show t0");

    FAILS(tuntap_set_owner(dev, UINT32_MAX, &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("no such user");
    IP_HAS("\"user\":\"root\"", "link show t0");
    FAILS(tuntap_set_owner(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_set_owner(dev, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    needs_other_users();
    only_the_owner_can_open_the_device(node);
    return 0;
}
