/* SPDX-License-Identifier: MIT */
#include "event.h"

#include <sys/epoll.h>
#include <sys/select.h>

static int selects(int fd)
{
    fd_set readable;
    struct timeval at_once = {0, 0};
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    return select(fd + 1, &readable, NULL, NULL, &at_once) == 1;
}

static int polls(int epoll, int fd)
{
    struct epoll_event found;
    int by_epoll = epoll_wait(epoll, &found, 1, 0) == 1;
    CHECK(by_epoll == is_readable(fd) && by_epoll == selects(fd));
    return by_epoll;
}

/** As the reference says, the caller takes events until -ETIMEDOUT before each wait. */
static void the_descriptor_is_readable_when_events_wait(tuntap *dev)
{
    tuntap_monitor *monitor;
    struct epoll_event wanted = {.events = EPOLLIN};
    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    int fd = tuntap_monitor_get_fd(monitor, NULL), epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) == 0);
    /* The descriptor need not be readable for the current state: the caller takes events before the first wait too. */
    take_present_state(monitor);
    NO_EVENT(monitor);
    CHECK(!polls(epoll, fd));

    for (int i = 0; i < 3; i++) {
        IP("link set t0 mtu %d", 1300 + i);
        CHECK(polls(epoll, fd));
        NEXT(monitor, MTU);
        NO_EVENT(monitor);
        CHECK(!polls(epoll, fd));
    }

    /* One request changes several properties. The kernel may report it in one message or in several. */
    int events = 0;
    IP("link set t0 down");
    IP("link set t0 address 02:00:00:00:00:05 name t1 mtu 1280");
    while (events < 4) {
        CHECK(polls(epoll, fd));
        while (tuntap_monitor_next(monitor, &event, sizeof event, 0, &err) == 0)
            events++;
        CHECK(err.code == -ETIMEDOUT);
    }
    CHECK(events == 4 && !polls(epoll, fd));

    /* Another interface makes the descriptor readable too. Then there is no event to take. */
    IP("link add v0 type veth peer name v1");
    CHECK(polls(epoll, fd));
    NO_EVENT(monitor);
    CHECK(!polls(epoll, fd));
    CHECK(tuntap_monitor_get_fd(monitor, NULL) == fd);
    close(epoll);
    tuntap_monitor_close(monitor);
    IP("link delete v0");
}

/** poll(2) waits for a change by another program. */
static void poll_ends_when_the_device_changes(tuntap *dev)
{
    tuntap_monitor *monitor;
    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    take_present_state(monitor);
    NO_EVENT(monitor);
    pid_t child = fork();
    if (child == 0) {
        poll(NULL, 0, 50);
        execlp("ip", "ip", "link", "set", "t1", "mtu", "1400", (char *)NULL);
    }
    wait_for(tuntap_monitor_get_fd(monitor, NULL), POLLIN);
    NEXT(monitor, MTU);
    CHECK(waitpid(child, NULL, 0) == child);
    tuntap_monitor_close(monitor);
}

int main(void)
{
    tuntap *dev;
    begin();
    ipv4_only();
    CHECK(tuntap_monitor_get_fd(NULL, NULL) == -EINVAL);
    FAILS(tuntap_monitor_get_fd(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 up");
    the_descriptor_is_readable_when_events_wait(dev);
    poll_ends_when_the_device_changes(dev);
    tuntap_close(dev);
    return 0;
}
