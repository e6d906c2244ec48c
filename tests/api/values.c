/* SPDX-License-Identifier: MIT
 *
 * Makes all arguments that are not handles. All memory is from the heap and has the size that the call gets, so that
 * AddressSanitizer detects each access beyond it. */
#include "api.h"

#include <linux/filter.h>

/** Allocates memory that is freed after the call. */
static uint8_t *allocate(struct argument *made, size_t bytes)
{
    made->pointer = made->memory = malloc(bytes ? bytes : 1);
    CHECK(made->pointer);
    memset(made->pointer, CANARY, bytes ? bytes : 1);
    made->bytes = bytes;
    return made->pointer;
}

/** The number of bytes that the other arguments promise, or `otherwise` if that is too much memory. */
static size_t promised(const struct parameter *parameter, const struct argument *all, size_t otherwise)
{
    uint64_t unit = parameter->size < 0 ? parameter->unit : all[parameter->size].number;
    uint64_t count = parameter->count < 0 ? 1 : all[parameter->count].number;
    if (unit > MEMORY_MAX || count > MEMORY_MAX || unit * count > MEMORY_MAX)
        return otherwise;
    return (size_t)(unit * count);
}

static void null(struct argument *made)
{
    made->says = "NULL";
    made->pointer = NULL;
}

/* Texts */

static const char *const texts[] = {
    "", "t0", "%s%n%d", "vpn%d", "1234567890123456", "a/b", "\n\033[31mred", "\xff\xfe\x80", "10.8.0.1/24", "10.8.0.1/33",
    "fd00::1/64", "::/0", "lo", "%d", "a%d%d", "123456789012345", "..", "a b", "10.8.0.1/-1", "10.8.0.1/",
    "fe80::1%1/64", "0.0.0.0/0", "255.0.255.0", "/dev/null", "/proc/self/ns/mnt", "/nonexistent/x",
};
static const size_t lengths[] = {16, 64, 255, 256, 4096, 65536};

static void make_text(struct argument *made, const struct parameter *parameter, int value, const struct argument *all)
{
    (void)all;
    value -= 2;
    if (value == -1 || (value == -2 && !parameter->text)) {
        null(made);
    } else if (value < LENGTH(texts)) {
        made->says = value < 0 ? parameter->text : texts[value];
        memcpy(allocate(made, strlen(made->says) + 1), made->says, strlen(made->says) + 1);
    } else {
        size_t length = lengths[value - LENGTH(texts)];
        made->says = "a long text";
        memset(allocate(made, length + 1), 'a', length);
        ((char *)made->pointer)[length] = 0;
    }
}

const struct kind text_kind = {LENGTH(texts) + LENGTH(lengths) + 2, 14, make_text, IN};

/* Outputs */

/** Makes memory of the promised size, or NULL. */
static void make_out(struct argument *made, const struct parameter *parameter, int value, const struct argument *all)
{
    made->says = "a place";
    if (value == 0)
        allocate(made, promised(parameter, all, parameter->unit * 64));
    else
        null(made);
}

const struct kind text_out_kind = {2, 2, make_out, OUT};
const struct kind struct_out_kind = {2, 2, make_out, OUT};
const struct kind bytes_out_kind = {2, 2, make_out, OUT};
const struct kind scalar_out_kind = {2, 2, make_out, OUT};
const struct kind fd_out_kind = {2, 2, make_out, OUT};
const struct kind object_out_kind = {2, 2, make_out, OUT};
const struct kind error_kind = {2, 2, make_out, OUT};

/* Packets */

void packet_of(uint8_t *packet, size_t size)
{
    static uint8_t whole[65536];
    static const uint8_t data[65000];
    size_t length = size > UDP_OVERHEAD ? size - UDP_OVERHEAD : 0;
    length = udp_packet(whole, "10.8.0.2", "10.8.0.1", PORT, data, length < sizeof data ? length : sizeof data);
    memset(packet, 0, size);
    memcpy(packet, whole, size < length ? size : length);
}

static void make_memory(struct argument *made, const struct parameter *parameter, int value,
                        const struct argument *all)
{
    size_t size = promised(parameter, all, 70000);
    if (value == 4) {
        null(made);
        return;
    }
    allocate(made, size);
    switch (value) {
    case 0:
        made->says = "a packet";
        packet_of(made->pointer, size);
        break;
    case 1:
        made->says = "zeros";
        memset(made->pointer, 0, size);
        break;
    case 2:
        made->says = "ones";
        memset(made->pointer, 0xff, size);
        break;
    case 3:
        made->says = "VLAN tags";
        for (size_t i = 0; i < size; i++)
            ((uint8_t *)made->pointer)[i] = (const uint8_t[]){0x81, 0, 0, 1}[i % 4];
        break;
    }
}

