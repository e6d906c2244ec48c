/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap *dev;
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_set_owner(dev, 0, &err));
    OK(tuntap_set_owner(dev, 0, &err));
    IP_HAS("\"user\":\"root\"", "link show t0");

    FAILS(tuntap_set_owner(dev, UINT32_MAX, &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("no such user");
    IP_HAS("\"user\":\"root\"", "link show t0");
    FAILS(tuntap_set_owner(NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_set_owner(dev, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    return 0;
}
