/* SPDX-License-Identifier: MIT
 *
 * Another part of the program made the descriptor. The library borrows it, takes it over, and releases it. */
#include "netns.h"

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

int main(void)
{
    tuntap *dev;
    int out, fd;
    begin();
    ipv4_only();
    CHECK((fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI)) >= 0);
    int sock = bring_up("t0", TUNTAP_TUN), before = descriptors();

    OK(tuntap_open_fd(fd, TUNTAP_BORROW, &dev, &err));
    packets_flow(sock, dev, TUNTAP_TUN);
    tuntap_close(dev);
    CHECK(is_open(fd) && exists("t0") && descriptors() == before);

    /* The library releases its copy. The caller's descriptor stays open. */
    OK(tuntap_open_fd(fd, TUNTAP_BORROW, &dev, &err));
    OK(tuntap_release(dev, &out, &err));
    CHECK(out != fd && is_open(fd) && flags_by_hand(out) == flags_by_hand(fd) && descriptors() == before + 1);
    close(out);
    CHECK(exists("t0"));

    OK(tuntap_open_fd(fd, 0, &dev, &err));
    packets_flow(sock, dev, TUNTAP_TUN);
    OK(tuntap_release(dev, &out, &err));
    CHECK(out == fd && exists("t0") && descriptors() == before);
    CHECK((fcntl(out, F_GETFL) & O_NONBLOCK) && (fcntl(out, F_GETFD) & FD_CLOEXEC));

    OK(tuntap_open_fd(out, 0, &dev, &err));
    packets_flow(sock, dev, TUNTAP_TUN);
    tuntap_close(dev);
    CHECK(!is_open(fd) && !exists("t0") && descriptors() == before - 1);
    close(sock);
    return 0;
}
