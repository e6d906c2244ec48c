/* SPDX-License-Identifier: MIT */
#include "test.h"

static int sndbuf_by_hand(tuntap *dev)
{
    int bytes = 0;
    CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNGETSNDBUF, &bytes) == 0);
    return bytes;
}

int main(void)
{
    tuntap *dev, *queue;
    begin();
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_set_sndbuf(dev, 100000, &err));
    CHECK(sndbuf_by_hand(dev) == 100000 && sndbuf_by_hand(queue) == 100000);
    OK(tuntap_set_sndbuf(dev, INT32_MAX, &err));
    CHECK(sndbuf_by_hand(dev) == INT32_MAX);
    OK(tuntap_set_sndbuf(dev, 1, &err));
    uint32_t wrong[] = {0, UINT32_C(1) << 31, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(tuntap_set_sndbuf(dev, wrong[i], &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("the range is 1 to 2147483647");
    CHECK(sndbuf_by_hand(dev) == 1);
    FAILS(tuntap_set_sndbuf(NULL, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    FAILS(tuntap_set_sndbuf(dev, 2, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(queue);
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    drop_privileges();
    OK(tuntap_set_sndbuf(dev, 4321, &err));
    CHECK(sndbuf_by_hand(dev) == 4321);
    tuntap_close(dev);
    return 0;
}
