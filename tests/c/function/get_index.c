/* SPDX-License-Identifier: MIT */
#include "netns.h"

/** Linux gives the index of a deleted device to whoever asks for it. The handle must not act on that interface. */
static void an_interface_with_the_index_of_a_deleted_device_is_left_alone(void)
{
    tuntap *dev;
    char name[TUNTAP_NAME_SIZE];
    uint32_t index;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_get_index(dev, &index, &err));
    IP("link delete t0");
    IP("link add v0 index %u type veth peer name v1", (unsigned)index);
    UNCHANGED({
        FAILS(tuntap_set_mtu(dev, 1400, &err), ENODEV, TUNTAP_REASON_REMOVED);
        FAILS(tuntap_up(dev, &err), ENODEV, TUNTAP_REASON_REMOVED);
        FAILS(tuntap_set_addr(dev, "10.8.0.1/24", &err), ENODEV, TUNTAP_REASON_REMOVED);
        FAILS(tuntap_get_name(dev, name, sizeof name, &err), ENODEV, TUNTAP_REASON_REMOVED);
        FAILS(tuntap_get_index(dev, &index, &err), ENODEV, TUNTAP_REASON_REMOVED);
    });
    IP("link delete v0");
    tuntap_close(dev);
}

/** The handle acts on the device in its new network namespace, and not on an interface that got its former index
 * here. */
static void a_moved_device_has_another_index(void)
{
    tuntap *dev;
    uint32_t before, index;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_get_index(dev, &before, &err));
    int away = new_netns();
    INSIDE(away, IP("link add other index %u type veth peer name v1", (unsigned)before));
    IP("link set t0 netns /proc/%d/fd/%d", (int)getpid(), away);
    IP("link add v0 index %u type veth peer name v1", (unsigned)before);
    UNCHANGED({
        OK(tuntap_get_index(dev, &index, &err));
        OK(tuntap_set_mtu(dev, 1400, &err));
    });
    CHECK(index != before);
    INSIDE(away, CHECK(index == if_nametoindex("t0")));
    IP("link delete v0");
    tuntap_close(dev);
    close(away);
}

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
    an_interface_with_the_index_of_a_deleted_device_is_left_alone();
    a_moved_device_has_another_index();
    return 0;
}
