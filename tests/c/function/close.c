/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap *dev, *queue;
    begin();
    tuntap_close(NULL);
    int before = descriptors();

    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    tuntap_close(dev);
    CHECK(!exists("t0"));

    /* A device is deleted with its last handle, in any order of closing. */
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    tuntap_close(dev);
    IP_HAS("\"numqueues\":1", "link show t0");
    tuntap_close(queue);
    CHECK(!exists("t0"));

    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_detach(queue, &err));
    IP("link set t0 up");
    tuntap_close(dev);
    CHECK(exists("t0"));
    tuntap_close(queue);
    CHECK(!exists("t0"));

    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_PERSIST, &dev, &err));
    tuntap_close(dev);
    CHECK(exists("t0"));

    /* The handle of a deleted device can be closed. */
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link delete t0");
    tuntap_close(dev);
    CHECK(descriptors() == before);
    return 0;
}
