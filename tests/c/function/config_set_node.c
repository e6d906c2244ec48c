/* SPDX-License-Identifier: MIT */
#include "test.h"

static tuntap_config *config;

static void opening_fails(const char *node, int number, uint32_t reason)
{
    tuntap *dev;
    int before = descriptors();
    OK(tuntap_config_set_node(config, node, &err));
    FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), number, reason);
    CHECK(strstr(err.message, "node"));
    CHECK(descriptors() == before);
    CHECK(!exists("t0"));
}

/** The failure is the same whether or not an interface of this name exists. */
static void a_wrong_node_is_reported_even_if_the_name_exists(const char *name, uint64_t flags)
{
    tuntap *dev = NULL;
    UNCHANGED(FAILS(tuntap_open_config(name, flags, config, &dev, &err), ENOTTY, TUNTAP_REASON_NO_DRIVER));
    CHECK(!dev);
}

int main(void)
{
    tuntap *dev;
    const char *node = begin_with_users();
    needs_other_users();
    OK(tuntap_config_new(&config, &err));
    opening_fails("/mnt/nothing", ENOENT, TUNTAP_REASON_NO_DRIVER);
    MESSAGE_HAS("/mnt/nothing");
    opening_fails("/dev/null", ENOTTY, TUNTAP_REASON_NO_DRIVER);
    opening_fails("/mnt", EISDIR, TUNTAP_REASON_SYSTEM);
    if (mknod("/mnt/nobodys", S_IFCHR | 0666, makedev(4000, 0)) == 0)
        opening_fails("/mnt/nobodys", ENXIO, TUNTAP_REASON_NO_DRIVER);

    FAILS(tuntap_config_set_node(config, "", &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_config_set_node(NULL, "/dev/null", &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(tuntap_config_set_node(config, "", NULL) == -EINVAL);

    /* NULL means the default node again. */
    OK(tuntap_config_set_node(config, NULL, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    tuntap_close(dev);

    /* The library copies the path, and opens further queues of the device through it. */
    char path[64];
    snprintf(path, sizeof path, "%s", node);
    OK(tuntap_config_set_node(config, path, &err));
    memset(path, 'x', sizeof path);
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, config, &dev, &err));
    CHECK(strstr(output_of("readlink /proc/%d/fd/*", (int)getpid()), node));
    CHECK(chmod(node, 0600) == 0);
    IP("tuntap add dev t1 mode tun user 1234");
    OK(tuntap_config_set_node(config, "/dev/null", &err));
    a_wrong_node_is_reported_even_if_the_name_exists("t1", TUNTAP_TUN);
    a_wrong_node_is_reported_even_if_the_name_exists("t1", TUNTAP_TAP);
    a_wrong_node_is_reported_even_if_the_name_exists("lo", TUNTAP_TUN);
    OK(tuntap_config_set_node(config, node, &err));
    become(1234, 1234);
    tuntap *queue;
    FAILS(tuntap_open_config("t1", TUNTAP_TUN, config, &queue, &err), EACCES, TUNTAP_REASON_PRIVILEGE);
    CHECK(strstr(err.message, node));
    FAILS(tuntap_open_queue(dev, 0, &queue, &err), EACCES, TUNTAP_REASON_PRIVILEGE);
    CHECK(strstr(err.message, node));
    tuntap_close(dev);
    tuntap_config_free(config);
    return 0;
}
