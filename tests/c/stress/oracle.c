/* SPDX-License-Identifier: MIT
 *
 * The kernel is the oracle. The library splits random super-packets, and the kernel splits them for a device without
 * offload: the packets are the same, byte for byte. The kernel also splits super-packets that the library joined, into
 * the original packets. The environment variable ORACLE_CASES sets another number of cases. */
#include <stdbool.h>
#include "super.h"

/* The greatest number of queued segments. */
#define QUEUE 5000

static struct super super;
static struct packets ours, kernels, before, after;

struct path {
    int tap, sock, fd;
    tuntap *dev;
    tuntap_splitter *splitter, *trusted_splitter;
    tuntap_joiner *joiner, *trusted_joiner;
};

static struct path open_path(const char *name, uint64_t kind)
{
    struct path path = {.tap = kind == TUNTAP_TAP};
    OK(tuntap_open(name, kind | TUNTAP_NONBLOCK, &path.dev, &err));
    OK(tuntap_set_txqueuelen(path.dev, QUEUE, &err));
    OK(tuntap_set_mtu(path.dev, 9000, &err));
    OK(tuntap_up(path.dev, &err));
    path.fd = tuntap_get_fd(path.dev, NULL);
    path.sock = offload_socket(name);
    OK(tuntap_splitter_new(kind, &path.splitter, &err));
    OK(tuntap_joiner_new(kind, &path.joiner, &err));
    OK(tuntap_splitter_new(kind | TUNTAP_TRUSTED, &path.trusted_splitter, &err));
    OK(tuntap_joiner_new(kind | TUNTAP_TRUSTED, &path.trusted_joiner, &err));
    return path;
}

static void close_path(struct path *path)
{
    tuntap_joiner_free(path->trusted_joiner);
    tuntap_splitter_free(path->trusted_splitter);
    tuntap_joiner_free(path->joiner);
    tuntap_splitter_free(path->splitter);
    close(path->sock);
    tuntap_close(path->dev);
}

static void describe(const char *what, size_t place, const struct packets *a, const struct packets *b)
{
    size_t length = length_of(a, place), other = length_of(b, place), at = 0;
    while (at < length && at < other && packet_of(a, place)[at] == packet_of(b, place)[at])
        at++;
    fprintf(stderr, "%s: packet %zu of %zu and %zu, lengths %zu and %zu, differ at byte %zu; kind %#x, size %u\n", what,
            place, a->count, b->count, length, other, at, super.hdr.gso_type, super.hdr.gso_size);
}

static int same(const struct packets *a, const struct packets *b, size_t place)
{
    size_t length = length_of(a, place);
    return length == length_of(b, place) && memcmp(packet_of(a, place), packet_of(b, place), length) == 0;
}

static void check_same(const char *what, const struct packets *a, const struct packets *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++)
        if (!same(a, b, i)) {
            describe(what, i, a, b);
            CHECK(0);
        }
    CHECK(a->count == b->count);
}

/** Appends the packets into which the kernel splits the super-packet. */
static int split_by_kernel(const struct path *path, struct packets *packets)
{
    int result = send_super(path->sock, path->tap, &super);
    if (result == 0)
        take_packets(path->fd, packets);
    return result;
}

/** Splits in place, or to other memory at any alignment. */
static void split_by_library(tuntap_splitter *splitter)
{
    static uint8_t memory[70000];
    bool copies = below(2) == 0;
    uint8_t *to = memory + below(64);
    void *packet = to;
    ssize_t length;
    clear(&ours);
    OK(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, super.packet, super.size, &err));
    while ((length = copies ? tuntap_splitter_copy(splitter, to, 65600, NULL) : tuntap_splitter_next(splitter, &packet, NULL)) > 0)
        append(&ours, packet, (size_t)length);
    CHECK(length == 0);
}

/** FIN, PSH, ACK, URG, ECE and CWR: a SYN or RST never has payload to split. */
#define ANY_FLAGS 0xf9

static void library_and_kernel_split_alike(const struct path *path)
{
    random_super(&super, path->tap, ANY_FLAGS);
    if (below(8) == 0) {
        /* A plain packet without its checksum. */
        super.hdr.gso_type = TUNTAP_VNET_HDR_GSO_NONE;
        super.hdr.gso_size = 0;
        while (super.size > 1500)
            random_super(&super, path->tap, ANY_FLAGS), super.hdr.gso_type = TUNTAP_VNET_HDR_GSO_NONE,
                                                        super.hdr.gso_size = 0;
    }
    clear(&kernels);
    CHECK(split_by_kernel(path, &kernels) == 0 && kernels.count > 0);
    split_by_library(path->splitter);
    check_same("split", &ours, &kernels);
}

