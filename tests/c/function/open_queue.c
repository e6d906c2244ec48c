/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include <pthread.h>
#include <stdatomic.h>

static void a_queue_belongs_to_the_same_device(uint64_t kind)
{
    tuntap *dev, *queue, *third;
    struct ifreq request;
    OK(tuntap_open("t0", kind | TUNTAP_MULTI_QUEUE | TUNTAP_PI, &dev, &err));
    IP("link set t0 name renamed");
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_open_queue(queue, TUNTAP_NONBLOCK, &third, &err));
    IP_HAS("\"numqueues\":3", "link show renamed");
    CHECK(ioctl(tuntap_get_fd(queue, NULL), TUNGETIFF, &request) == 0 && strcmp(request.ifr_name, "renamed") == 0);
    char buf[100];
    FAILS(tuntap_read(third, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    tuntap_wake(queue); /* otherwise the read would wait forever */
    FAILS(tuntap_read(queue, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    CHECK(fcntl(tuntap_get_fd(third, NULL), F_GETFD) & FD_CLOEXEC);
    CHECK(!exists("t0"));
    tuntap_close(dev);
    tuntap_close(queue);
    tuntap_close(third);
}

/** Offload belongs to the device: each queue splits super-packets into packets. */
static void a_queue_has_the_offload_of_the_device(void)
{
    tuntap *dev, *queue;
    uint64_t flags = TUNTAP_TUN | TUNTAP_MULTI_QUEUE | TUNTAP_OFFLOAD | TUNTAP_NONBLOCK, granted = 0;
    ipv4_only();
    OK(tuntap_open("t0", flags, &dev, &err));
    OK(tuntap_set_offloads(dev, TUNTAP_F_CSUM, &err));
    OK(tuntap_open_queue(dev, TUNTAP_NONBLOCK, &queue, &err));
    OK(tuntap_get_flags(queue, &granted, &err));
    CHECK(granted == flags);
    OK(tuntap_get_offloads(queue, &granted, &err));
    CHECK(granted == TUNTAP_F_CSUM);
    OK(tuntap_detach(dev, &err));
    int sock = bring_up("t0", TUNTAP_TUN);
    packets_flow(sock, queue, TUNTAP_TUN);
    close(sock);
    tuntap_close(queue);
    tuntap_close(dev);
}

/** A later change of the working directory does not matter. */
static void a_relative_node_is_resolved_at_the_open(const char *node)
{
    tuntap_config *config;
    tuntap *dev, *queue;
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_node(config, strrchr(node, '/') + 1, &err));
    CHECK(chdir("/mnt") == 0);
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, config, &dev, &err));
    CHECK(chdir("/") == 0);
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    IP_HAS("\"numqueues\":2,", "link show t0");
    tuntap_close(queue);
    tuntap_close(dev);
    FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), ENOENT, TUNTAP_REASON_NO_DRIVER);
    MESSAGE_HAS("/tun");
    tuntap_config_free(config);
}

