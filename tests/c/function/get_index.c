/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <net/if.h>

int main(void)
{
    tuntap *dev, *other;
    uint32_t index = 77;
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_open("t1", TUNTAP_TAP, &other, &err));
    OK(tuntap_get_index(dev, &index, &err));
    CHECK(index == if_nametoindex("t0"));
    IP("link set t0 name renamed");
    OK(tuntap_get_index(dev, &index, &err));
    CHECK(index == if_nametoindex("renamed"));
    OK(tuntap_get_index(other, &index, &err));
    CHECK(index == if_nametoindex("t1"));

    IP("link delete t1");
    index = 77;
    FAILS(tuntap_get_index(other, &index, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_get_index(NULL, &index, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_index(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(index == 77);
    tuntap_close(dev);
    tuntap_close(other);
    return 0;
}
