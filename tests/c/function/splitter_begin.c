/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super, before;

static void is_refused(tuntap_splitter *splitter, size_t size)
{
    void *packet;
    before = super;
    FAILS(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, super.packet, size, &err), EINVAL, TUNTAP_REASON_PACKET);
    CHECK(memcmp(&before, &super, sizeof super) == 0);
    CHECK(tuntap_splitter_next(splitter, &packet, NULL) == 0);
}

static void the_header_has_the_given_size(tuntap_splitter *splitter)
{
    static const size_t sizes[] = {10, 12, 16, 20, 4096}, wrong[] = {0, 9, 4097, SIZE_MAX};
    static union sized_hdr sized;
    void *packet;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        udp_super(&super, 10, 100);
        memset(&sized, 0, sizeof sized);
        sized.hdr = super.hdr;
        memset(sized.bytes + sizes[i], 0x55, sizeof sized - sizes[i]);
        OK(tuntap_splitter_begin(splitter, &sized.hdr, sizes[i], super.packet, super.size, &err));
        CHECK(tuntap_splitter_next(splitter, &packet, NULL) == 128);
    }
    sized.bytes[4095] = 1;
    FAILS(tuntap_splitter_begin(splitter, &sized.hdr, 4096, super.packet, super.size, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(tuntap_splitter_begin(splitter, &sized.hdr, wrong[i], super.packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
}

int main(void)
{
    void *packet;
    tuntap_splitter *splitter;
    begin();
    OK(tuntap_splitter_new(TUNTAP_TUN, &splitter, &err));
    udp_super(&super, 10, 100);
    for (size_t size = 0; size < UDP_OVERHEAD; size++)
        is_refused(splitter, size);
    is_refused(splitter, sizeof super.packet + 1);
    MESSAGE_HAS("the limit is 65557");
    super.hdr.gso_size = 0;
    is_refused(splitter, super.size);
    udp_super(&super, 10, 100);
    super.hdr.csum_start = 65535;
    is_refused(splitter, super.size);
    udp_super(&super, 10, 100);
    super.hdr.gso_type = 3;
    is_refused(splitter, super.size);
    MESSAGE_HAS("unknown");
    super.hdr.gso_type = TUNTAP_VNET_HDR_GSO_NONE;
    super.hdr.csum_offset = 65535;
    is_refused(splitter, super.size);

    the_header_has_the_given_size(splitter);

    /* A new super-packet replaces the previous one. */
    udp_super(&super, 10, 100);
    OK(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, super.packet, super.size, &err));
    CHECK(tuntap_splitter_next(splitter, &packet, NULL) == 128);
    udp_super(&super, 2, 50);
    OK(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, super.packet, super.size, &err));
    CHECK(tuntap_splitter_next(splitter, &packet, NULL) == 78);
    FAILS(tuntap_splitter_begin(NULL, &super.hdr, sizeof super.hdr, super.packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_splitter_begin(splitter, NULL, sizeof(tuntap_vnet_hdr), super.packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, NULL, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_splitter_free(splitter);
    return 0;
}
