/* SPDX-License-Identifier: MIT
 *
 * Compares a program that encrypts with and without TUNTAP_TRUSTED, which must never take longer. A cipher may leave
 * values in the upper halves of the vector registers, which slow down what follows. In memory, in alternating rounds;
 * the medians in nanoseconds for each packet, and the ratio of each pair of rounds: its median, and the quartiles.
 *
 * read: each packet of a splitter is encrypted with ChaCha20-Poly1305. write: each is decrypted and put into a
 * joiner. */
#define _POSIX_C_SOURCE 200809L
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuntap.h>

#include "clock.h"

enum { ROUNDS = 400, TURNS = 8, SEGMENTS_MAX = 45, ROOM = 1536, TAG = 16, NONCE = 12, TCP = 6, UDP = 17 };

struct load {
    const char *name;
    size_t segments, size;
    int protocol;
};

static const struct load loads[] = {
    {"TCP, 44 segments of 1448 bytes", 44, 1448, TCP},
    {"UDP, 44 datagrams of 64 bytes", 44, 64, UDP},
    {"UDP, one of 64 bytes", 1, 64, UDP},
};

struct side {
    tuntap_splitter *splitter;
    tuntap_joiner *joiner;
    double *read, *write;
};

static EVP_CIPHER_CTX *sealing, *opening;
static uint8_t whole[65536], working[65536], sealed[SEGMENTS_MAX][ROOM + TAG];
static size_t sizes[SEGMENTS_MAX];

static void die(const char *what)
{
    fprintf(stderr, "cipher: %s\n", what);
    exit(1);
}

static EVP_CIPHER_CTX *cipher(int encrypts)
{
    static const uint8_t key[32];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context || EVP_CipherInit_ex(context, EVP_chacha20_poly1305(), NULL, key, NULL, encrypts) != 1)
        die("libcrypto has no ChaCha20-Poly1305");
    return context;
}

static void seal(size_t place, const void *packet, size_t size)
{
    static const uint8_t nonce[NONCE];
    int length;
    if (EVP_EncryptInit_ex(sealing, NULL, NULL, NULL, nonce) != 1 ||
        EVP_EncryptUpdate(sealing, sealed[place], &length, packet, (int)size) != 1 ||
        EVP_EncryptFinal_ex(sealing, sealed[place] + size, &length) != 1 ||
        EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_AEAD_GET_TAG, TAG, sealed[place] + size) != 1)
        die("not encrypted");
    sizes[place] = size;
}

static size_t unseal(size_t place, uint8_t *packet)
{
    static const uint8_t nonce[NONCE];
    int length;
    if (EVP_DecryptInit_ex(opening, NULL, NULL, NULL, nonce) != 1 ||
        EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_AEAD_SET_TAG, TAG, sealed[place] + sizes[place]) != 1 ||
        EVP_DecryptUpdate(opening, packet, &length, sealed[place], (int)sizes[place]) != 1 ||
        EVP_DecryptFinal_ex(opening, packet + sizes[place], &length) != 1)
        die("not decrypted");
    return sizes[place];
}

static void put16(uint8_t *to, size_t number)
{
    to[0] = (uint8_t)(number >> 8);
    to[1] = (uint8_t)number;
}

/* A packet or super-packet with a partial checksum: the field has the sum of the pseudo header. Returns the length. */
static size_t make_super(const struct load *load, tuntap_vnet_hdr *hdr)
{
    static const uint8_t addresses[8] = {10, 0, 0, 1, 10, 0, 0, 2};
    int tcp = load->protocol == TCP;
    size_t headers = tcp ? 52 : 28, length = headers + load->segments * load->size;
    uint32_t sum = (uint32_t)load->protocol + (uint32_t)(length - 20);
    memset(whole, 0, headers);
    whole[0] = 0x45;
    put16(whole + 2, length);
    whole[6] = 0x40;
    whole[8] = 64;
    whole[9] = (uint8_t)load->protocol;
    memcpy(whole + 12, addresses, sizeof addresses);
    for (size_t i = 0; i < sizeof addresses; i += 2)
        sum += (uint32_t)addresses[i] << 8 | addresses[i + 1];
    if (tcp) {
        whole[32] = 0x80;
        whole[33] = 0x10;
    } else {
        put16(whole + 24, length - 20);
    }
    *hdr = (tuntap_vnet_hdr){
        .flags = TUNTAP_VNET_HDR_F_NEEDS_CSUM,
        .gso_type = tcp ? TUNTAP_VNET_HDR_GSO_TCPV4 : TUNTAP_VNET_HDR_GSO_UDP_L4,
        .hdr_len = (uint16_t)headers,
        .gso_size = (uint16_t)load->size,
        .csum_start = 20,
        .csum_offset = tcp ? 16 : 6,
    };
    if (load->segments == 1)
        hdr->gso_type = TUNTAP_VNET_HDR_GSO_NONE;
    put16(whole + 20 + hdr->csum_offset, (sum & 0xffff) + (sum >> 16));
    for (size_t i = headers; i < length; i++)
        whole[i] = (uint8_t)(i * 7919 >> 3);
    return length;
}

