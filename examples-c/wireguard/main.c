/* SPDX-License-Identifier: MIT
 *
 * A WireGuard peer over libtuntap: an example to read. Nobody has audited it; for use, there is the kernel's.
 *
 *     sudo ./wireguard -a 10.9.0.1/24 wg0 wg0.conf */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tunnel.h"
#include "udp.h"

enum { ADDRESSES = 16, MTU = 1420, DEFAULT_MARK = 51820 };

struct options {
    const char *addresses[ADDRESSES], *name, *config;
    size_t count;
    uint32_t mtu;
};

static int parse_options(struct options *options, int argc, char **argv)
{
    *options = (struct options){.mtu = MTU};
    for (int option; (option = getopt(argc, argv, "a:m:")) != -1;) {
        if (option == 'a' && options->count < ADDRESSES)
            options->addresses[options->count++] = optarg;
        else if (option == 'm')
            options->mtu = (uint32_t)strtoul(optarg, NULL, 10);
        else
            return 0;
    }
    if (argc - optind != 2)
        return 0;
    options->name = argv[optind];
    options->config = argv[optind + 1];
    return 1;
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "wireguard: %s: %s\n", what, why);
    return 0;
}

static int read_config(struct config *config, const char *path)
{
    static char text[1 << 20]; /* has the keys: wiped below */
    char message[CONFIG_MESSAGE_SIZE] = "cannot be read, or is 1 MiB or larger";
    size_t size = 0;
    ssize_t more = -1;

    int file = open(path, O_RDONLY | O_CLOEXEC);
    while (file >= 0 && (more = read(file, text + size, sizeof text - size)) > 0)
        size += (size_t)more;
    int parsed = more == 0 && size < sizeof text && config_parse(config, text, message);
    OPENSSL_cleanse(text, sizeof text);
    if (file >= 0)
        close(file);
    return parsed || fail(path, message);
}

/* A name is resolved once. */
static int find_endpoint(struct peer *peer, const struct config_peer *config)
{
    struct addrinfo hints = {.ai_family = AF_INET6, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_V4MAPPED}, *found;
    if (!config->endpoint_host[0])
        return 1;
    int error = getaddrinfo(config->endpoint_host, config->endpoint_port, &hints, &found);
    if (error)
        return fail(config->endpoint_host, gai_strerror(error));
    memcpy(&peer->endpoint, found->ai_addr, sizeof peer->endpoint);
    freeaddrinfo(found);
    return 1;
}

/* The datagrams of the tunnel need a mark to stay out of a default route through it. */
static uint32_t mark_of(const struct tunnel *tunnel, uint32_t fwmark)
{
    for (size_t i = 0; fwmark == 0 && i < tunnel->allowed.count; i++)
        if (tunnel->allowed.entries[i].prefix.length == 0)
            fwmark = DEFAULT_MARK;
    return fwmark;
}

/* Everything goes into the tunnel, except its own datagrams, which have the mark. */
static int add_default_route(struct tunnel *tunnel, int version, uint32_t mark, tuntap_error *err)
{
    return tuntap_add_bypass(tunnel->dev, NULL, mark, 0, 0, err) == 0 &&
           tuntap_add_default_route(tunnel->dev, version == 4 ? TUNTAP_IPV4 : TUNTAP_IPV6, NULL, 0, err) == 0;
}

/* The allowed IPs of all peers lead into the tunnel. */
static int add_routes(struct tunnel *tunnel, uint32_t mark, tuntap_error *err)
{
    for (size_t i = 0; i < tunnel->allowed.count; i++) {
        const struct prefix *prefix = &tunnel->allowed.entries[i].prefix;
        tuntap_route route = {.prefix = prefix->length};
        if (prefix->length == 0) {
            if (!add_default_route(tunnel, prefix->version, mark, err))
                return 0;
            continue;
        }
        inet_ntop(prefix->version == 4 ? AF_INET : AF_INET6, prefix->address, route.destination,
                  sizeof route.destination);
        if (tuntap_add_route(tunnel->dev, &route, sizeof route, 0, err) < 0)
            return 0;
    }
    return 1;
}

