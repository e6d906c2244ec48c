/* SPDX-License-Identifier: MIT */
#include "event.h"

/** A monitor can be closed at any time: unused, while it reports the current state, or with untaken events. */
static void a_closed_monitor_leaves_no_descriptors(tuntap *dev)
{
    tuntap_monitor *monitor;
    for (int i = 0; i < 1000; i++) {
        OK(tuntap_monitor_open(i % 2 ? dev : NULL, 0, &monitor, &err));
        for (int j = 0; j < i % 4; j++)
            OK(tuntap_monitor_next(monitor, &event, sizeof event, -1, &err));
        if (i % 100 == 0)
            IP("link set t0 mtu %d", 1300 + i % 7);
        tuntap_monitor_close(monitor);
    }
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    IP("link set t0 down");
    take_present_state(monitor);
    NEXT_OF(monitor, DOWN, "t0");
    tuntap_monitor_close(monitor);
}

/** As tuntap.h says under Cost, a wait needs another descriptor. */
static void a_monitor_that_waited_has_two_descriptors(tuntap *dev)
{
    tuntap_monitor *monitor;
    int before = descriptors();
    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    CHECK(descriptors() == before + 1);
    take_present_state(monitor);
    CHECK(tuntap_monitor_next(monitor, &event, sizeof event, 10, NULL) == -ETIMEDOUT);
    CHECK(descriptors() == before + 2);
    tuntap_monitor_close(monitor);
}

int main(void)
{
    tuntap *dev;
    tuntap_monitor *monitor;
    begin();
    ipv4_only();
    tuntap_monitor_close(NULL);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    int up;
    OK(tuntap_get_up(dev, &up, &err));
    int before = descriptors();
    a_closed_monitor_leaves_no_descriptors(dev);
    a_monitor_that_waited_has_two_descriptors(dev);
    CHECK(descriptors() == before);

    /* Closing the monitor does not close the device. */
    UNCHANGED(OK(tuntap_monitor_open(dev, 0, &monitor, &err)); tuntap_monitor_close(monitor));
    tuntap_close(dev);
    CHECK(!exists("t0"));
    return 0;
}