const struct kind memory_in_kind = {5, 5, make_memory, IN};
const struct kind memory_kind = {5, 5, make_memory, OUT_UNDEFINED};

/* Structures, and other bytes that are read */

static void make_struct(struct argument *made, const struct parameter *parameter, int value,
                        const struct argument *all)
{
    static const uint8_t fills[] = {0, 0xff, 'a', 1, 2, 4, 5, 0x80};
    static const tuntap_addr addr = {.addr = "10.8.0.1/24"};
    static const tuntap_route route = {.destination = "10.9.0.0/16"};
    made->says = "a structure of equal bytes";
    if (value == LENGTH(fills)) {
        null(made);
        return;
    }
    size_t size = promised(parameter, all, parameter->unit);
    memset(allocate(made, size), fills[value], size);
    if (value != 0)
        return;
    if (strcmp(parameter->name, "addr") == 0)
        memcpy(made->pointer, &addr, size < sizeof addr ? size : sizeof addr);
    else if (strcmp(parameter->name, "route") == 0)
        memcpy(made->pointer, &route, size < sizeof route ? size : sizeof route);
}

const struct kind struct_in_kind = {9, 9, make_struct, IN};

static void make_bytes(struct argument *made, const struct parameter *parameter, int value,
                       const struct argument *all)
{
    static const uint8_t fills[] = {2, 0, 0xff, 1};
    static const char *const names[] = {"addresses", "zeros", "ones", "groups' addresses"};
    if (value == LENGTH(fills)) {
        null(made);
    } else {
        size_t size = promised(parameter, all, parameter->unit);
        memset(allocate(made, size), fills[value], size);
        made->says = names[value];
    }
}

const struct kind bytes_in_kind = {5, 5, make_bytes, IN};

static void make_filter(struct argument *made, const struct parameter *parameter, int value,
                        const struct argument *all)
{
    static const struct sock_filter all_bytes = {BPF_RET | BPF_K, 0, 0, 0xffffffff}, unknown = {0xffff, 9, 9, 9};
    static const char *const names[] = {"a filter", "unknown instructions", "a misaligned filter"};
    if (value == LENGTH(names)) {
        null(made);
        return;
    }
    size_t size = promised(parameter, all, parameter->unit), gap = value == 2;
    uint8_t *bytes = allocate(made, size + gap);
    for (size_t at = 0; at + sizeof all_bytes <= size; at += sizeof all_bytes)
        memcpy(bytes + gap + at, value == 1 ? &unknown : &all_bytes, sizeof all_bytes);
    made->says = names[value];
    /* Linux 6.18 blocks forever when many filters are freed at the same time. */
    poll(NULL, 0, 20);
}

const struct kind filter_kind = {4, 4, make_filter, IN};

/** Makes vectors that share one packet. */
static void make_vectors(struct argument *made, const struct parameter *parameter, int value,
                         const struct argument *all)
{
    static const char *const names[] = {"vectors", "vectors without address", "vectors without bytes",
                                        "vectors of SIZE_MAX bytes"};
    enum { BYTES = 64 };
    size_t bytes = promised(parameter, all, parameter->unit), count = bytes / sizeof(struct iovec);
    if (value == LENGTH(names)) {
        null(made);
        return;
    }
    /* The packet is before the vectors, so that a read beyond the last vector is detected. */
    uint8_t *packet = malloc(BYTES + bytes + 1);
    CHECK(packet);
    packet_of(packet, BYTES);
    struct iovec *vectors = (struct iovec *)(void *)(packet + BYTES);
    for (size_t i = 0; i < count; i++)
        vectors[i] = (struct iovec){value == 1 ? NULL : packet, value == 2 ? 0 : value == 3 ? SIZE_MAX : BYTES};
    made->memory = packet;
    made->pointer = vectors;
    made->bytes = bytes;
    made->says = names[value];
}

const struct kind vectors_kind = {5, 5, make_vectors, IN};

/** Makes packet structures of the promised size that share one packet or buffer. */
static void make_packets(struct argument *made, const struct parameter *parameter, int value,
                         const struct argument *all)
{
    static const char *const names[] = {"packets", "packets without address", "packets without bytes",
                                        "packets of SIZE_MAX bytes", "packets of a later version"};
    enum { BYTES = 200 };
    size_t bytes = promised(parameter, all, parameter->unit), size = (size_t)all[parameter->size].number;
    if (value == LENGTH(names)) {
        null(made);
        return;
    }
    /* The packet is before the structures, so that a read beyond the last structure is detected. */
    uint8_t *packet = malloc(BYTES + bytes + 1);
    CHECK(packet);
    packet_of(packet, BYTES);
    memset(packet + BYTES, value == 4, bytes);
    tuntap_packet one = {value == 1 ? NULL : packet, value == 2 ? 0 : value == 3 ? SIZE_MAX : BYTES, 7};
    for (size_t at = 0; size > 0 && at + size <= bytes; at += size)
        memcpy(packet + BYTES + at, &one, size < sizeof one ? size : sizeof one);
    made->memory = packet;
    made->pointer = packet + BYTES;
    made->bytes = bytes;
    made->says = names[value];
}