static int open_device(struct tunnel *tunnel, const struct options *options, uint32_t mark, tuntap_error *err)
{
    if (tuntap_open(options->name, TUNTAP_TUN | TUNTAP_NONBLOCK | TUNTAP_OFFLOAD, &tunnel->dev, err) < 0 ||
        tuntap_set_mtu(tunnel->dev, options->mtu, err) < 0)
        return 0;
    tunnel->mtu = options->mtu;
    for (size_t i = 0; i < options->count; i++) {
        tuntap_addr addr = {0};
        snprintf(addr.addr, sizeof addr.addr, "%s", options->addresses[i]);
        if (tuntap_add_addr(tunnel->dev, &addr, sizeof addr, 0, err) < 0)
            return 0;
    }
    return tuntap_up(tunnel->dev, err) == 0 && add_routes(tunnel, mark, err);
}

static int open_tunnel(struct tunnel *tunnel, const struct options *options)
{
    struct config config = {0};
    tuntap_error err;
    int opened = read_config(&config, options->config) &&
                 (tunnel_open(tunnel, &config) || fail("begin", "libcrypto or memory"));
    for (size_t i = 0; opened && i < tunnel->count; i++)
        opened = find_endpoint(&tunnel->peers[i], &config.peers[i]);
    uint32_t mark = opened ? mark_of(tunnel, config.fwmark) : 0;
    if (opened && (tunnel->sock = udp_open(config.listen_port, mark)) < 0)
        opened = fail("socket", strerror(errno));
    if (opened && !open_device(tunnel, options, mark, &err))
        opened = fail(options->name, err.message);
    config_free(&config);
    return opened;
}

/* Signals end the tunnel by way of the device, in a thread that waits for nothing else. */
static void *wait_for_signal(void *argument)
{
    struct tunnel *tunnel = argument;
    sigset_t signals;
    int signal;
    pthread_sigmask(SIG_BLOCK, NULL, &signals);
    sigwait(&signals, &signal);
    tuntap_shutdown(tunnel->dev);
    return NULL;
}

/* Runs until a signal, or until the device is gone. */
static int run(struct tunnel *tunnel)
{
    pthread_t inbound, signals;
    sigset_t ending;
    tuntap_error err = {0};

    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, NULL); /* the threads inherit it */
    if (pthread_create(&signals, NULL, wait_for_signal, tunnel) != 0)
        return fail("begin", "no thread");
    int began = pthread_create(&inbound, NULL, inbound_run, tunnel) == 0;
    if (began)
        outbound_run(tunnel, &err);
    atomic_store(&tunnel->ends, 1);
    shutdown(tunnel->sock, SHUT_RDWR); /* ends the wait of the receiving thread */
    if (began)
        pthread_join(inbound, NULL);
    pthread_kill(signals, SIGTERM);
    pthread_join(signals, NULL);
    return began && (err.reason == TUNTAP_REASON_SHUTDOWN || fail("tunnel", err.message));
}

int main(int argc, char **argv)
{
    struct options options;
    struct tunnel tunnel = {.sock = -1};

    if (!parse_options(&options, argc, argv)) {
        fprintf(stderr, "usage: wireguard [-a ADDRESS/PREFIX]... [-m MTU] NAME CONFIG\n");
        return 2;
    }
    prctl(PR_SET_DUMPABLE, 0); /* no core file has the keys */
    int ended = 0;
    if (sodium_init() < 0)
        fail("begin", "libsodium");
    else if (open_tunnel(&tunnel, &options)) {
        printf("%s is up with %zu peers\n", options.name, tunnel.count);
        fflush(stdout);
        ended = run(&tunnel);
    }
    tuntap_close(tunnel.dev);
    if (tunnel.sock >= 0)
        close(tunnel.sock);
    tunnel_close(&tunnel);
    return ended ? 0 : 1;
}
