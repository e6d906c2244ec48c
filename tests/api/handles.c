/* SPDX-License-Identifier: MIT
 *
 * The handles that functions are called with. They are made when they are first asked for, and last until the next
 * function's turn, which has a process and a namespace of its own. */
#include "api.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>

static const struct {
    const char *says, *name;
    uint64_t flags;
} shapes[] = {
    {"a TUN", "t0", TUNTAP_TUN},
    {"a TAP", "t1", TUNTAP_TAP | TUNTAP_NONBLOCK},
    {"a TUN with offload", "t2", TUNTAP_TUN | TUNTAP_OFFLOAD},
    {"a TAP with offload", "t3", TUNTAP_TAP | TUNTAP_OFFLOAD | TUNTAP_NONBLOCK},
    {"a TUN with queues", "t4", TUNTAP_TUN | TUNTAP_MULTI_QUEUE | TUNTAP_NONBLOCK},
    {"a TUN that is gone", "t5", TUNTAP_TUN},
};
enum { SHAPES = LENGTH(shapes), OWNED = 1, DEFAULT_ROUTE = 2, BRIDGED = 3, OTHER_END = 4, GONE = SHAPES - 1 };
enum { CONFIGS, READERS, WRITERS, SPLITTERS, JOINERS, MONITORS, KINDS };

/** Volatile: the signal handler wakes those that exist. */
static tuntap *volatile devices[SHAPES];
static int indexes[SHAPES];
static void *objects[KINDS][SHAPES];
static int packets = -1, requests = -1, namespace = -1;

/** Gives a device what getters and deleters need. */
static void configure(int shape)
{
    char address[32], other_end[32], route[32];
    snprintf(address, sizeof address, "10.%d.0.1/24", 8 + shape * 2);
    snprintf(other_end, sizeof other_end, "10.%d.0.2", 8 + shape * 2);
    snprintf(route, sizeof route, "10.%d.0.0/16", 9 + shape * 2);
    tuntap_set_addr(devices[shape], address, NULL);
    if (shape == OTHER_END)
        tuntap_set_dstaddr(devices[shape], other_end, NULL);
    tuntap_up(devices[shape], NULL);
    add_route(devices[shape], route, NULL, 0, 0, NULL);
    if (shape == OWNED) {
        tuntap_set_owner(devices[shape], 0, NULL);
        tuntap_set_group(devices[shape], 0, NULL);
    }
    if (shape == DEFAULT_ROUTE) {
        tuntap_add_default_route(devices[shape], TUNTAP_IPV4, NULL, 0, NULL);
        tuntap_add_bypass(devices[shape], "192.0.2.1", 0, 0, 0, NULL);
    }
    if (shape == BRIDGED) {
        if (!if_nametoindex("bridge"))
            IP("link add bridge type bridge");
        tuntap_set_master(devices[shape], "bridge", NULL);
    }
}

static tuntap *device(int shape)
{
    tuntap *dev = devices[shape];
    if (dev)
        return dev;
    OK(tuntap_open(shapes[shape].name, shapes[shape].flags, &dev, &err));
    devices[shape] = dev;
    indexes[shape] = (int)if_nametoindex(shapes[shape].name);
    if (shape == GONE)
        IP("link delete %s", shapes[shape].name);
    else
        configure(shape);
    return dev;
}

/** Has the kernel send a packet out through a device, for those who read. */
static void send_packet(int shape)
{
    static uint8_t packet[60];
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_halen = ETH_ALEN};
    if (packets < 0)
        CHECK((packets = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) >= 0);
    packet_of(packet, sizeof packet);
    to.sll_ifindex = indexes[shape];
    sendto(packets, packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
}

/** Reserves bytes with a packet in them, for a commit. */
static void reserve(int shape)
{
    void *place;
    tuntap_writer *writer = objects[WRITERS][shape];
    if (writer && tuntap_writer_reserve(writer, 256, &place, NULL) == 0)
        packet_of(place, 256);
}

