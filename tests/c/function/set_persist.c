/* SPDX-License-Identifier: MIT */
#include "test.h"

static void a_persistent_device_outlives_its_handle(uint64_t kind)
{
    tuntap *dev;
    OK(tuntap_open("t0", kind, &dev, &err));
    OK(tuntap_set_persist(dev, 1, &err));
    OK(tuntap_set_persist(dev, -1, &err));
    IP_HAS("\"persist\":true", "link show t0");
    tuntap_close(dev);
    CHECK(exists("t0"));

    OK(tuntap_open("t0", kind, &dev, &err));
    OK(tuntap_set_persist(dev, 0, &err));
    OK(tuntap_set_persist(dev, 0, &err));
    IP_HAS("\"persist\":false", "link show t0");
    tuntap_close(dev);
    CHECK(!exists("t0"));
}

/** Persistence belongs to the device: any queue can set it. */
static void it_applies_to_all_queues(void)
{
    tuntap *dev, *queue;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_set_persist(dev, 1, &err));
    tuntap_close(dev);
    CHECK(flags_by_hand(tuntap_get_fd(queue, NULL)) & IFF_PERSIST);
    OK(tuntap_set_persist(queue, 0, &err));
    tuntap_close(queue);
    CHECK(!exists("t0"));
}

static tuntap_config *config;

static void unset_persist(void)
{
    tuntap *dev;
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    OK(tuntap_set_persist(dev, 0, &err));
    tuntap_close(dev);
    tuntap_config_free(config);
}

static void it_needs_no_privilege(const char *node)
{
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_node(config, node, &err));
    IP("tuntap add t0 mode tun user 1234");
    as_user(1234, 1234, unset_persist);
    CHECK(!exists("t0"));
    tuntap_config_free(config);
}

int main(void)
{
    tuntap *dev;
    const char *node = begin_with_users();
    a_persistent_device_outlives_its_handle(TUNTAP_TUN);
    a_persistent_device_outlives_its_handle(TUNTAP_TAP);
    it_applies_to_all_queues();
    FAILS(tuntap_set_persist(NULL, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link delete t0");
    FAILS(tuntap_set_persist(dev, 1, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    needs_other_users();
    it_needs_no_privilege(node);
    return 0;
}
