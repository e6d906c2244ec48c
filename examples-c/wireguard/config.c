/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = 0;
    return text;
}

static int parse_number(const char *text, unsigned long limit, unsigned long *number)
{
    char *end;
    int base = strncasecmp(text, "0x", 2) == 0 ? 16 : 10;
    if (!isdigit((unsigned char)*text))
        return 0;
    *number = strtoul(text, &end, base);
    return *end == 0 && *number <= limit;
}

/* A key in base64 has 44 characters; encoding it again shows that no other text means the same key. */
static int parse_key(const char *text, uint8_t key[KEY_SIZE])
{
    uint8_t bytes[KEY_SIZE + 1], again[45];
    int valid = strlen(text) == 44 && EVP_DecodeBlock(bytes, (const uint8_t *)text, 44) == KEY_SIZE + 1 &&
                EVP_EncodeBlock(again, bytes, KEY_SIZE) == 44 && CRYPTO_memcmp(again, text, 44) == 0;
    if (valid)
        memcpy(key, bytes, KEY_SIZE);
    OPENSSL_cleanse(bytes, sizeof bytes);
    OPENSSL_cleanse(again, sizeof again);
    return valid;
}

/* "10.8.0.0/24", "fd00::1"; bits after the prefix are cleared, as `wg` does. */
static int parse_prefix(char *text, struct prefix *prefix)
{
    char *slash = strchr(text, '/');
    unsigned long length = 0;

    memset(prefix, 0, sizeof *prefix);
    if (slash)
        *slash++ = 0;
    prefix->version = strchr(text, ':') ? 6 : 4;
    unsigned long bits = prefix->version == 6 ? 128 : 32;
    if (inet_pton(prefix->version == 6 ? AF_INET6 : AF_INET, text, prefix->address) != 1)
        return 0;
    if (!slash)
        length = bits;
    else if (!parse_number(slash, bits, &length))
        return 0;
    for (unsigned long bit = length; bit < bits; bit++)
        prefix->address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    prefix->length = (uint8_t)length;
    return 1;
}

static int parse_allowed(struct config *config, char *list)
{
    struct prefix prefix;
    for (char *rest = *list ? list : NULL, *text; (text = strsep(&rest, ",")) != NULL;)
        if (!parse_prefix(trim(text), &prefix) || !allowed_add(&config->allowed, &prefix, config->count - 1))
            return 0;
    return 1;
}

/* "192.0.2.1:51820", "[2001:db8::1]:51820", "vpn.example.org:51820". */
static int parse_endpoint(struct config_peer *peer, char *text)
{
    unsigned long port;
    char *colon = strrchr(text, ':');

    if (!colon || !parse_number(colon + 1, 65535, &port) || strlen(colon + 1) >= sizeof peer->endpoint_port)
        return 0;
    strcpy(peer->endpoint_port, colon + 1);
    *colon = 0;
    size_t size = strlen(text);
    if (text[0] == '[' && text[size - 1] == ']') {
        text[size - 1] = 0;
        text++;
    } else if (strchr(text, ':')) {
        return 0;
    }
    snprintf(peer->endpoint_host, sizeof peer->endpoint_host, "%s", text);
    return *text && strlen(text) < sizeof peer->endpoint_host;
}

/* A number, or "off" for 0. */
static int parse_option(const char *text, unsigned long limit, unsigned long *number)
{
    *number = 0;
    return strcasecmp(text, "off") == 0 || parse_number(text, limit, number);
}

static int interface_key(struct config *config, const char *key, char *value)
{
    unsigned long number = 0;
    if (strcasecmp(key, "PrivateKey") == 0)
        return config->has_private_key = parse_key(value, config->private_key);
    if (strcasecmp(key, "ListenPort") == 0 && parse_number(value, 65535, &number))
        return config->listen_port = (uint16_t)number, 1;
    if (strcasecmp(key, "FwMark") == 0 && parse_option(value, UINT32_MAX, &number))
        return config->fwmark = (uint32_t)number, 1;
    return 0;
}

static int peer_key(struct config *config, const char *key, char *value)
{
    struct config_peer *peer = &config->peers[config->count - 1];
    unsigned long number;
    if (strcasecmp(key, "PublicKey") == 0)
        return peer->has_public_key = parse_key(value, peer->public_key);
    if (strcasecmp(key, "PresharedKey") == 0)
        return parse_key(value, peer->preshared_key);
    if (strcasecmp(key, "AllowedIPs") == 0)
        return parse_allowed(config, value);
    if (strcasecmp(key, "Endpoint") == 0)
        return parse_endpoint(peer, value);
    if (strcasecmp(key, "PersistentKeepalive") == 0 && parse_option(value, 65535, &number))
        return peer->persistent_keepalive = (uint16_t)number, 1;
    return 0;
}

enum section { NONE, INTERFACE, PEER };

static int parse_line(struct config *config, char *line, enum section *section)
{
    line[strcspn(line, "#")] = 0;
    line = trim(line);
    if (!*line)
        return 1;
    if (strcasecmp(line, "[Interface]") == 0)
        return *section = INTERFACE, 1;
    if (strcasecmp(line, "[Peer]") == 0)
        return *section = PEER, config->count++, 1;

    char *value = strchr(line, '=');
    if (!value || *section == NONE)
        return 0;
    *value++ = 0;
    line = trim(line);
    value = trim(value);
    return *section == PEER ? peer_key(config, line, value) : interface_key(config, line, value);
}

/* Two sections for one key would be one peer of `wg`, and two of ours. */
static int peers_complete(const struct config *config)
{
    for (size_t i = 0; i < config->count; i++) {
        if (!config->peers[i].has_public_key)
            return 0;
        for (size_t j = 0; j < i; j++)
            if (memcmp(config->peers[i].public_key, config->peers[j].public_key, KEY_SIZE) == 0)
                return 0;
    }
    return 1;
}

int config_parse(struct config *config, char *text, char message[CONFIG_MESSAGE_SIZE])
{
    enum section section = NONE;
    size_t most = 1; /* sections: memory that moves would leave keys behind */
    for (const char *at = text; (at = strchr(at, '[')) != NULL; at++)
        most++;
    memset(config, 0, sizeof *config);
    config->peers = calloc(most, sizeof *config->peers);
    char *rest = config->peers ? text : NULL, *line;
    for (int number = 1; (line = strsep(&rest, "\n")) != NULL; number++)
        if (!parse_line(config, line, &section)) {
            snprintf(message, CONFIG_MESSAGE_SIZE, "line %d: not a section, a key or a value of wireguard", number);
            return 0;
        }
    if (!config->has_private_key)
        snprintf(message, CONFIG_MESSAGE_SIZE, "[Interface] has no PrivateKey");
    else if (!peers_complete(config))
        snprintf(message, CONFIG_MESSAGE_SIZE, "each [Peer] needs a PublicKey of its own");
    else
        return 1;
    return 0;
}

void config_free(struct config *config)
{
    if (config->peers)
        OPENSSL_cleanse(config->peers, config->count * sizeof *config->peers);
    free(config->peers);
    allowed_free(&config->allowed);
    OPENSSL_cleanse(config, sizeof *config);
}