/** Puts packets of two flows into the joiner in random order. */
static void put_mixed(const struct path *path)
{
    size_t next[2] = {0, 0};
    const struct packets *flows[2] = {&kernels, &before};
    while (next[0] < kernels.count || next[1] < before.count) {
        size_t flow = below(2);
        if (next[flow] == flows[flow]->count)
            continue;
        for (size_t run = 1 + below(8); run > 0 && next[flow] < flows[flow]->count; run--, next[flow]++)
            OK(tuntap_joiner_put(path->joiner, packet_of(flows[flow], next[flow]), length_of(flows[flow], next[flow]),
                                 &err));
    }
}

/** Whether the first list contains all packets of the second one in their order. */
static int contains(const struct packets *all, const struct packets *some)
{
    size_t place = 0;
    for (size_t i = 0; i < all->count && place < some->count; i++)
        place += length_of(all, i) == length_of(some, place) &&
                 memcmp(packet_of(all, i), packet_of(some, place), length_of(all, i)) == 0;
    return place == some->count;
}

/** Lets the kernel split all that the joiner returns. Returns the number of packets and super-packets of the joiner. */
static size_t split_joined(const struct path *path, tuntap_joiner *joiner)
{
    size_t items = 0;
    ssize_t length;
    void *packet;
    clear(&after);
    while ((length = tuntap_joiner_next(joiner, &super.hdr, sizeof super.hdr, &packet, NULL)) > 0) {
        super.size = (size_t)length;
        memcpy(super.packet, packet, super.size);
        CHECK(split_by_kernel(path, &after) == 0);
        items++;
    }
    CHECK(length == 0);
    return items;
}

/** FIN, PSH and ECE: segments with other flags are never joined. */
#define JOINED_FLAGS 0x49

/** Returns the number of packets and super-packets of the joiner. */
static size_t the_kernel_splits_joined_packets(const struct path *path)
{
    clear(&kernels);
    clear(&before);
    random_super(&super, path->tap, JOINED_FLAGS);
    CHECK(split_by_kernel(path, &kernels) == 0);
    random_super(&super, path->tap, JOINED_FLAGS);
    CHECK(split_by_kernel(path, &before) == 0);
    put_mixed(path);
    size_t items = split_joined(path, path->joiner);
    CHECK(after.count == kernels.count + before.count);
    CHECK(contains(&after, &kernels) && contains(&after, &before));
    return items;
}

/** The kernel writes a TCP checksum of 0 as 0xffff when it completes a packet, and as 0 when it splits one: both are
 * correct. */
static void unify_zero_checksums(struct packets *packets, size_t place)
{
    static const uint8_t ones[2] = {0xff, 0xff};
    for (size_t i = 0; i < packets->count; i++) {
        uint8_t *field = packets->bytes + packets->at[i] + place;
        if (memcmp(field, ones, 2) == 0)
            memset(field, 0, 2);
    }
}

/** With TUNTAP_TRUSTED the library computes no checksum. The kernel computes all of them at the end. */
static void trusted_packets_are_the_same_at_the_end(const struct path *path)
{
    static struct super sent;
    struct shape shape = random_super(&super, path->tap, ANY_FLAGS);
    sent = super;
    split_by_library(path->trusted_splitter);
    for (size_t i = 0; i < ours.count; i++)
        OK(tuntap_joiner_put(path->trusted_joiner, packet_of(&ours, i), length_of(&ours, i), &err));
    split_joined(path, path->trusted_joiner);
    super = sent;
    clear(&kernels);
    CHECK(split_by_kernel(path, &kernels) == 0);
    unify_zero_checksums(&after, shape.transport + super.hdr.csum_offset);
    unify_zero_checksums(&kernels, shape.transport + super.hdr.csum_offset);
    check_same("trusted", &after, &kernels);
}

static unsigned cases(void)
{
    const char *given = getenv("ORACLE_CASES");
    if (given)
        return (unsigned)strtoul(given, NULL, 10);
    return run_as("plain") ? 100000 : 2000;
}

int main(void)
{
    begin();
    ipv4_only();
    struct path paths[2] = {open_path("t0", TUNTAP_TUN), open_path("t1", TUNTAP_TAP)};
    unsigned count = cases();
    for (unsigned i = 0; i < count; i++)
        library_and_kernel_split_alike(&paths[i % 2]);
    size_t packets = 0, items = 0;
    for (unsigned i = 0; i < count / 10; i++) {
        items += the_kernel_splits_joined_packets(&paths[i % 2]);
        packets += after.count;
        trusted_packets_are_the_same_at_the_end(&paths[i % 2]);
    }
    printf("%u super-packets split alike; %zu packets joined to %zu\n", count, packets, items);
    CHECK(items * 2 < packets);
    close_path(&paths[0]);
    close_path(&paths[1]);
    return 0;
}
