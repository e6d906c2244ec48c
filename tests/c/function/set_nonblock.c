/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap *dev;
    char buf[100];
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    int fd = tuntap_get_fd(dev), before = fcntl(fd, F_GETFL);
    OK(tuntap_set_nonblock(dev, 1, &err));
    CHECK(fcntl(fd, F_GETFL) == (before | O_NONBLOCK));
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    OK(tuntap_set_nonblock(dev, 7, &err));
    CHECK(fcntl(fd, F_GETFL) == (before | O_NONBLOCK));
    OK(tuntap_set_nonblock(dev, 0, &err));
    OK(tuntap_set_nonblock(dev, 0, &err));
    CHECK(fcntl(fd, F_GETFL) == before);
    FAILS(tuntap_set_nonblock(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_close(dev);
    return 0;
}
