/* SPDX-License-Identifier: MIT */
#include "netns.h"

static void a_tap_can_join_a_bridge(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link add br0 type bridge");
    IP("link add br1 type bridge");
    OK(tuntap_set_master(dev, "br0", &err));
    IP_HAS("\"master\":\"br0\"", "link show t0");
    OK(tuntap_set_master(dev, "br0", &err));
    OK(tuntap_set_master(dev, "br1", &err));
    IP_HAS("\"master\":\"br1\"", "link show t0");
    OK(tuntap_set_master(dev, NULL, &err));
    IP_HAS_NOT("\"master\"", "link show t0");
    OK(tuntap_set_master(dev, "", &err));
    tuntap_close(dev);
}

/** A frame crosses the bridge from one device to another. */
static void frames_cross_the_bridge(void)
{
    static const uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5, 'x'};
    uint8_t buf[2000];
    tuntap *one, *two;
    OK(tuntap_open("t0", TUNTAP_TAP, &one, &err));
    OK(tuntap_open("t1", TUNTAP_TAP, &two, &err));
    for (int i = 0; i < 2; i++) {
        char name[] = {'t', (char)('0' + i), 0};
        OK(tuntap_set_master(i ? two : one, "br0", &err));
        IP("link set %s addrgenmode none up", name);
    }
    IP("link set br0 addrgenmode none up");
    OK(tuntap_write(one, frame, sizeof frame, &err));
    do
        OK(tuntap_read_timeout(two, buf, sizeof buf, 10000, &err));
    while (memcmp(buf, frame, 15) != 0);
    tuntap_close(one);
    tuntap_close(two);
}

static void it_acts_in_the_namespace_of_the_device(void)
{
    tuntap *dev;
    int other_netns = new_netns();
    INSIDE(other_netns, IP("link add br7 type bridge"));
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    OK(tuntap_set_netns_fd(dev, other_netns, &err));
    FAILS(tuntap_set_master(dev, "br0", &err), ENODEV, TUNTAP_REASON_ABSENT);
    OK(tuntap_set_master(dev, "br7", &err));
    INSIDE(other_netns, IP_HAS("\"master\":\"br7\"", "link show t0"));
    tuntap_close(dev);
    close(other_netns);
}

static void failed_calls_change_nothing(void)
{
    tuntap *tun, *tap;
    OK(tuntap_open("t0", TUNTAP_TAP, &tap, &err));
    OK(tuntap_open("t1", TUNTAP_TUN, &tun, &err));
    OK(tuntap_set_master(tap, "br0", &err));
    OK(tuntap_set_master(tun, NULL, &err)); /* Opens the netlink socket of the handle. */
    int open = descriptors();
    FAILS(tuntap_set_master(tap, "br9", &err), ENODEV, TUNTAP_REASON_ABSENT);
    MESSAGE_HAS("add t0 to br9: there is no such interface");
    FAILS(tuntap_set_master(tap, "a/b", &err), EINVAL, TUNTAP_REASON_NAME);
    FAILS(tuntap_set_master(NULL, "br0", &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_master(tun, "br0", &err), EINVAL, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("add t1 to br0");
    MESSAGE_HAS("only a TAP");
    FAILS(tuntap_set_master(tap, "lo", &err), EOPNOTSUPP, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("takes no ports");
    CHECK(descriptors() == open);
    IP_HAS("\"master\":\"br0\"", "link show t0");
    IP("link delete t1");
    FAILS(tuntap_set_master(tun, "br0", &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(tun);
    drop_privileges();
    FAILS(tuntap_set_master(tap, "br1", &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    OK(tuntap_set_master(tap, "br0", &err));
    tuntap_close(tap);
}

int main(void)
{
    begin();
    a_tap_can_join_a_bridge();
    frames_cross_the_bridge();
    it_acts_in_the_namespace_of_the_device();
    failed_calls_change_nothing();
    return 0;
}
