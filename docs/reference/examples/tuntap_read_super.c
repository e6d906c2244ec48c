/* SPDX-License-Identifier: MIT */
#include <tuntap.h>

/* Passes a super-packet to another device without splitting it. */
ssize_t pass(tuntap *from, tuntap *to, tuntap_error *err)
{
    static char super[65536];
    tuntap_vnet_hdr hdr;
    ssize_t length;

    length = tuntap_read_super(from, &hdr, sizeof hdr, super, sizeof super,
                               err);
    if (length < 0)
        return length;
    return tuntap_write_super(to, &hdr, sizeof hdr, super, (size_t)length,
                              err);
}
