/* SPDX-License-Identifier: MIT
 *
 * The handles that functions are called with. They are made when they are first needed, and last until the process of
 * the tested function ends. Each function has its own process and network namespace. */
#include "api.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>

static const struct {
    const char *says, *name;
    uint64_t flags;
} models[] = {
    {"a TUN", "t0", TUNTAP_TUN},
    {"a TAP", "t1", TUNTAP_TAP | TUNTAP_NONBLOCK},
    {"a TUN with offload", "t2", TUNTAP_TUN | TUNTAP_OFFLOAD},
    {"a TAP with offload", "t3", TUNTAP_TAP | TUNTAP_OFFLOAD | TUNTAP_NONBLOCK},
    {"a TUN with queues", "t4", TUNTAP_TUN | TUNTAP_MULTI_QUEUE | TUNTAP_NONBLOCK},
    {"a TUN that is gone", "t5", TUNTAP_TUN},
};
enum { MODELS = LENGTH(models), OWNED = 1, DEFAULT_ROUTE = 2, BRIDGED = 3, PEER = 4, REMOVED = MODELS - 1 };
enum { CONFIGS, READERS, WRITERS, SPLITTERS, JOINERS, MONITORS, KINDS };

/** Volatile, because the signal handler wakes all devices. */
static tuntap *volatile devices[MODELS];
static int indexes[MODELS];
static void *objects[KINDS][MODELS];
static int packets = -1, requests = -1, namespace = -1;

/** Gives a device the settings that getters return and that other functions delete. */
static void configure(int model)
{
    char address[32], peer[32], route[32];
    snprintf(address, sizeof address, "10.%d.0.1/24", 8 + model * 2);
    snprintf(peer, sizeof peer, "10.%d.0.2", 8 + model * 2);
    snprintf(route, sizeof route, "10.%d.0.0/16", 9 + model * 2);
    tuntap_set_addr(devices[model], address, NULL);
    if (model == PEER)
        tuntap_set_dstaddr(devices[model], peer, NULL);
    tuntap_up(devices[model], NULL);
    add_route(devices[model], route, NULL, 0, 0, NULL);
    if (model == OWNED) {
        tuntap_set_owner(devices[model], 0, NULL);
        tuntap_set_group(devices[model], 0, NULL);
    }
    if (model == DEFAULT_ROUTE) {
        tuntap_add_default_route(devices[model], TUNTAP_IPV4, NULL, 0, NULL);
        tuntap_add_bypass(devices[model], "192.0.2.1", 0, 0, 0, NULL);
    }
    if (model == BRIDGED) {
        if (!if_nametoindex("bridge"))
            IP("link add bridge type bridge");
        tuntap_set_master(devices[model], "bridge", NULL);
    }
}

static tuntap *device(int model)
{
    tuntap *dev = devices[model];
    if (dev)
        return dev;
    OK(tuntap_open(models[model].name, models[model].flags, &dev, &err));
    devices[model] = dev;
    indexes[model] = (int)if_nametoindex(models[model].name);
    if (model == REMOVED)
        IP("link delete %s", models[model].name);
    else
        configure(model);
    return dev;
}

/** Makes the kernel send a packet out through a device, for functions that read. */
static void send_packet(int model)
{
    static uint8_t packet[60];
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_halen = ETH_ALEN};
    if (packets < 0)
        CHECK((packets = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) >= 0);
    packet_of(packet, sizeof packet);
    to.sll_ifindex = indexes[model];
    sendto(packets, packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
}

/** Reserves memory with a packet in it, for a commit. */
static void reserve(int model)
{
    void *memory;
    tuntap_writer *writer = objects[WRITERS][model];
    if (writer && tuntap_writer_reserve(writer, 256, &memory, NULL) == 0)
        packet_of(memory, 256);
}

void restore_handles(const void *changed)
{
    for (int model = 0; model < REMOVED; model++)
        if (devices[model]) {
            if (devices[model] == changed)
                configure(model);
            send_packet(model);
        }
    /* A splitter may still refer to the memory of the last call, which is freed. */
    for (int model = 0; model < MODELS; model++) {
        tuntap_splitter_free(objects[SPLITTERS][model]);
        objects[SPLITTERS][model] = NULL;
        reserve(model);
    }
}

void make_idle_device(void)
{
    int fd = join_by_hand("idle", IFF_TUN | IFF_NO_PI);
    CHECK(fd >= 0 && ioctl(fd, TUNSETPERSIST, 1) == 0);
    close(fd);
}