static void read_all(const struct side *side, const struct load *load, const tuntap_vnet_hdr *hdr, size_t length)
{
    size_t count = 0;
    ssize_t size;
    void *packet;
    if (tuntap_splitter_begin(side->splitter, hdr, sizeof *hdr, working, length, NULL) < 0)
        die("a super-packet that the splitter refuses");
    while ((size = tuntap_splitter_next(side->splitter, &packet, NULL)) > 0)
        seal(count++, packet, (size_t)size);
    if (count != load->segments)
        die("another number of segments");
}

static void write_all(const struct side *side, const struct load *load)
{
    static uint8_t packet[ROOM];
    tuntap_vnet_hdr hdr;
    void *super;
    for (size_t i = 0; i < load->segments; i++)
        if (tuntap_joiner_put(side->joiner, packet, unseal(i, packet), NULL) < 0)
            die("not put");
    if (tuntap_joiner_next(side->joiner, &hdr, sizeof hdr, &super, NULL) <= 0 ||
        tuntap_joiner_next(side->joiner, &hdr, sizeof hdr, &super, NULL) != 0)
        die("not coalesced");
}

/* Nanoseconds a packet of reading and of writing. */
static void measure(const struct side *side, const struct load *load, size_t round)
{
    tuntap_vnet_hdr hdr;
    size_t length = make_super(load, &hdr);
    double reading = 0, writing = 0;
    for (size_t i = 0; i < TURNS; i++) {
        memcpy(working, whole, length);
        double start = now();
        read_all(side, load, &hdr, length);
        double middle = now();
        write_all(side, load);
        reading += middle - start;
        writing += now() - middle;
    }
    side->read[round] = reading / (double)(TURNS * load->segments);
    side->write[round] = writing / (double)(TURNS * load->segments);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

static void report(const char *what, const char *name, double *plain, double *trusted)
{
    static double ratios[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++)
        ratios[i] = trusted[i] / plain[i];
    double ratio = median(ratios);
    printf("%-6s %-32s %7.0f ns   trusted %7.0f ns   %.2f (%.2f to %.2f)\n", what, name, median(plain), median(trusted),
           ratio, ratios[ROUNDS / 4], ratios[ROUNDS * 3 / 4]);
}

int main(void)
{
    static double times[2][2][ROUNDS];
    struct side sides[2] = {{.read = times[0][0], .write = times[0][1]}, {.read = times[1][0], .write = times[1][1]}};
    setvbuf(stdout, NULL, _IOLBF, 0);
    sealing = cipher(1);
    opening = cipher(0);
    for (size_t i = 0; i < 2; i++) {
        uint64_t flags = TUNTAP_TUN | (i == 1 ? TUNTAP_TRUSTED : 0);
        if (tuntap_splitter_new(flags, &sides[i].splitter, NULL) < 0 ||
            tuntap_joiner_new(flags, &sides[i].joiner, NULL) < 0)
            die("no memory");
    }
    for (size_t load = 0; load < sizeof loads / sizeof *loads; load++) {
        for (size_t round = 0; round < ROUNDS; round++)
            for (size_t i = 0; i < 2; i++)
                measure(&sides[i ^ (round & 1)], &loads[load], round);
        report("read", loads[load].name, sides[0].read, sides[1].read);
        report("write", loads[load].name, sides[0].write, sides[1].write);
    }
    return 0;
}
