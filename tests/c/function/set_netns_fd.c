/* SPDX-License-Identifier: MIT */
#include "netns.h"

/** A descriptor works like a path, which set_netns.c tests in detail, and stays open. */
static void the_device_moves(uint64_t flags, int other_netns)
{
    tuntap *dev;
    int before = descriptors(), sock;
    OK(tuntap_open("t0", flags, &dev, &err));
    STAYS(OK(tuntap_set_netns_fd(dev, other_netns, &err)));
    CHECK(!exists("t0"));
    OK(tuntap_set_mtu(dev, 1400, &err));
    INSIDE(other_netns, IP_HAS("\"mtu\":1400,", "link show t0"));
    INSIDE(other_netns, sock = bring_up("t0", flags));
    packets_flow(sock, dev, flags);
    close(sock);
    tuntap_close(dev);
    CHECK(descriptors() == before);
}

static void files_that_are_not_network_namespaces_are_refused(int other_netns)
{
    tuntap *dev;
    int mnt = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), closed = 900, pipes[2];
    CHECK(pipe(pipes) == 0);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    STAYS(UNCHANGED({
        FAILS(tuntap_set_netns_fd(dev, mnt, &err), EINVAL, TUNTAP_REASON_NAMESPACE);
        MESSAGE_HAS("is not a network namespace");
        FAILS(tuntap_set_netns_fd(dev, pipes[0], &err), EINVAL, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_set_netns_fd(dev, tuntap_get_fd(dev, NULL), &err), EINVAL, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_set_netns_fd(dev, closed, &err), EBADF, TUNTAP_REASON_ARGUMENT);
        FAILS(tuntap_set_netns_fd(dev, -1, &err), EBADF, TUNTAP_REASON_ARGUMENT);
        FAILS(tuntap_set_netns_fd(NULL, other_netns, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    }));
    IP("link delete t0");
    FAILS(tuntap_set_netns_fd(dev, other_netns, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    close(mnt);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    begin();
    ipv4_only();
    int other_netns = new_netns();
    the_device_moves(TUNTAP_TUN, other_netns);
    the_device_moves(TUNTAP_TAP | TUNTAP_PI, other_netns);
    files_that_are_not_network_namespaces_are_refused(other_netns);
    close(other_netns);
    return 0;
}
