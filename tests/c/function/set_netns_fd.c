/* SPDX-License-Identifier: MIT */
#include "netns.h"

/** What a path does, as tests/c/function/set_netns.c shows; here, that the descriptor is as good and stays open. */
static void it_moves(uint64_t flags, int there)
{
    tuntap *dev;
    int before = descriptors(), sock;
    OK(tuntap_open("t0", flags, &dev, &err));
    STAYS(OK(tuntap_set_netns_fd(dev, there, &err)));
    CHECK(!exists("t0"));
    OK(tuntap_set_mtu(dev, 1400, &err));
    INSIDE(there, IP_HAS("\"mtu\":1400,", "link show t0"));
    INSIDE(there, sock = take_up("t0", flags));
    packets_flow(sock, dev, flags);
    close(sock);
    tuntap_close(dev);
    CHECK(descriptors() == before);
}

static void what_is_no_network_namespace_is_refused(int there)
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
        FAILS(tuntap_set_netns_fd(NULL, there, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    }));
    IP("link delete t0");
    FAILS(tuntap_set_netns_fd(dev, there, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    close(mnt);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    begin();
    ipv4_only();
    int there = new_netns();
    it_moves(TUNTAP_TUN, there);
    it_moves(TUNTAP_TAP | TUNTAP_PI, there);
    what_is_no_network_namespace_is_refused(there);
    close(there);
    return 0;
}
