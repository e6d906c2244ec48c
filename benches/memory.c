/* SPDX-License-Identifier: MIT
 *
 * memory SEGMENTS [batch]: splits a TCP super-packet and joins its segments again, in memory and without a system call.
 * Prints the tenth percentile in nanoseconds. batch: all segments are there at once, each in a place of its own. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tuntap.h>

enum { HEADERS = 52, SIZE = 1448, ROUNDS = 20000, LINE = 64, ROOM = 1536 };

static void die(const char *what)
{
    fprintf(stderr, "memory: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void put16(uint8_t *to, size_t number)
{
    to[0] = (uint8_t)(number >> 8);
    to[1] = (uint8_t)number;
}

/* The checksum field has the sum of the pseudo header. */
static void make_super(uint8_t *packet, size_t length)
{
    static const uint8_t addresses[8] = {10, 0, 0, 1, 10, 0, 0, 2};
    memset(packet, 0, HEADERS);
    packet[0] = 0x45;
    put16(packet + 2, length);
    packet[6] = 0x40;
    packet[8] = 64;
    packet[9] = 6;
    memcpy(packet + 12, addresses, sizeof addresses);
    packet[32] = 0x80;
    packet[33] = 0x10;
    uint32_t sum = 6 + (uint32_t)(length - 20);
    for (size_t i = 0; i < sizeof addresses; i += 2)
        sum += (uint32_t)addresses[i] << 8 | addresses[i + 1];
    put16(packet + 36, (sum & 0xffff) + (sum >> 16));
    for (size_t i = HEADERS; i < length; i++)
        packet[i] = (uint8_t)(i * 7919 >> 3);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t join_at_once(tuntap_splitter *splitter, tuntap_joiner *joiner)
{
    static uint8_t memory[LINE + 46 * ROOM];
    ssize_t sizes[46];
    size_t count = 0;
    uint8_t *first = memory + LINE - ((uintptr_t)memory + HEADERS) % LINE;
    while ((sizes[count] = tuntap_splitter_copy(splitter, first + count * ROOM, ROOM)) > 0)
        count++;
    for (size_t i = 0; i < count; i++)
        tuntap_joiner_put(joiner, first + i * ROOM, (size_t)sizes[i], NULL);
    return count;
}

static size_t join_one_by_one(tuntap_splitter *splitter, tuntap_joiner *joiner)
{
    ssize_t size;
    size_t count = 0;
    void *segment;
    for (; (size = tuntap_splitter_next(splitter, &segment)) > 0; count++)
        tuntap_joiner_put(joiner, segment, (size_t)size, NULL);
    return count;
}

int main(int count, char **arguments)
{
    static double times[ROUNDS];
    static uint8_t memory[2 * LINE + 65536], whole[65536];
    size_t segments = count > 1 ? strtoul(arguments[1], NULL, 10) : 44, length = HEADERS + segments * SIZE;
    size_t (*join)(tuntap_splitter *, tuntap_joiner *) = count > 2 ? join_at_once : join_one_by_one;
    if (segments < 2 || length > 65535)
        die("2 to 45 segments");
    /* As a reader does it: the payload is aligned. */
    uint8_t *packet = memory + LINE - ((uintptr_t)memory + HEADERS) % LINE;
    tuntap_offload offload = {TUNTAP_NEEDS_CHECKSUM, TUNTAP_KIND_TCP4, HEADERS, SIZE, 20, 16}, joined;
    tuntap_splitter *splitter;
    tuntap_joiner *joiner;
    if (tuntap_splitter_open(TUNTAP_TUN, &splitter, NULL) < 0 || tuntap_joiner_open(TUNTAP_TUN, &joiner, NULL) < 0)
        die("no splitter or joiner");
    make_super(whole, length);
    for (size_t round = 0; round < ROUNDS; round++) {
        const void *result;
        ssize_t size, taken = 0;
        memcpy(packet, whole, length);
        double start = now();
        if (tuntap_splitter_begin(splitter, &offload, packet, length, NULL) < 0)
            die("not split");
        if (join(splitter, joiner) != segments)
            die("other segments");
        while ((size = tuntap_joiner_next(joiner, &joined, &result)) > 0)
            taken = size;
        times[round] = now() - start;
        if ((size_t)taken != length)
            die("not joined");
    }
    qsort(times, ROUNDS, sizeof *times, compare);
    printf("%.0f\n", times[ROUNDS / 10]);
    tuntap_joiner_close(joiner);
    tuntap_splitter_close(splitter);
    return 0;
}
