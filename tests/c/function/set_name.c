/* SPDX-License-Identifier: MIT */
#include "packet.h"

static void the_device_has_the_new_name(uint64_t kind, int up)
{
    tuntap *dev;
    char name[TUNTAP_NAME_SIZE];
    OK(tuntap_open("t0", kind, &dev, &err));
    unsigned index = if_nametoindex("t0");
    if (up)
        IP("link set t0 up");
    int result = tuntap_set_name(dev, "vpn7", &err);
    if (result == -EBUSY && up) {
        CHECK(err.reason == TUNTAP_REASON_BUSY); /* before Linux 6.2 */
        MESSAGE_HAS("since 6.2");
        IP("link set t0 down");
        result = tuntap_set_name(dev, "vpn7", &err);
    }
    CHECK(result == 0);
    CHECK(if_nametoindex("vpn7") == index && !exists("t0"));
    OK(tuntap_get_name(dev, name, sizeof name, &err));
    CHECK(strcmp(name, "vpn7") == 0);

    /* The handle follows the device when another program renames it. */
    IP("link set vpn7 down");
    IP("link set vpn7 name t1");
    OK(tuntap_set_name(dev, "t2", &err));
    OK(tuntap_set_mtu(dev, 1400, &err));
    IP_HAS("\"mtu\":1400,", "link show t2");
    tuntap_close(dev);
}

static void failed_calls_change_nothing(void)
{
    static const char *const wrong[] = {"", "sixteen-bytes-xy", "a/b", "a:b", "a b", ".", "all", "default", "vpn%d", "50%"};
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("tuntap add dev taken mode tun");
    OK(tuntap_set_name(dev, "t0", &err));
    UNCHANGED({
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
            FAILS(tuntap_set_name(dev, wrong[i], &err), EINVAL, TUNTAP_REASON_NAME);
        FAILS(tuntap_set_name(dev, "taken", &err), EEXIST, TUNTAP_REASON_BUSY);
        MESSAGE_HAS("rename t0 to taken");
        FAILS(tuntap_set_name(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        FAILS(tuntap_set_name(NULL, "t1", &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    });
    IP("link delete t0");
    FAILS(tuntap_set_name(dev, "t1", &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

static void only_a_change_needs_privilege(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    drop_privileges();
    OK(tuntap_set_name(dev, "t0", &err));
    FAILS(tuntap_set_name(dev, "t1", &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    CHECK(exists("t0") && !exists("t1"));
    tuntap_close(dev);
}

int main(void)
{
    begin();
    the_device_has_the_new_name(TUNTAP_TUN, 0);
    the_device_has_the_new_name(TUNTAP_TAP, 1);
    failed_calls_change_nothing();
    only_a_change_needs_privilege();
    return 0;
}
