/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Prints the size of each segment of a super-packet. */
int split(tuntap_splitter *splitter, const tuntap_vnet_hdr *hdr,
          void *super, size_t size)
{
    tuntap_error err;
    void *segment;
    ssize_t length;
    int code;

    code = tuntap_splitter_begin(splitter, hdr, sizeof *hdr, super, size,
                                 &err);
    if (code < 0) {
        fprintf(stderr, "%s\n", err.message);
        return code;
    }
    while ((length = tuntap_splitter_next(splitter, &segment, &err)) > 0)
        printf("%zd bytes\n", length);
    return (int)length;
}
