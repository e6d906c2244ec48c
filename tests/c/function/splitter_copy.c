/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;

/** Each packet is copied to the buffer, and the bytes beside it do not change. stress/oracle.c tests the contents. */
int main(void)
{
    uint8_t buffer[64 + UDP_OVERHEAD + 100 + 64];
    tuntap_splitter *splitter;
    begin();
    OK(tuntap_splitter_new(TUNTAP_TUN, &splitter, &err));
    CHECK(tuntap_splitter_copy(splitter, buffer, sizeof buffer, NULL) == 0);
    udp_super(&super, 10, 100);
    OK(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, super.packet, super.size - 30, &err));
    for (int i = 0; i < 10; i++) {
        size_t length = UDP_OVERHEAD + (i < 9 ? 100 : 70);
        uint8_t *to = buffer + 60 + i % 4;
        memset(buffer, 0xee, sizeof buffer);
        CHECK(tuntap_splitter_copy(splitter, to, length - 1, NULL) == -EMSGSIZE);
        CHECK(tuntap_splitter_copy(splitter, to, sizeof buffer - 64, NULL) == (ssize_t)length);
        CHECK(checksum(to, 20, 0) == 0 && udp_checksum(to, length) == 0);
        CHECK(to[UDP_OVERHEAD] == i && to[length - 1] == i && to[length] == 0xee && to[-1] == 0xee);
    }
    CHECK(tuntap_splitter_copy(splitter, buffer, sizeof buffer, NULL) == 0);

    /* A plain packet is copied whole. */
    super.hdr = (tuntap_vnet_hdr){.gso_type = TUNTAP_VNET_HDR_GSO_NONE};
    OK(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, super.packet, 120, &err));
    FAILS(tuntap_splitter_copy(splitter, buffer, 119, &err), EMSGSIZE, TUNTAP_REASON_BUFFER);
    MESSAGE_HAS("copy a segment: it has 120 bytes, and the buffer 119");
    CHECK(tuntap_splitter_copy(splitter, buffer, 120, NULL) == 120 && memcmp(buffer, super.packet, 120) == 0);

    CHECK(tuntap_splitter_copy(NULL, buffer, sizeof buffer, NULL) == -EINVAL);
    CHECK(tuntap_splitter_copy(splitter, NULL, 100, NULL) == -EINVAL);
    tuntap_splitter_free(splitter);
    return 0;
}
