/* SPDX-License-Identifier: MIT
 *
 * Root creates a device once. Then an ordinary user uses it without privilege.
 *
 *     sudo ./owner create vpn0 1000 10.8.0.1/24       1000 is the user ID: see id -u
 *     ./owner use vpn0                                as that user
 *     ping 10.8.0.2                                   (in another shell) ends it with the first reply
 *     sudo ./owner delete vpn0
 *
 * The user must also be able to open the device node. On most systems everybody may open
 * /dev/net/tun; if not, `-d NODE` before the command names another node. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuntap.h>
#include <unistd.h>

#include "ip.h"

static int failed(const char *why)
{
    fprintf(stderr, "owner: %s\n", why);
    return -1;
}

static int create(const char *name, tuntap_config *config, const char *user, const char *addr)
{
    tuntap *dev = NULL;
    tuntap_error err;
    tuntap_addr given = {.flags = 0};
    char *end;
    unsigned long uid = strtoul(user, &end, 10);
    if (*user == 0 || *end != 0 || uid >= UINT32_MAX)
        return failed("the user is a number, as `id -u` prints it");
    if (snprintf(given.addr, sizeof given.addr, "%s", addr) >= (int)sizeof given.addr)
        return failed("the address is too long");

    /* Adding addresses and going up need privilege, so root does it now. A persistent device keeps
     * both. TUNTAP_EXCLUSIVE: never use a device that already exists. */
    uint64_t flags = TUNTAP_TUN | TUNTAP_PERSIST | TUNTAP_EXCLUSIVE;
    if (tuntap_config_set_owner(config, uid, &err) < 0 ||
        tuntap_config_add_addr(config, &given, sizeof given, 0, &err) < 0 ||
        tuntap_config_set_up(config, 1, &err) < 0 ||
        tuntap_open_config(name, flags, config, &dev, &err) < 0)
        return failed(err.message); /* nothing is left behind */
    printf("%s waits for user %lu, with %s\n", name, uid, addr);
    tuntap_close(dev); /* the persistent device stays */
    return 0;
}

/* Opens an existing device, and never creates one. */
static tuntap *attach(const char *name, tuntap_config *config)
{
    tuntap *dev = NULL;
    tuntap_error err;
    if (tuntap_open_config(name, TUNTAP_TUN | TUNTAP_EXISTING, config, &dev, &err) < 0)
        failed(err.message);
    return dev;
}

static int use(const char *name, tuntap_config *config)
{
    tuntap_error err;
    char addr[TUNTAP_ADDR_SIZE];
    tuntap *dev = attach(name, config);
    if (!dev)
        return -1;

    int result = -1, up;
    if (tuntap_get_up(dev, &up, &err) < 0 || tuntap_get_addr(dev, addr, sizeof addr, &err) < 0) {
        failed(err.message);
    } else {
        printf("user %u has %s, which is %s with %s\n", (unsigned)getuid(), name,
               up ? "up" : "down", addr);
        static uint8_t packet[65536];
        for (;;) {
            ssize_t length = tuntap_read(dev, packet, sizeof packet, &err);
            if (length < 0)
                break;
            print_packet(packet, length);
            if (!answer_ping(packet, length))
                continue;
            if (tuntap_write(dev, packet, length, &err) < 0)
                break;
            printf("answered\n");
            result = 0;
            break;
        }
        if (result < 0)
            failed(err.message);
    }
    tuntap_close(dev);
    return result;
}

/* tuntap_delete does the same; this way works with another device node too. */
static int delete(const char *name, tuntap_config *config)
{
    tuntap_error err;
    tuntap *dev = attach(name, config);
    if (!dev)
        return -1;
    int result = tuntap_set_persist(dev, 0, &err);
    if (result < 0)
        failed(err.message);
    tuntap_close(dev);
    return result;
}

int main(int argc, char **argv)
{
    const char *node = NULL; /* NULL: the default */
    if (argc > 2 && strcmp(argv[1], "-d") == 0) {
        node = argv[2];
        argc -= 2;
        argv += 2;
    }
    const char *command = argc > 1 ? argv[1] : "";
    tuntap_config *config = NULL;
    tuntap_error err;
    int result = -1;

    setvbuf(stdout, NULL, _IOLBF, 0); /* write each line at once, also to a pipe */
    if (tuntap_config_new(&config, &err) < 0 || tuntap_config_set_node(config, node, &err) < 0)
        failed(err.message);
    else if (strcmp(command, "create") == 0 && (argc == 4 || argc == 5))
        result = create(argv[2], config, argv[3], argc == 5 ? argv[4] : "10.8.0.1/24");
    else if (strcmp(command, "use") == 0 && argc == 3)
        result = use(argv[2], config);
    else if (strcmp(command, "delete") == 0 && argc == 3)
        result = delete(argv[2], config);
    else
        failed("usage: owner [-d NODE] create NAME USERID [ADDR/PREFIX] | use NAME | delete NAME");
    tuntap_config_free(config);
    return result < 0 ? 1 : 0;
}
