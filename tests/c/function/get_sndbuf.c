/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    uint32_t bytes = 0;
    tuntap *dev;
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_get_sndbuf(dev, &bytes, &err));
    CHECK(bytes == INT32_MAX);
    CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNSETSNDBUF, &(int){4321}) == 0);
    OK(tuntap_get_sndbuf(dev, &bytes, &err));
    CHECK(bytes == 4321);
    FAILS(tuntap_get_sndbuf(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_sndbuf(NULL, &bytes, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_get_sndbuf(dev, &bytes, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(bytes == 4321);
    tuntap_close(dev);
    return 0;
}
