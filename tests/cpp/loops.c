/* SPDX-License-Identifier: MIT
 *
 * Loops over packets, to compare with loops.cc. */
#include <tuntap.h>

size_t echo(tuntap *dev, uint8_t *buffer, size_t size);
size_t forward(tuntap_reader *reader, tuntap_writer *writer);
size_t forward_batches(tuntap_reader *reader, tuntap_writer *writer, tuntap_packet *packets);
size_t timed(tuntap *dev, uint8_t *buffer, size_t size, tuntap_error *err);

size_t echo(tuntap *dev, uint8_t *buffer, size_t size)
{
    size_t total = 0;
    ssize_t length;
    while ((length = tuntap_read(dev, buffer, size, NULL)) >= 0) {
        if (tuntap_write(dev, buffer, (size_t)length, NULL) < 0)
            break;
        total += (size_t)length;
    }
    return total;
}

size_t forward(tuntap_reader *reader, tuntap_writer *writer)
{
    size_t total = 0;
    void *packet = NULL;
    ssize_t length;
    do {
        while ((length = tuntap_reader_next(reader, &packet, NULL)) > 0)
            total += tuntap_writer_put(writer, packet, (size_t)length, NULL) == 0;
        if (tuntap_writer_flush(writer, NULL) < 0)
            break;
    } while (length == 0);
    return total;
}

size_t forward_batches(tuntap_reader *reader, tuntap_writer *writer, tuntap_packet *packets)
{
    size_t total = 0, taken = 0;
    ssize_t count;
    while ((count = tuntap_reader_batch(reader, packets, 64, sizeof *packets, NULL)) >= 0) {
        if (tuntap_writer_batch(writer, packets, (size_t)count, sizeof *packets, &taken, NULL) < 0)
            break;
        total += taken;
    }
    return total;
}

size_t timed(tuntap *dev, uint8_t *buffer, size_t size, tuntap_error *err)
{
    size_t total = 0;
    ssize_t length;
    while ((length = tuntap_read_timeout(dev, buffer, size, 1000, err)) >= 0)
        total += (size_t)length;
    return total;
}
