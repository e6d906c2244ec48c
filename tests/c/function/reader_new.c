/* SPDX-License-Identifier: MIT */
#include "super.h"

int main(void)
{
    tuntap *dev;
    tuntap_reader *reader = NULL;
    begin();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err));
    int before = descriptors();
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    CHECK(reader && descriptors() == before);
    tuntap_reader_free(reader);
    OK(tuntap_reader_new(dev, TUNTAP_TRUSTED, &reader, &err));
    tuntap_reader_free(reader);
    reader = NULL;
    FAILS(tuntap_reader_new(dev, 1, &reader, &err), EINVAL, TUNTAP_REASON_FLAGS);
    MESSAGE_HAS("create a reader: flags 0x1");
    FAILS(tuntap_reader_new(NULL, 0, &reader, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_reader_new(dev, 0, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(!reader);
    tuntap_close(dev);
    return 0;
}
