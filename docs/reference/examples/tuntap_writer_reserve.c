/* SPDX-License-Identifier: MIT */
#include <tuntap.h>

/* Decrypts to a packet, and returns its size, or less than 0. */
typedef ssize_t decrypt(void *packet, const void *sealed, size_t size);

/* Decrypts to the memory of the writer: the packet is not copied. */
int open_sealed(tuntap_writer *writer, decrypt *open, const void *sealed,
                size_t size)
{
    void *packet;
    ssize_t length;
    int code = tuntap_writer_reserve(writer, size, &packet, NULL);

    if (code < 0)
        return code;
    length = open(packet, sealed, size);
    if (length < 0)
        return -1; /* the next call on the writer cancels it */
    return tuntap_writer_commit(writer, (size_t)length, NULL);
}
