/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;

/** Each packet is within the memory of the super-packet. stress/oracle.c tests the contents. */
int main(void)
{
    void *packet = NULL;
    tuntap_splitter *splitter;
    begin();
    OK(tuntap_splitter_new(TUNTAP_TUN, &splitter, &err));
    CHECK(tuntap_splitter_next(splitter, &packet, NULL) == 0 && !packet);
    udp_super(&super, 10, 100);
    OK(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, super.packet, super.size - 30, &err));
    for (int i = 0; i < 10; i++) {
        ssize_t length = tuntap_splitter_next(splitter, &packet, NULL);
        uint8_t *bytes = packet;
        CHECK(length == UDP_OVERHEAD + (i < 9 ? 100 : 70));
        CHECK(bytes == super.packet + 100 * i);
        CHECK(checksum(bytes, 20, 0) == 0 && udp_checksum(bytes, (size_t)length) == 0);
        CHECK(bytes[UDP_OVERHEAD] == i && bytes[length - 1] == i);
        memset(bytes, 0xff, (size_t)length);
    }
    CHECK(tuntap_splitter_next(splitter, &packet, NULL) == 0);
    CHECK(tuntap_splitter_next(NULL, &packet, NULL) == -EINVAL);
    CHECK(tuntap_splitter_next(splitter, NULL, NULL) == -EINVAL);
    tuntap_splitter_free(splitter);
    return 0;
}
