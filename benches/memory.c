/* SPDX-License-Identifier: MIT
 *
 * memory SEGMENTS [batch]: segments a TCP super-packet and coalesces its segments again, in memory and without a system
 * call. Prints the tenth percentile in nanoseconds. batch: all segments are in memory at once, each in a separate buffer.
 *
 * memory SEGMENTS room|copy|next|reserve|put|cipher: the cost of a super-packet for a program that encrypts, on a device in
 * a private network namespace (needs root).
 * room, copy, next: reads each segment to a buffer with room for a header and a tag, by tuntap_reader_set_room, by
 * tuntap_reader_copy, or by tuntap_reader_next and memcpy. Includes the system call.
 * reserve, put: writes segments that a cipher writes to reserved memory, or to a buffer for tuntap_writer_put. Includes the
 * cipher, which is as fast as usual ones, but not the system call.
 * cipher: only the cipher. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <tuntap.h>

#include "clock.h"

enum { HEADERS = 52, SIZE = 1448, ROUNDS = 20000, LINE = 64, ROOM = 1536, SEGMENTS_MAX = 45, HEADROOM = 32, TAILROOM = 16 };

static void die(const char *what)
{
    fprintf(stderr, "memory: %s\n", what);
    exit(1);
}

static void put16(uint8_t *to, size_t number)
{
    to[0] = (uint8_t)(number >> 8);
    to[1] = (uint8_t)number;
}

/* A partial checksum: the field has the sum of the pseudo header. */
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
    static uint8_t memory[LINE + (SEGMENTS_MAX + 1) * ROOM];
    ssize_t sizes[SEGMENTS_MAX + 1];
    size_t count = 0;
    uint8_t *first = memory + LINE - ((uintptr_t)memory + HEADERS) % LINE;
    while ((sizes[count] = tuntap_splitter_copy(splitter, first + count * ROOM, ROOM, NULL)) > 0)
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
    for (; (size = tuntap_splitter_next(splitter, &segment, NULL)) > 0; count++)
        tuntap_joiner_put(joiner, segment, (size_t)size, NULL);
    return count;
}

/* A tunnel: a device, the packets that a socket sends through it, and the buffers of the caller. */
struct tunnel {
    tuntap *dev;
    tuntap_reader *reader;
    tuntap_writer *writer;
    int sock;
    tuntap_vnet_hdr hdr;
    size_t segments, length;
    tuntap_packet packets[SEGMENTS_MAX + 1];
};

static uint8_t whole[65536], places[SEGMENTS_MAX + 1][HEADROOM + ROOM + TAILROOM];

static void open_tunnel(struct tunnel *tunnel)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
    int on = 1;
    if (unshare(CLONE_NEWNET) < 0)
        die("no network namespace: run as root");
    /* Without this, IPv6 in the kernel sends packets too. */
    FILE *file = fopen("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w");
    if (file) {
        fputs("1", file);
        fclose(file);
    }
    if (tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_NONBLOCK, &tunnel->dev, NULL) < 0 ||
        tuntap_up(tunnel->dev, NULL) < 0 ||
        tuntap_reader_new(tunnel->dev, 0, &tunnel->reader, NULL) < 0 ||
        tuntap_writer_new(tunnel->dev, 0, &tunnel->writer, NULL) < 0)
        die("no device: run as root");
    tunnel->sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    address.sll_ifindex = (int)if_nametoindex("t0");
    if (tunnel->sock < 0 || setsockopt(tunnel->sock, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
        bind(tunnel->sock, (struct sockaddr *)&address, sizeof address) < 0)
        die("no packet socket");
}

static void send_super(struct tunnel *tunnel)
{
    struct iovec parts[2] = {{&tunnel->hdr, sizeof tunnel->hdr}, {whole, tunnel->length}};
    if (writev(tunnel->sock, parts, 2) < 0)
        die("not sent");
}

static void set_places(struct tunnel *tunnel)
{
    for (size_t i = 0; i <= SEGMENTS_MAX; i++)
        tunnel->packets[i] = (tuntap_packet){places[i] + HEADROOM, ROOM, 0};
}

static size_t read_with_room(struct tunnel *tunnel)
{
    ssize_t count = tuntap_reader_batch(tunnel->reader, tunnel->packets, SEGMENTS_MAX + 1, sizeof *tunnel->packets, NULL);
    return count > 0 ? (size_t)count : 0;
}

static size_t read_to_places(struct tunnel *tunnel)
{
    set_places(tunnel);
    ssize_t count = tuntap_reader_copy(tunnel->reader, tunnel->packets, SEGMENTS_MAX + 1, sizeof *tunnel->packets, NULL);
    return count > 0 ? (size_t)count : 0;
}

static size_t read_and_copy(struct tunnel *tunnel)
{
    void *packet;
    ssize_t size;
    size_t count = 0;
    while (count <= SEGMENTS_MAX && (size = tuntap_reader_next(tunnel->reader, &packet, NULL)) > 0)
        memcpy(places[count++] + HEADROOM, packet, (size_t)size);
    return count;
}

/* About 0.5 cycles per byte, word by word. */
static void decrypt(void *to, const void *from, size_t size)
{
    static volatile uint64_t zero;
    /* The key is always 0, which the compiler does not know. So the output is the packets. */
    uint64_t key = zero, word;
    size_t at = 0;
    for (; at + sizeof word <= size; at += sizeof word) {
        key ^= key << 13;
        key ^= key >> 7;
        memcpy(&word, (const char *)from + at, sizeof word);
        word ^= key;
        memcpy((char *)to + at, &word, sizeof word);
    }
    memcpy((char *)to + at, (const char *)from + at, size - at);
}

