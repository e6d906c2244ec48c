/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super, before;

static void refused(tuntap_splitter *splitter, size_t size)
{
    void *packet;
    before = super;
    FAILS(tuntap_splitter_begin(splitter, &super.offload, super.packet, size, &err), EINVAL, TUNTAP_REASON_PACKET);
    CHECK(memcmp(&before, &super, sizeof super) == 0);
    CHECK(tuntap_splitter_next(splitter, &packet, NULL) == 0);
}

int main(void)
{
    void *packet;
    tuntap_splitter *splitter;
    begin();
    OK(tuntap_splitter_new(TUNTAP_TUN, &splitter, &err));
    udp_super(&super, 10, 100);
    for (size_t size = 0; size < UDP_OVERHEAD; size++)
        refused(splitter, size);
    refused(splitter, sizeof super.packet + 1);
    MESSAGE_HAS("none is so long");
    super.offload.segment_size = 0;
    refused(splitter, super.size);
    udp_super(&super, 10, 100);
    super.offload.checksum_start = 65535;
    refused(splitter, super.size);
    udp_super(&super, 10, 100);
    super.offload.kind = 3;
    refused(splitter, super.size);
    MESSAGE_HAS("unknown");
    super.offload.kind = TUNTAP_KIND_NONE;
    super.offload.checksum_offset = 65535;
    refused(splitter, super.size);

    /* The last one is forgotten. */
    udp_super(&super, 10, 100);
    OK(tuntap_splitter_begin(splitter, &super.offload, super.packet, super.size, &err));
    CHECK(tuntap_splitter_next(splitter, &packet, NULL) == 128);
    udp_super(&super, 2, 50);
    OK(tuntap_splitter_begin(splitter, &super.offload, super.packet, super.size, &err));
    CHECK(tuntap_splitter_next(splitter, &packet, NULL) == 78);
    FAILS(tuntap_splitter_begin(NULL, &super.offload, super.packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_splitter_begin(splitter, NULL, super.packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_splitter_begin(splitter, &super.offload, NULL, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_splitter_free(splitter);
    return 0;
}
