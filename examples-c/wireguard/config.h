/* SPDX-License-Identifier: MIT
 *
 * Configuration files as `wg setconf` reads them: [Interface] with PrivateKey, ListenPort and FwMark, and for each peer
 * a [Peer] with PublicKey, PresharedKey, AllowedIPs, Endpoint and PersistentKeepalive. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stddef.h>

#include "allowed.h"
#include "protocol.h"

struct config_peer {
    uint8_t public_key[KEY_SIZE], preshared_key[KEY_SIZE];
    int has_public_key;
    char endpoint_host[256], endpoint_port[6]; /* "": none */
    uint16_t persistent_keepalive;             /* seconds; 0: off */
};

struct config {
    uint8_t private_key[KEY_SIZE];
    int has_private_key;
    uint16_t listen_port; /* 0: any */
    uint32_t fwmark;
    struct config_peer *peers;
    size_t count;
    struct allowed allowed; /* peers by their numbers */
};

enum { CONFIG_MESSAGE_SIZE = 128 };

/* Returns 1, or 0 with a message. text has a NUL at its end, and is changed. Call config_free after both. */
int config_parse(struct config *config, char *text, char message[CONFIG_MESSAGE_SIZE]);
void config_free(struct config *config);

#endif
