/* SPDX-License-Identifier: MIT */
#include "allowed.h"

#include <stdlib.h>
#include <string.h>

static int has(const struct prefix *prefix, int version, const uint8_t *address)
{
    int bytes = prefix->length / 8, bits = prefix->length % 8;
    if (prefix->version != version || memcmp(prefix->address, address, (size_t)bytes) != 0)
        return 0;
    return bits == 0 || (prefix->address[bytes] ^ address[bytes]) >> (8 - bits) == 0;
}

int allowed_add(struct allowed *allowed, const struct prefix *prefix, size_t peer)
{
    size_t place = 0;
    while (place < allowed->count && allowed->entries[place].prefix.length > prefix->length)
        place++;
    for (size_t i = place; i < allowed->count && allowed->entries[i].prefix.length == prefix->length; i++)
        if (has(&allowed->entries[i].prefix, prefix->version, prefix->address)) {
            allowed->entries[i].peer = peer;
            return 1;
        }

    struct allowed_entry *entries = realloc(allowed->entries, (allowed->count + 1) * sizeof *entries);
    if (!entries)
        return 0;
    memmove(entries + place + 1, entries + place, (allowed->count - place) * sizeof *entries);
    entries[place] = (struct allowed_entry){*prefix, peer};
    allowed->entries = entries;
    allowed->count++;
    return 1;
}

void allowed_free(struct allowed *allowed)
{
    free(allowed->entries);
    *allowed = (struct allowed){0};
}

ssize_t allowed_find(const struct allowed *allowed, int version, const uint8_t *address)
{
    for (size_t i = 0; i < allowed->count; i++)
        if (has(&allowed->entries[i].prefix, version, address))
            return (ssize_t)allowed->entries[i].peer;
    return -1;
}

ssize_t allowed_source(const struct allowed *allowed, const uint8_t *packet)
{
    int version = packet[0] >> 4;
    return allowed_find(allowed, version, packet + (version == 4 ? 12 : 8));
}

ssize_t allowed_destination(const struct allowed *allowed, const uint8_t *packet)
{
    int version = packet[0] >> 4;
    return allowed_find(allowed, version, packet + (version == 4 ? 16 : 24));
}

size_t packet_length(const uint8_t *packet, size_t size)
{
    enum { IPV4_HEADER = 20, IPV6_HEADER = 40 };
    size_t length = 0;
    if (size >= IPV4_HEADER && packet[0] >> 4 == 4) {
        length = (size_t)packet[2] << 8 | packet[3];
        if (length < IPV4_HEADER)
            return 0;
    } else if (size >= IPV6_HEADER && packet[0] >> 4 == 6) {
        length = ((size_t)packet[4] << 8 | packet[5]) + IPV6_HEADER;
    }
    return length <= size ? length : 0;
}
