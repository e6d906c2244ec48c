/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;

/** A splitter can be freed in the middle of a super-packet. */
int main(void)
{
    void *packet;
    tuntap_splitter *splitter;
    begin();
    udp_super(&super, 10, 100);
    OK(tuntap_splitter_new(TUNTAP_TUN, &splitter, &err));
    OK(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, super.packet, super.size, &err));
    CHECK(tuntap_splitter_next(splitter, &packet, NULL) == 128);
    tuntap_splitter_free(splitter);
    tuntap_splitter_free(NULL);
    return 0;
}
