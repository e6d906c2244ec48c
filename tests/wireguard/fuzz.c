/* SPDX-License-Identifier: MIT
 *
 * libFuzzer's entry for the parsers of examples-c/wireguard: FUZZ_CONFIG, FUZZ_HANDSHAKE or FUZZ_DATA chooses one.
 * There is no device and no socket: what would be sent is kept here. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>

#include "crypto.h"
#include "tunnel.h"
#include "udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static uint8_t sent[256];
static size_t sent_size;

void udp_send(int sock, const struct sockaddr_in6 *to, struct iovec *datagrams, size_t count)
{
    (void)sock, (void)to;
    sent_size = count == 1 && datagrams->iov_len <= sizeof sent ? datagrams->iov_len : 0;
    memcpy(sent, datagrams->iov_base, sent_size);
}

void tuntap_wake(tuntap *dev)
{
    (void)dev;
}

static void check(int holds)
{
    if (!holds)
        abort();
}

#if defined FUZZ_CONFIG
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct config config;
    char message[CONFIG_MESSAGE_SIZE] = "", *text = calloc(1, size + 1);
    memcpy(text, input, size);
    if (config_parse(&config, text, message)) {
        for (size_t i = 0; i < config.allowed.count; i++)
            check(config.allowed.entries[i].peer < config.count);
    } else {
        check(strlen(message) > 0 && strlen(message) < sizeof message);
    }
    config_free(&config);
    free(text);
    return 0;
}
#else
static struct tunnel one, two;
static const struct sockaddr_in6 source = {.sin6_family = AF_INET6, .sin6_port = 1};

/* Two tunnels that are each other's only peer. */
static void open_tunnels(void)
{
    struct config_peer peers[2] = {{.has_public_key = 1}, {.has_public_key = 1}};
    struct config configs[2] = {{.peers = &peers[0], .count = 1}, {.peers = &peers[1], .count = 1}};
    memset(configs[0].private_key, 1, KEY_SIZE);
    memset(configs[1].private_key, 2, KEY_SIZE);
    dh_public(peers[1].public_key, configs[0].private_key);
    dh_public(peers[0].public_key, configs[1].private_key);
    check(tunnel_open(&one, &configs[0]) && tunnel_open(&two, &configs[1]));
    one.peers[0].endpoint = two.peers[0].endpoint = source;
}

__attribute__((unused)) static void close_tunnels(void)
{
    tunnel_close(&one);
    tunnel_close(&two);
}
#endif

#if defined FUZZ_HANDSHAKE
/* Delivers the kept message, changed by the input, with MACs that are right again. Returns whether it was changed. */
static int deliver(struct tunnel *to, const uint8_t *input, size_t size)
{
    uint8_t message[sizeof sent], original[sizeof sent];
    size_t length = sent_size;
    memcpy(message, sent, sizeof sent);
    memcpy(original, sent, sizeof sent);
    for (size_t i = 0; i + 1 < size; i += 2)
        if (input[i] < 4 || input[i] > 7) /* not the sender: the protocol does not protect it */
            message[input[i] % sizeof message] ^= input[i + 1];
    if (size % 2 == 1)
        length = input[size - 1];
    if (length >= 2 * MAC_SIZE)
        mac(message + length - 2 * MAC_SIZE, to->checker.keys.mac1, HASH_SIZE, message, length - 2 * MAC_SIZE);
    int changed = length != sent_size || memcmp(message, original, length - 2 * MAC_SIZE) != 0;
    handshake_receive(to, message, length, &source);
    return changed;
}

/* An initiation and its response, each changed by the input. A session must come of unchanged messages, and of no
 * others. */
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    size_t first = size ? input[0] % size : 0;
    if (sodium_init() < 0)
        return 0;
    open_tunnels();
    handshake_initiate(&one, &one.peers[0]);
    int changed = deliver(&two, input + (size > 0), first);
    check((two.peers[0].next != NULL) == !changed);
    if (two.peers[0].next) {
        changed = deliver(&one, input + 1 + first, size > 0 ? size - 1 - first : 0);
        check((one.peers[0].current != NULL) == !changed);
    } else {
        /* Any message, to both. */
        uint8_t message[sizeof sent] = {0};
        size_t length = size < sizeof message ? size : sizeof message;
        memcpy(message, input, length);
        if (length > 0)
            message[0] = (uint8_t)(1 + input[0] % 3);
        put_le(message + 1, 0, 3);
        if (length >= 2 * MAC_SIZE)
            mac(message + length - 2 * MAC_SIZE, one.checker.keys.mac1, HASH_SIZE, message, length - 2 * MAC_SIZE);
        handshake_receive(&one, message, length, &source);
        check(one.peers[0].current == NULL);
    }
    close_tunnels();
    return 0;
}
#endif

#if defined FUZZ_DATA
/* What an attacker sends is refused; what the peer sends is opened, and its length and source are checked. */
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static struct keypair *sealing, *opening;
    static struct allowed allowed;
    struct noise noise = {.local = 1, .remote = 2};
    const struct prefix prefix = {4, 8, {10}}, longer = {6, 9, {0xfd}};

    if (!sealing) {
        open_tunnels();
        struct noise other = noise;
        sealing = keypair_new(&noise, 1, one.cipher, 0);
        opening = keypair_new(&other, 0, one.cipher, 0);
        check(allowed_add(&allowed, &prefix, 3) && allowed_add(&allowed, &longer, 4));
    }
    uint8_t *room = malloc(HEADROOM + size + TAILROOM), *opened = malloc(size + TAILROOM);
    if (size >= HEADROOM + TAG_SIZE)
        check(!transport_open(opening, input, size, opened));

    memcpy(room + HEADROOM, input, size);
    size_t length = transport_seal(sealing, room + HEADROOM, size, 1420);
    check(length >= HEADROOM + size + TAG_SIZE && length <= HEADROOM + size + TAILROOM);
    check(transport_open(opening, room, length, opened) && memcmp(opened, input, size) == 0);
    check(!transport_open(opening, room, length, opened)); /* a replay */
    length = packet_length(opened, length - HEADROOM - TAG_SIZE);
    if (length > 0) {
        check(length <= size + PADDING - 1);
        ssize_t peer = allowed_source(&allowed, opened);
        int own4 = opened[0] >> 4 == 4 && opened[12] == 10;
        int own6 = opened[0] >> 4 == 6 && opened[8] == 0xfd && opened[9] < 128;
        check(peer == (own4 ? 3 : own6 ? 4 : -1));
    }
    free(room);
    free(opened);
    return 0;
}
#endif