const struct kind packets_kind = {6, 6, make_packets, IN};
const struct kind buffers_kind = {6, 6, make_packets, OUT_UNDEFINED};

/* Numbers */

/** Defines a kind of numbers: the good one and these. The first `pairs` are combined with values of others. */
#define NUMBERS(name, format, type, pairs, ...)                                                                           \
    static void make_##name(struct argument *made, const struct parameter *parameter, int value,                   \
                            const struct argument *all)                                                            \
    {                                                                                                              \
        static const type numbers[] = {__VA_ARGS__};                                                               \
        static char texts_[PARAMETERS_MAX][24];                                                                    \
        static unsigned next;                                                                                      \
        char *text = texts_[next++ % PARAMETERS_MAX];                                                              \
        type number = value ? numbers[value - 1] : (type)parameter->number;                                        \
        (void)all;                                                                                                 \
        snprintf(text, sizeof texts_[0], format, number);                                                          \
        made->says = text;                                                                                         \
        made->number = (uint64_t)number;                                                                           \
    }                                                                                                              \
    const struct kind name##_kind = {1 + (int)(sizeof((type[]){__VA_ARGS__}) / sizeof(type)), pairs, make_##name, IN};

NUMBERS(int, "%d", int, 7, 0, 1, -1, INT_MIN, INT_MAX, 1023, 1024, 18, 2)
NUMBERS(int32, "%d", int32_t, 5, 1, -1, INT32_MIN, INT32_MAX)
NUMBERS(uint32, "%u", uint32_t, 6, 0, 1, UINT32_MAX, INT32_MAX, 65536, 2, 67, 68, 1280, 65521, 65535,
        (uint32_t)INT32_MAX + 1)
NUMBERS(uint64, "%llu", unsigned long long, 8, 0, 1, 2, UINT64_MAX, 1ull << 63, 1 << 12, 0x802, 3, 1 << 2, 1 << 3, 1 << 4,
        1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 13, 1ull << 32, 9, 0x21, 0x41, 0x801, 0x106)
NUMBERS(size, "%zu", size_t, 8, 0, 1, 16, 65536, SIZE_MAX, SIZE_MAX / 16 + 2, SIZE_MAX - 10, 2, 8, 9, 15, 64, 255, 257,
        4096, 4097, 65535, 65557, 65558, 100000, SIZE_MAX / 2)

/* Descriptors */

static int device_descriptor(bool attached)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(!attached || ioctl(fd, TUNSETIFF, &request) == 0);
    return fd;
}

static int closed_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

static int pipe_end(void)
{
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    close(ends[0]);
    return ends[1];
}

static void make_fd(struct argument *made, const struct parameter *parameter, int value, const struct argument *all)
{
    int fd = -1;
    (void)parameter, (void)all;
#define VALUE(number, name, expression) \
    case number:                        \
        made->says = name;              \
        fd = (expression);              \
        break;
    switch (value) {
        VALUE(0, "-1", -1)
        VALUE(1, "a device", device_descriptor(true))
        VALUE(2, "a network namespace", open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC))
        VALUE(3, "another network namespace", other_namespace())
        VALUE(4, "-2", -2)
        VALUE(5, "INT_MIN", INT_MIN)
        VALUE(6, "INT_MAX", INT_MAX)
        VALUE(7, "a closed descriptor", closed_descriptor())
        VALUE(8, "/dev/null", open("/dev/null", O_RDWR | O_CLOEXEC))
        VALUE(9, "a file", open("/proc/self/status", O_RDONLY | O_CLOEXEC))
        VALUE(10, "a socket", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))
        VALUE(11, "a netlink socket", socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0))
        VALUE(12, "a pipe", pipe_end())
        VALUE(13, "a directory", open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        VALUE(14, "a path", open("/", O_PATH | O_CLOEXEC))
        VALUE(15, "a mount namespace", open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC))
        VALUE(16, "a descriptor without device", device_descriptor(false))
    }
    made->number = (uint64_t)(int64_t)fd;
}

const struct kind fd_kind = {17, 17, make_fd, IN};
