/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <tuntap.h>

/* Passes one batch on. A packet is never sent twice. */
ssize_t pass(tuntap_reader *reader, tuntap_writer *writer)
{
    tuntap_packet packets[64];
    tuntap_error err;
    size_t taken;
    ssize_t count;

    count = tuntap_reader_batch(reader, packets, 64, sizeof *packets,
                                &err);
    if (count > 0 &&
        tuntap_writer_batch(writer, packets, (size_t)count,
                            sizeof *packets, &taken, &err) < 0)
        fprintf(stderr, "%zu of %zd: %s\n", taken, count, err.message);
    return count;
}