static void invalid_requests_are_refused(void)
{
    tuntap *dev, *queue = NULL;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    FAILS(tuntap_open_queue(dev, 0, &queue, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("TUNTAP_MULTI_QUEUE");
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    int before = descriptors();
    FAILS(tuntap_open_queue(dev, TUNTAP_TUN, &queue, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_open_queue(dev, TUNTAP_NONBLOCK | UINT64_C(1) << 40, &queue, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_open_queue(dev, 0, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_open_queue(NULL, 0, &queue, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP_HAS("\"numqueues\":1", "link show t0");

    /* TUNSETIFF would create a new device of that name, or join another one. */
    IP("link delete t0");
    FAILS(tuntap_open_queue(dev, 0, &queue, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(!queue && !exists("t0") && descriptors() == before);
    IP("tuntap add t0 mode tun multi_queue");
    UNCHANGED(FAILS(tuntap_open_queue(dev, 0, &queue, &err), ENODEV, TUNTAP_REASON_REMOVED));
    CHECK(!queue);
    IP("link delete t0");
    tuntap_close(dev);
}

static void a_device_that_took_the_former_name_is_left_alone(void)
{
    tuntap *dev, *queue;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    IP("link set t0 name t1");
    int other = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE);
    CHECK(other >= 0);
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    IP_HAS("\"numqueues\":1,", "link show t0");
    IP_HAS("\"numqueues\":2,", "link show t1");
    tuntap_close(dev);
    CHECK(exists("t1"));
    tuntap_close(queue);
    close(other);
}

/** The caller has moved to another network namespace. This runs first: the first device there would get the same index
 * as the one here, and TUNSETIFF would create one with the same name. */
static void a_queue_opens_in_the_namespace_of_the_device(void)
{
    tuntap *dev, *queue = NULL;
    int home = own_netns();
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, &dev, &err));
    CHECK(unshare(CLONE_NEWNET) == 0);
    STAYS(OK(tuntap_open_queue(dev, 0, &queue, &err)));
    CHECK(!exists("t0"));
    INSIDE(home, IP_HAS("\"numqueues\":2,", "link show t0"));
    tuntap_close(queue);
    CHECK(setns(home, CLONE_NEWNET) == 0);
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    IP_HAS("\"numqueues\":2,", "link show t0");
    tuntap_close(queue);
    tuntap_close(dev);
    close(home);
}

/** Drops privileges permanently, so this runs last. */
static void a_device_of_another_user_needs_privilege(const char *node)
{
    tuntap_config *config;
    tuntap *dev, *queue = NULL;
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_node(config, node, &err));
    OK(tuntap_config_set_owner(config, 1234, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, config, &dev, &err));
    tuntap_config_free(config);
    become(1235, 1235);
    FAILS(tuntap_open_queue(dev, 0, &queue, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    CHECK(!queue);
    IP_HAS("\"numqueues\":1,", "link show t0");
    tuntap_close(dev);
}

/** The kernel supports up to 256 queues. */
static void too_many_queues_are_refused(void)
{
    static tuntap *queues[300];
    size_t count = 1;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &queues[0], &err));
    while (count < 300 && tuntap_open_queue(queues[0], 0, &queues[count], &err) == 0)
        count++;
    CHECK(count == 256);
    CHECK(err.code == -E2BIG && err.reason == TUNTAP_REASON_BUSY);
    MESSAGE_HAS("the maximum number of queues");
    while (count > 0)
        tuntap_close(queues[--count]);
    CHECK(!exists("t0"));
}

static atomic_int renaming;

static void *rename_repeatedly(void *dev)
{
    char name[TUNTAP_NAME_SIZE];
    for (unsigned round = 0; atomic_load(&renaming); round++) {
        /* If the device is renamed during an open, the kernel creates another device for a moment. */
        snprintf(name, sizeof name, "name%u", round);
        CHECK(tuntap_set_name(dev, name, NULL) == 0);
        /* An open gives up after it found another name 64 times. */
        poll(NULL, 0, 1);
    }
    return dev;
}

static void a_concurrent_rename_is_followed(void)
{
    tuntap *dev, *queue;
    pthread_t thread;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    atomic_store(&renaming, 1);
    CHECK(pthread_create(&thread, NULL, rename_repeatedly, dev) == 0);
    for (int i = 0; i < 200; i++) {
        OK(tuntap_open_queue(dev, 0, &queue, &err));
        tuntap_close(queue);
    }
    atomic_store(&renaming, 0);
    CHECK(pthread_join(thread, NULL) == 0);
    tuntap_close(dev);
    CHECK(!strstr(output_of("cat /proc/net/dev"), "name"));
}

int main(void)
{
    const char *node = begin_with_users();
    a_queue_opens_in_the_namespace_of_the_device();
    a_queue_belongs_to_the_same_device(TUNTAP_TUN);
    a_queue_belongs_to_the_same_device(TUNTAP_TAP);
    a_queue_has_the_offload_of_the_device();
    invalid_requests_are_refused();
    too_many_queues_are_refused();
    a_device_that_took_the_former_name_is_left_alone();
    a_concurrent_rename_is_followed();
    needs_other_users();
    a_relative_node_is_resolved_at_the_open(node);
    a_device_of_another_user_needs_privilege(node);
    return 0;
}