static size_t write_to_reserved(struct tunnel *tunnel)
{
    for (size_t i = 0; i < tunnel->segments; i++) {
        size_t size = tunnel->packets[i].size;
        void *to;
        if (tuntap_writer_reserve(tunnel->writer, size, &to, NULL) < 0)
            die("not reserved");
        decrypt(to, tunnel->packets[i].data, size);
        tuntap_writer_commit(tunnel->writer, size, NULL);
    }
    return tunnel->segments;
}

static size_t decrypt_alone(struct tunnel *tunnel)
{
    static uint8_t plain[ROOM];
    for (size_t i = 0; i < tunnel->segments; i++)
        decrypt(plain, tunnel->packets[i].data, tunnel->packets[i].size);
    return tunnel->segments;
}

static size_t write_and_put(struct tunnel *tunnel)
{
    static uint8_t plain[ROOM];
    for (size_t i = 0; i < tunnel->segments; i++) {
        decrypt(plain, tunnel->packets[i].data, tunnel->packets[i].size);
        tuntap_writer_put(tunnel->writer, plain, tunnel->packets[i].size, NULL);
    }
    return tunnel->segments;
}

/* Only the work of the mode is timed, not the preparation before and after it. */
static const struct mode {
    const char *name;
    size_t (*run)(struct tunnel *);
    int writes;
} modes[] = {
    {"room", read_with_room, 0},      {"copy", read_to_places, 0},   {"next", read_and_copy, 0},
    {"reserve", write_to_reserved, 1}, {"put", write_and_put, 1},         {"cipher", decrypt_alone, 1},
};

static void time_tunnel(const struct mode *mode, struct tunnel *tunnel, double *times)
{
    void *packet;
    open_tunnel(tunnel);
    if (mode->writes) {
        /* A device that is down refuses written packets at once. */
        send_super(tunnel);
        if (read_to_places(tunnel) != tunnel->segments)
            die("other segments");
        tuntap_down(tunnel->dev, NULL);
    } else if (mode->run == read_with_room) {
        tuntap_reader_set_room(tunnel->reader, HEADROOM, TAILROOM, NULL);
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        if (!mode->writes)
            send_super(tunnel);
        double start = now();
        size_t count = mode->run(tunnel);
        times[round] = now() - start;
        if (count != tunnel->segments)
            die("other segments");
        if (mode->writes)
            tuntap_writer_flush(tunnel->writer, NULL);
        else
            while (tuntap_reader_next(tunnel->reader, &packet, NULL) >= 0)
                continue;
    }
    tuntap_reader_free(tunnel->reader);
    tuntap_writer_free(tunnel->writer);
    tuntap_close(tunnel->dev);
}

static void time_memory(size_t (*join)(tuntap_splitter *, tuntap_joiner *), const tuntap_vnet_hdr *offload,
                        size_t segments, size_t length, double *times)
{
    static uint8_t memory[2 * LINE + 65536];
    /* Aligns the payload, as a reader does. */
    uint8_t *packet = memory + LINE - ((uintptr_t)memory + HEADERS) % LINE;
    tuntap_vnet_hdr joined;
    tuntap_splitter *splitter;
    tuntap_joiner *joiner;
    if (tuntap_splitter_new(TUNTAP_TUN, &splitter, NULL) < 0 || tuntap_joiner_new(TUNTAP_TUN, &joiner, NULL) < 0)
        die("no splitter or joiner");
    for (size_t round = 0; round < ROUNDS; round++) {
        void *result;
        ssize_t size, taken = 0;
        memcpy(packet, whole, length);
        double start = now();
        if (tuntap_splitter_begin(splitter, offload, sizeof *offload, packet, length, NULL) < 0)
            die("not segmented");
        if (join(splitter, joiner) != segments)
            die("other segments");
        while ((size = tuntap_joiner_next(joiner, &joined, sizeof joined, &result, NULL)) > 0)
            taken = size;
        times[round] = now() - start;
        if ((size_t)taken != length)
            die("not coalesced");
    }
    tuntap_joiner_free(joiner);
    tuntap_splitter_free(splitter);
}

int main(int count, char **arguments)
{
    static double times[ROUNDS];
    size_t segments = count > 1 ? strtoul(arguments[1], NULL, 10) : 44, length = HEADERS + segments * SIZE;
    const struct mode *mode = modes, *end = modes + sizeof modes / sizeof *modes;
    if (segments < 2 || length > 65535)
        die("2 to 45 segments");
    tuntap_vnet_hdr hdr = {.flags = TUNTAP_VNET_HDR_F_NEEDS_CSUM, .gso_type = TUNTAP_VNET_HDR_GSO_TCPV4,
                           .hdr_len = HEADERS, .gso_size = SIZE, .csum_start = 20, .csum_offset = 16};
    make_super(whole, length);
    while (count > 2 && mode < end && strcmp(mode->name, arguments[2]) != 0)
        mode++;
    if (count > 2 && mode < end) {
        static struct tunnel tunnel;
        tunnel.hdr = hdr;
        tunnel.segments = segments;
        tunnel.length = length;
        time_tunnel(mode, &tunnel, times);
    } else {
        time_memory(count > 2 ? join_at_once : join_one_by_one, &hdr, segments, length, times);
    }
    qsort(times, ROUNDS, sizeof *times, compare);
    printf("%.0f\n", times[ROUNDS / 10]);
    return 0;
}