void restore_handles(const void *changed)
{
    for (int shape = 0; shape < GONE; shape++)
        if (devices[shape]) {
            if (devices[shape] == changed)
                configure(shape);
            send_packet(shape);
        }
    /* The last call's memory, which a splitter may still have, is freed. */
    for (int shape = 0; shape < SHAPES; shape++) {
        tuntap_splitter_free(objects[SPLITTERS][shape]);
        objects[SPLITTERS][shape] = NULL;
        reserve(shape);
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
    for (int shape = 0; shape < SHAPES; shape++) {
        if (devices[shape] == handle)
            devices[shape] = NULL;
        for (int kind = 0; kind < KINDS; kind++)
            if (objects[kind][shape] == handle)
                objects[kind][shape] = NULL;
    }
}

static void end_wait(int signal)
{
    struct ifreq request = {.ifr_name = "t0", .ifr_mtu = 1400};
    int number = errno;
    (void)signal;
    for (int shape = 0; shape < SHAPES; shape++)
        if (devices[shape])
            tuntap_wake(devices[shape]);
    /* A change, for monitors. */
    ioctl(requests, SIOCGIFMTU, &request);
    request.ifr_mtu = request.ifr_mtu == 1400 ? 1500 : 1400;
    ioctl(requests, SIOCSIFMTU, &request);
    errno = number;
}

void interrupt_waits(void)
{
    CHECK((requests = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) >= 0);
    signals_come(end_wait, SA_RESTART);
}

/** Its descriptor is the caller's. */
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
    made->says = value < SHAPES ? shapes[value].says : "NULL";
    made->pointer = value < SHAPES ? device(value) : NULL;
}

const struct kind tuntap_kind = {SHAPES + 1, SHAPES + 1, make_device, IN};

/** A kind of objects that are made of each device, or for TUN and TAP. */
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
        made->says = value < (count) ? shapes[value].says : "NULL";                                          \
    }                                                                                                        \
    const struct kind type##_kind = {(count) + 1, (count) + 1, make_##type, IN};

/** A splitter that has a packet. */
static int open_splitter(int shape, tuntap_splitter **splitter)
{
    static uint8_t packet[100];
    static const tuntap_vnet_hdr plain;
    packet_of(packet, sizeof packet);
    OK(tuntap_splitter_new(shapes[shape].flags & (TUNTAP_TUN | TUNTAP_TAP), splitter, &err));
    return tuntap_splitter_begin(*splitter, &plain, sizeof plain, packet, sizeof packet, &err);
}

OBJECTS(tuntap_config, CONFIGS, 1, tuntap_config_new(&object, &err))
OBJECTS(tuntap_reader, READERS, SHAPES, tuntap_reader_new(device(value), 0, &object, &err))
OBJECTS(tuntap_writer, WRITERS, SHAPES, tuntap_writer_new(device(value), 0, &object, &err))
OBJECTS(tuntap_splitter, SPLITTERS, 2, open_splitter(value, &object))
OBJECTS(tuntap_joiner, JOINERS, 2, tuntap_joiner_new(value ? TUNTAP_TAP : TUNTAP_TUN, &object, &err))
OBJECTS(tuntap_monitor, MONITORS, 2, tuntap_monitor_open(value ? NULL : device(0), 0, &object, &err))

void close_handles(void)
{
    for (int shape = 0; shape < SHAPES; shape++) {
        tuntap_config_free(objects[CONFIGS][shape]);
        tuntap_reader_free(objects[READERS][shape]);
        tuntap_writer_free(objects[WRITERS][shape]);
        tuntap_splitter_free(objects[SPLITTERS][shape]);
        tuntap_joiner_free(objects[JOINERS][shape]);
        tuntap_monitor_close(objects[MONITORS][shape]);
    }
    memset(objects, 0, sizeof objects);
    signals_end();
    for (int shape = 0; shape < SHAPES; shape++) {
        tuntap *dev = devices[shape];
        devices[shape] = NULL;
        tuntap_close(dev);
    }
    if (packets >= 0)
        close(packets);
    if (namespace >= 0)
        close(namespace);
    close(requests);
}
