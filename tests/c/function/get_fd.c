/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

int main(void)
{
    tuntap *dev;
    struct ifreq request;
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    int fd = tuntap_get_fd(dev);
    memset(&request, 0, sizeof request);
    CHECK(ioctl(fd, TUNGETIFF, &request) == 0);
    CHECK(strcmp(request.ifr_name, "t0") == 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(tuntap_get_fd(dev) == fd);
    CHECK(tuntap_get_fd(NULL) == -EINVAL);
    tuntap_close(dev);
    CHECK(fcntl(fd, F_GETFD) == -1);
    return 0;
}
