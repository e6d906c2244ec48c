/* SPDX-License-Identifier: MIT
 *
 * Parts of examples-c/wireguard that its traffic does not show: the window against a model, keys of low order,
 * limits. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "cookie.h"
#include "crypto.h"
#include "transport.h"

static int failures;

#define CHECK(condition) check(condition, #condition, __LINE__)
static void check(int holds, const char *what, int line)
{
    if (!holds)
        printf("line %d: not %s\n", line, what);
    failures += !holds;
}

/* A counter is accepted once, if it is not older than the window: here by a list of all that came. */
static void window_is_exact(void)
{
    enum { ROUNDS = 30000, SPAN = 1 << 18 };
    static uint8_t came[SPAN];
    struct window window = {0};
    uint64_t greatest = 0, middle = 0;
    int any = 0;

    srandom(1);
    for (int i = 0; i < ROUNDS; i++) {
        middle += (uint64_t)(random() % 100 == 0 ? random() % 3000 : random() % 4);
        uint64_t back = (uint64_t)random() % (random() % 50 == 0 ? 9000 : 200);
        uint64_t counter = middle > back ? middle - back : 0;
        if (counter >= SPAN)
            break;
        int expected = !came[counter] && (!any || counter + WINDOW_SIZE > greatest);
        int accepted = window_accept(&window, counter);
        CHECK(accepted == expected);
        if (accepted != expected)
            return;
        if (accepted)
            came[counter] = 1, any = 1, greatest = counter > greatest ? counter : greatest;
    }
    CHECK(window_accept(&window, UINT64_C(1) << 40) && !window_accept(&window, UINT64_C(1) << 40));
    CHECK(!window_accept(&window, REJECT_AFTER_MESSAGES) && window_accept(&window, REJECT_AFTER_MESSAGES - 1));
}

