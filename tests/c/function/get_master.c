/* SPDX-License-Identifier: MIT */
#include "netns.h"

int main(void)
{
    char text[TUNTAP_NAME_SIZE];
    tuntap *dev;
    begin();
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    FAILS(tuntap_get_master(dev, text, sizeof text, &err), ENOENT, TUNTAP_REASON_UNSET);
    MESSAGE_HAS("t0 has no master");
    IP("link add bridge0 type bridge");
    IP("link set t0 master bridge0");
    OK(tuntap_get_master(dev, text, sizeof text, &err));
    CHECK(strcmp(text, "bridge0") == 0);
    IP("link set bridge0 name br1");
    OK(tuntap_get_master(dev, text, 4, &err));
    CHECK(strcmp(text, "br1") == 0);
    FAILS(tuntap_get_master(dev, text, 3, &err), ERANGE, TUNTAP_REASON_BUFFER);
    FAILS(tuntap_get_master(dev, NULL, 3, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_master(NULL, text, sizeof text, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete br1");
    FAILS(tuntap_get_master(dev, text, sizeof text, &err), ENOENT, TUNTAP_REASON_UNSET);

    /* The master is looked up in the device's network namespace. */
    int other_netns = new_netns();
    OK(tuntap_set_netns_fd(dev, other_netns, &err));
    INSIDE(other_netns, {
        IP("link add br7 type bridge");
        IP("link set t0 master br7");
    });
    OK(tuntap_get_master(dev, text, sizeof text, &err));
    CHECK(strcmp(text, "br7") == 0);
    INSIDE(other_netns, IP("link delete t0"));
    FAILS(tuntap_get_master(dev, text, sizeof text, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    close(other_netns);
    return 0;
}
