/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    char longest[257];
    tuntap *dev;
    begin();
    memset(longest, 'x', 256);
    longest[256] = 0;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_set_alias(dev, "to the office", &err));
    IP_HAS("\"ifalias\":\"to the office\"", "link show t0");
    UNCHANGED({
        FAILS(tuntap_set_alias(dev, longest, &err), EINVAL, TUNTAP_REASON_RANGE);
        MESSAGE_HAS("256 bytes");
        FAILS(tuntap_set_alias(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        FAILS(tuntap_set_alias(NULL, "a", &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    });
    OK(tuntap_set_alias(dev, longest + 1, &err));
    IP_HAS(longest + 1, "link show t0");
    OK(tuntap_set_alias(dev, "", &err));
    IP_HAS_NOT("ifalias", "link show t0");
    IP("link delete t0");
    FAILS(tuntap_set_alias(dev, "gone", &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 alias here");
    drop_privileges();
    OK(tuntap_set_alias(dev, "here", &err));
    FAILS(tuntap_set_alias(dev, "there", &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    FAILS(tuntap_set_alias(dev, "", &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    IP_HAS("\"ifalias\":\"here\"", "link show t0");
    tuntap_close(dev);
    return 0;
}
