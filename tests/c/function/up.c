/* SPDX-License-Identifier: MIT */
#include "test.h"

static void the_device_goes_up(uint64_t kind)
{
    tuntap *dev;
    OK(tuntap_open("t0", kind, &dev, &err));
    IP_HAS_NOT("\"UP\"", "link show t0");
    OK(tuntap_up(dev, &err));
    IP_HAS("\"UP\"", "link show t0");
    OK(tuntap_up(dev, &err));
    IP_HAS("\"UP\"", "link show t0");
    tuntap_close(dev);
}

/** Without privilege, the call succeeds only if the device is already up. */
static void only_a_change_needs_privilege(void)
{
    tuntap *up, *down;
    OK(tuntap_open("t0", TUNTAP_TUN, &up, &err));
    OK(tuntap_open("t1", TUNTAP_TUN, &down, &err));
    IP("link set t0 up");
    drop_privileges();
    OK(tuntap_up(up, &err));
    FAILS(tuntap_up(down, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    MESSAGE_HAS("bring t1 up");
    IP_HAS_NOT("\"UP\"", "link show t1");
    tuntap_close(up);
    tuntap_close(down);
}

int main(void)
{
    tuntap *dev;
    begin();
    the_device_goes_up(TUNTAP_TUN);
    the_device_goes_up(TUNTAP_TAP);
    FAILS(tuntap_up(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link delete t0");
    FAILS(tuntap_up(dev, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    only_a_change_needs_privilege();
    return 0;
}
