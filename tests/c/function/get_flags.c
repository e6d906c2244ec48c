/* SPDX-License-Identifier: MIT */
#include "test.h"

static uint64_t flags_of(tuntap *dev)
{
    uint64_t flags = 0;
    OK(tuntap_get_flags(dev, &flags, &err));
    return flags;
}

/** The requested flags are those that ip(8) shows and that the call returns. */
static void flags_are_those_of_the_device(uint64_t flags)
{
    tuntap *dev;
    OK(tuntap_open("t0", flags, &dev, &err));
    const char *link = output_of("ip -j -d link show t0");
    CHECK(strstr(link, flags & TUNTAP_TAP ? "\"type\":\"tap\"" : "\"type\":\"tun\""));
    CHECK(strstr(link, flags & TUNTAP_PI ? "\"pi\":true" : "\"pi\":false"));
    CHECK(strstr(link, flags & TUNTAP_MULTI_QUEUE ? "\"multi_queue\":true" : "\"multi_queue\":false"));
    CHECK(strstr(link, flags & TUNTAP_PERSIST ? "\"persist\":true" : "\"persist\":false"));
    CHECK(fcntl(tuntap_get_fd(dev, NULL), F_GETFL) & O_NONBLOCK); /* always: the library waits by itself */
    int granted = flags_by_hand(tuntap_get_fd(dev, NULL));
    CHECK(!(granted & IFF_TAP) == !(flags & TUNTAP_TAP) && !(granted & IFF_TUN) == !(flags & TUNTAP_TUN));
    CHECK(!(granted & IFF_MULTI_QUEUE) == !(flags & TUNTAP_MULTI_QUEUE));
    CHECK(!(granted & IFF_PERSIST) == !(flags & TUNTAP_PERSIST));
    CHECK(!(granted & IFF_NAPI) == !(flags & TUNTAP_NAPI));
    CHECK(flags_of(dev) == (flags & ~(uint64_t)TUNTAP_EXCLUSIVE));
    tuntap_close(dev);
    if (flags & TUNTAP_PERSIST)
        IP("link delete t0");
}

int main(void)
{
    tuntap *dev;
    uint64_t flags = 77;
    begin();
    for (uint64_t others = 0; others < 2 * TUNTAP_NAPI; others += TUNTAP_PI) {
        flags_are_those_of_the_device(TUNTAP_TUN | others);
        flags_are_those_of_the_device(TUNTAP_TAP | others);
    }

    /* The present flags are reported, even if another program changed them. */
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_set_nonblock(dev, 1, &err));
    CHECK(flags_of(dev) == (TUNTAP_TUN | TUNTAP_NONBLOCK));
    CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNSETPERSIST, 1) == 0);
    CHECK(flags_of(dev) == (TUNTAP_TUN | TUNTAP_NONBLOCK | TUNTAP_PERSIST));
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    CHECK(flags_of(dev) == (TUNTAP_TUN | TUNTAP_PERSIST));

    FAILS(tuntap_get_flags(NULL, &flags, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_flags(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_get_flags(dev, &flags, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(flags == 77);
    tuntap_close(dev);
    return 0;
}
