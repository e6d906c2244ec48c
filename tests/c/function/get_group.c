/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap *dev;
    uint32_t gid = 77;
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    FAILS(tuntap_get_group(dev, &gid, &err), ENOENT, TUNTAP_REASON_UNSET);
    MESSAGE_HAS("t0 has no group");
    FAILS(tuntap_get_group(NULL, &gid, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_group(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_get_group(dev, &gid, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(gid == 77);
    tuntap_close(dev);

    IP("tuntap add dev t1 mode tap group 0");
    OK(tuntap_open("t1", TUNTAP_TAP, &dev, &err));
    OK(tuntap_get_group(dev, &gid, &err));
    CHECK(gid == 0);
    tuntap_close(dev);
    return 0;
}
