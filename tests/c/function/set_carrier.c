/* SPDX-License-Identifier: MIT */
#include "packet.h"

static int carrier_of(const char *name)
{
    return atoi(output_of("cat /sys/class/net/%s/carrier", name));
}

/** Mounts another /sys in a new mount namespace: the present /sys shows the interfaces of another network namespace. */
static void mount_own_sysfs(void)
{
    begin_mounts();
    if (mount("sysfs", "/sys", "sysfs", 0, NULL) != 0)
        skip("no /sys may be mounted here: run as root");
}

static void the_kernel_sees_the_carrier(uint64_t kind)
{
    tuntap *dev;
    OK(tuntap_open("t0", kind, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    CHECK(carrier_of("t0") == 1);
    OK(tuntap_set_carrier(dev, 0, &err));
    CHECK(carrier_of("t0") == 0);
    IP_WILL_SAY(1, "\"NO-CARRIER\"", "link show t0");
    IP_HAS("\"UP\"", "link show t0");
    IP_HAS("10.8.0.1", "address show t0");
    OK(tuntap_set_carrier(dev, 0, &err));
    OK(tuntap_set_carrier(dev, 1, &err));
    OK(tuntap_set_carrier(dev, 7, &err));
    CHECK(carrier_of("t0") == 1);
    IP_WILL_SAY(0, "\"NO-CARRIER\"", "link show t0");
    tuntap_close(dev);
}

static void a_device_without_queues_gets_no_carrier(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_detach(dev, &err));
    OK(tuntap_set_carrier(dev, 0, &err));
    CHECK(tuntap_set_carrier(dev, 1, &err) == -EPERM);
    OK(tuntap_attach(dev, &err));
    OK(tuntap_set_carrier(dev, 1, &err));
    IP("link delete t0");
    FAILS(tuntap_set_carrier(dev, 1, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

static void it_needs_no_privilege(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 up");
    drop_privileges();
    OK(tuntap_set_carrier(dev, 0, &err));
    CHECK(carrier_of("t0") == 0);
    tuntap_close(dev);
}

static void an_old_kernel_is_reported(void)
{
    tuntap *dev;
    if (kernel_is(5, 0))
        return;
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 up");
    FAILS(tuntap_set_carrier(dev, 0, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    MESSAGE_HAS("Linux 5.0");
    CHECK(carrier_of("t0") == 1);
    tuntap_close(dev);
    needs_kernel(5, 0, "tuntap_set_carrier");
}

int main(void)
{
    begin();
    mount_own_sysfs();
    an_old_kernel_is_reported();
    the_kernel_sees_the_carrier(TUNTAP_TUN);
    the_kernel_sees_the_carrier(TUNTAP_TAP);
    a_device_without_queues_gets_no_carrier();
    FAILS(tuntap_set_carrier(NULL, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    it_needs_no_privilege();
    return 0;
}
