/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <sys/resource.h>

/** Makes a persistent device. */
static int open_new(tuntap **dev)
{
    return tuntap_open("t0", TUNTAP_TUN | TUNTAP_PERSIST, dev, &err);
}

/** Opens an existing device. */
static int open_existing(tuntap **dev)
{
    return tuntap_open("kept", TUNTAP_TAP, dev, &err);
}

static tuntap *many;

static int open_queue(tuntap **dev)
{
    return tuntap_open_queue(many, 0, dev, &err);
}

/** Opens with only this many free descriptors, so that an open may run out of them at any step. */
static int open_with(int spare, int (*open_it)(tuntap **))
{
    struct rlimit before, few;
    tuntap *dev = NULL;
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(next >= 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
    close(next);
    few = (struct rlimit){.rlim_cur = (rlim_t)(next + spare), .rlim_max = before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    int result = open_it(&dev);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK((result == 0) == (dev != NULL));
    if (dev && open_it == open_new)
        OK(tuntap_set_persist(dev, 0, &err));
    tuntap_close(dev);
    return result;
}

static void every_step_of_an_open_can_fail(int (*open_it)(tuntap **))
{
    int failures = 0;
    for (int spare = 0; spare < 8; spare++) {
        int result;
        UNCHANGED(result = open_with(spare, open_it));
        CHECK(!exists("t0"));
        if (result == 0)
            continue;
        failures++;
        CHECK(result == -EMFILE && err.reason == TUNTAP_REASON_SYSTEM);
        MESSAGE_HAS("open");
    }
    CHECK(failures >= 2 && failures < 8);
}

static void open_without_standard_streams(void)
{
    tuntap *dev;
    tuntap_monitor *monitor;
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    if (tuntap_open("t0", TUNTAP_TUN, &dev, &err) != 0 || tuntap_monitor_open(dev, 0, &monitor, &err) != 0)
        _exit(1);
    int ok = tuntap_get_fd(dev, NULL) == 0 && tuntap_up(dev, &err) == 0 && tuntap_set_addr(dev, "10.8.0.1/24", &err) == 0;
    tuntap_monitor_close(monitor);
    tuntap_close(dev);
    for (int fd = 0; fd < 3; fd++)
        ok = ok && fcntl(fd, F_GETFD) < 0;
    _exit(ok ? 0 : 2);
}

/** A daemon that has closed its standard streams gets their numbers as descriptors. They must work like others. */
static void descriptors_0_to_2_work(void)
{
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        open_without_standard_streams();
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void)
{
    begin();
    descriptors_0_to_2_work();
    IP("tuntap add dev kept mode tap");
    OK(tuntap_open("many", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &many, &err));
    every_step_of_an_open_can_fail(open_new);
    every_step_of_an_open_can_fail(open_existing);
    every_step_of_an_open_can_fail(open_queue);
    tuntap_close(many);
    return 0;
}