void forget_handle(const void *handle)
{
    for (int model = 0; model < MODELS; model++) {
        if (devices[model] == handle)
            devices[model] = NULL;
        for (int kind = 0; kind < KINDS; kind++)
            if (objects[kind][model] == handle)
                objects[kind][model] = NULL;
    }
}

static void end_wait(int signal)
{
    struct ifreq request = {.ifr_name = "t0", .ifr_mtu = 1400};
    int number = errno;
    (void)signal;
    for (int model = 0; model < MODELS; model++)
        if (devices[model])
            tuntap_wake(devices[model]);
    /* Changes the MTU, to wake monitors. */
    ioctl(requests, SIOCGIFMTU, &request);
    request.ifr_mtu = request.ifr_mtu == 1400 ? 1500 : 1400;
    ioctl(requests, SIOCSIFMTU, &request);
    errno = number;
}

void interrupt_waits(void)
{
    CHECK((requests = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) >= 0);
    start_signals(end_wait, SA_RESTART);
}

/** The caller owns the returned descriptor. */
int other_namespace(void)
{
    if (namespace < 0) {
        int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        CHECK(home >= 0 && unshare(CLONE_NEWNET) == 0);
        CHECK((namespace = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) >= 0);
        CHECK(setns(home, CLONE_NEWNET) == 0 && close(home) == 0);
    }
    return fcntl(namespace, F_DUPFD_CLOEXEC, 3);
}

static void make_device(struct argument *made, const struct parameter *parameter, int value,
                        const struct argument *all)
{
    (void)parameter, (void)all;
    made->says = value < MODELS ? models[value].says : "NULL";
    made->pointer = value < MODELS ? device(value) : NULL;
}

const struct kind tuntap_kind = {MODELS + 1, MODELS + 1, make_device, IN};

/** Defines a kind of objects, one for each device, or one for a TUN and one for a TAP. */
#define OBJECTS(type, number, count, expression)                                                             \
    static void make_##type(struct argument *made, const struct parameter *parameter, int value,             \
                            const struct argument *all)                                                      \
    {                                                                                                        \
        type *object = value < (count) ? objects[number][value] : NULL;                                      \
        (void)parameter, (void)all;                                                                          \
        if (value < (count) && !object)                                                                      \
            OK(expression);                                                                                  \
        if (value < (count))                                                                                 \
            objects[number][value] = object;                                                                 \
        made->pointer = object;                                                                              \
        made->says = value < (count) ? models[value].says : "NULL";                                          \
    }                                                                                                        \
    const struct kind type##_kind = {(count) + 1, (count) + 1, make_##type, IN};

/** Makes a splitter with a packet. */
static int open_splitter(int model, tuntap_splitter **splitter)
{
    static uint8_t packet[100];
    static const tuntap_vnet_hdr plain;
    packet_of(packet, sizeof packet);
    OK(tuntap_splitter_new(models[model].flags & (TUNTAP_TUN | TUNTAP_TAP), splitter, &err));
    return tuntap_splitter_begin(*splitter, &plain, sizeof plain, packet, sizeof packet, &err);
}

OBJECTS(tuntap_config, CONFIGS, 1, tuntap_config_new(&object, &err))
OBJECTS(tuntap_reader, READERS, MODELS, tuntap_reader_new(device(value), 0, &object, &err))
OBJECTS(tuntap_writer, WRITERS, MODELS, tuntap_writer_new(device(value), 0, &object, &err))
OBJECTS(tuntap_splitter, SPLITTERS, 2, open_splitter(value, &object))
OBJECTS(tuntap_joiner, JOINERS, 2, tuntap_joiner_new(value ? TUNTAP_TAP : TUNTAP_TUN, &object, &err))
OBJECTS(tuntap_monitor, MONITORS, 2, tuntap_monitor_open(value ? NULL : device(0), 0, &object, &err))

void close_handles(void)
{
    for (int model = 0; model < MODELS; model++) {
        tuntap_config_free(objects[CONFIGS][model]);
        tuntap_reader_free(objects[READERS][model]);
        tuntap_writer_free(objects[WRITERS][model]);
        tuntap_splitter_free(objects[SPLITTERS][model]);
        tuntap_joiner_free(objects[JOINERS][model]);
        tuntap_monitor_close(objects[MONITORS][model]);
    }
    memset(objects, 0, sizeof objects);
    stop_signals();
    for (int model = 0; model < MODELS; model++) {
        tuntap *dev = devices[model];
        devices[model] = NULL;
        tuntap_close(dev);
    }
    if (packets >= 0)
        close(packets);
    if (namespace >= 0)
        close(namespace);
    close(requests);
}
