/* SPDX-License-Identifier: MIT */
#include "test.h"

static void a_persistent_device_outlives_its_handle(uint64_t kind)
{
    tuntap *dev;
    OK(tuntap_open("t0", kind, &dev, &err));
    OK(tuntap_set_persist(dev, 1, &err));
    OK(tuntap_set_persist(dev, -1, &err));
    IP_HAS("\"persist\":true", "link show t0");
    tuntap_close(dev);
    CHECK(exists("t0"));

    OK(tuntap_open("t0", kind, &dev, &err));
    OK(tuntap_set_persist(dev, 0, &err));
    OK(tuntap_set_persist(dev, 0, &err));
    IP_HAS("\"persist\":false", "link show t0");
    tuntap_close(dev);
    CHECK(!exists("t0"));
}

int main(void)
{
    tuntap *dev;
    begin();
    a_persistent_device_outlives_its_handle(TUNTAP_TUN);
    a_persistent_device_outlives_its_handle(TUNTAP_TAP);
    FAILS(tuntap_set_persist(NULL, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link delete t0");
    FAILS(tuntap_set_persist(dev, 1, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    return 0;
}
