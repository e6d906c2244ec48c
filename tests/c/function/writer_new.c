/* SPDX-License-Identifier: MIT */
#include "super.h"

int main(void)
{
    tuntap *dev;
    tuntap_writer *writer = NULL;
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err));
    int before = descriptors();
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    CHECK(writer && descriptors() == before);
    tuntap_writer_free(writer);
    OK(tuntap_writer_new(dev, TUNTAP_TRUSTED, &writer, &err));
    tuntap_writer_free(writer);
    writer = NULL;
    FAILS(tuntap_writer_new(dev, TUNTAP_TUN, &writer, &err), EINVAL, TUNTAP_REASON_FLAGS);
    MESSAGE_HAS("create a writer: flags 0x1");
    FAILS(tuntap_writer_new(NULL, 0, &writer, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_writer_new(dev, 0, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(!writer);
    tuntap_close(dev);
    return 0;
}
