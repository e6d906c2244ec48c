/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <tuntap.h>

/* Forwards packets between two devices with TUNTAP_OFFLOAD. */
void forward(tuntap *from, tuntap *to)
{
    tuntap_reader *reader = NULL;
    tuntap_writer *writer = NULL;
    tuntap_error err;
    void *packet;
    ssize_t length = -1;

    if (tuntap_reader_new(from, 0, &reader, &err) == 0 &&
        tuntap_writer_new(to, 0, &writer, &err) == 0) {
        do {
            length = tuntap_reader_next(reader, &packet, &err);
            if (length > 0)
                tuntap_writer_put(writer, packet, (size_t)length, NULL);
            else
                tuntap_writer_flush(writer, NULL); /* the batch is over */
        } while (length >= 0 || length == -EPROTO);
    }
    fprintf(stderr, "%s\n", err.message);
    tuntap_reader_free(reader);
    tuntap_writer_free(writer);
}