/* The points of Curve25519 with a low order give no secret. */
static void low_order_is_refused(void)
{
    static const uint8_t points[][KEY_SIZE] = {
        {0}, {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
         0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
         0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    };
    uint8_t shared[KEY_SIZE], private_key[KEY_SIZE], edge[KEY_SIZE];
    random_bytes(private_key, sizeof private_key);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        CHECK(!dh(shared, private_key, points[i]));
    for (uint8_t last = 0xec; last <= 0xee; last++) { /* p - 1, p, p + 1 */
        memset(edge, 0xff, sizeof edge);
        edge[0] = last;
        edge[KEY_SIZE - 1] = 0x7f;
        CHECK(!dh(shared, private_key, edge));
    }
    memset(edge, 9, sizeof edge);
    CHECK(dh(shared, private_key, edge));
}

/* RFC 7748, 6.1, and RFC 7693's BLAKE2s of "abc". */
static void primitives_are_right(void)
{
    static const uint8_t abc[HASH_SIZE] = {0x50, 0x8c, 0x5e, 0x8c, 0x32, 0x7c, 0x14, 0xe2, 0xe1, 0xa7, 0x2b,
        0xa3, 0x4e, 0xeb, 0x45, 0x2f, 0x37, 0x45, 0x8b, 0x20, 0x9e, 0xd6, 0x3a, 0x29, 0x4d, 0x99, 0x9b, 0x4c, 0x86,
        0x67, 0x59, 0x82};
    uint8_t digest[HASH_SIZE], one[KEY_SIZE], two[KEY_SIZE], public_one[KEY_SIZE], public_two[KEY_SIZE];
    hash(digest, "a", 1, "bc", 2);
    CHECK(memcmp(digest, abc, sizeof abc) == 0);
    random_bytes(one, sizeof one);
    random_bytes(two, sizeof two);
    dh_public(public_one, one);
    dh_public(public_two, two);
    CHECK(dh(digest, one, public_two) && dh(one, two, public_one) && memcmp(digest, one, KEY_SIZE) == 0);
}

static void data_is_padded(void)
{
    struct noise noise = {.local = 1, .remote = 2};
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    struct keypair *keypair = keypair_new(&noise, 1, cipher, 100 * SECOND);
    uint8_t room[HEADROOM + 1500 + TAILROOM], *packet = room + HEADROOM;
    memset(room, 0, sizeof room);
    CHECK(transport_seal(keypair, packet, 0, 1420) == 32);
    CHECK(transport_seal(keypair, packet, 1, 1420) == 48);
    CHECK(transport_seal(keypair, packet, 16, 1420) == 48);
    CHECK(transport_seal(keypair, packet, 1419, 1420) == 1452);
    CHECK(transport_seal(keypair, packet, 1420, 1420) == 1452);
    CHECK(transport_seal(keypair, packet, 1430, 1420) == 1462);
    CHECK(get_le(room, 4) == DATA && get_le(room + 4, 4) == 2 && get_le(room + 8, 8) == 5);
    CHECK(keypair_valid(keypair, 279 * SECOND) && !keypair_valid(keypair, 280 * SECOND));
    keypair->counter = REJECT_AFTER_MESSAGES - 1;
    CHECK(keypair_valid(keypair, 100 * SECOND) && transport_seal(keypair, packet, 16, 1420) == 48);
    CHECK(!keypair_valid(keypair, 100 * SECOND) && transport_seal(keypair, packet, 16, 1420) == 0);
    keypair_release(keypair);
    EVP_CIPHER_free(cipher);
}

static ssize_t find(const struct allowed *allowed, int version, const char *text)
{
    uint8_t address[16];
    inet_pton(version == 4 ? AF_INET : AF_INET6, text, address);
    return allowed_find(allowed, version, address);
}

static void configuration_is_read(void)
{
    struct config config;
    char message[CONFIG_MESSAGE_SIZE], text[1024];
#define KEY "uJ5UOFLZ0YpDbLvGd8T9ZG2nDkYBzj8pmz3GmW1zz0g="
#define KEY2 "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
    strcpy(text, "[interface]\nprivatekey=" KEY " # ours\n"
           "[Peer]\nPublicKey = " KEY "\nAllowedIPs = 10.1.2.3/8, fd00::/8\nEndpoint = [fd00::1]:51820\n[Peer]\nPublicKey=" KEY2 "\nAllowedIPs=10.1.0.0/16,0.0.0.0/0\n"
           "PersistentKeepalive=25\n");
    CHECK(config_parse(&config, text, message) && config.count == 2 && config.allowed.count == 4);
    CHECK(find(&config.allowed, 4, "10.2.0.1") == 0 && find(&config.allowed, 4, "10.1.9.9") == 1);
    CHECK(find(&config.allowed, 4, "11.0.0.1") == 1 && find(&config.allowed, 6, "fd12::") == 0);
    CHECK(find(&config.allowed, 6, "fe80::1") == -1);
    CHECK(strcmp(config.peers[0].endpoint_host, "fd00::1") == 0 && config.peers[1].persistent_keepalive == 25);
    config_free(&config);

    static const char *const wrong[] = {
        "", "PrivateKey=" KEY, "[Interface]\nPrivateKey=" KEY "=", "[Interface]\nAddress=10.0.0.1",
        "[Interface]\nPrivateKey=" KEY "\n[Peer]\nAllowedIPs=10.0.0.0/33", "[Interface]\nPrivateKey=" KEY "\n[Peer]",
        "[Interface]\nPrivateKey=uJ5UOFLZ0YpDbLvGd8T9ZG2nDkYBzj8pmz3GmW1zz0h=",
        "[Interface]\nPrivateKey=" KEY "\n[Peer]\nPublicKey=" KEY "\n[Peer]\nPublicKey=" KEY,
        "[Interface]\nPrivateKey=" KEY "\n[Peer]\nPublicKey=" KEY "\nEndpoint=fd00::1:51820"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        strcpy(text, wrong[i]);
        CHECK(!config_parse(&config, text, message));
        config_free(&config);
    }
}

int main(void)
{
    window_is_exact();
    low_order_is_refused();
    primitives_are_right();
    data_is_padded();
    configuration_is_read();
    return failures != 0;
}
