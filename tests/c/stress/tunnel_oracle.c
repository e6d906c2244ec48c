/* SPDX-License-Identifier: MIT
 *
 * The kernel is also the oracle for tunnels. The library and the kernel split random super-packets of UDP tunnels: they
 * come in through a TAP with offload, and a bridge passes them out through a TAP without. The packets are the same,
 * byte for byte. The environment variable ORACLE_CASES sets another number of cases. */
#include "../tunnel.h"

static struct super super;
static struct packets ours, kernels;

/** Makes a port of the bridge. */
static tuntap *make_port(const char *name, uint64_t flags)
{
    tuntap *dev;
    OK(tuntap_open(name, TUNTAP_TAP | TUNTAP_NONBLOCK | flags, &dev, &err));
    OK(tuntap_set_txqueuelen(dev, 5000, &err));
    OK(tuntap_set_mtu(dev, 9000, &err));
    OK(tuntap_set_master(dev, "br0", &err));
    OK(tuntap_up(dev, &err));
    return dev;
}

/** Splits in place, or to other memory. */
static void split_by_library(uint64_t flags)
{
    static uint8_t bytes[LARGEST], copy[LARGEST];
    tuntap_splitter *splitter;
    int copies = (int)below(2);
    void *packet = copy;
    ssize_t length;
    clear(&ours);
    memcpy(bytes, super.packet, super.size);
    OK(tuntap_splitter_new(TUNTAP_TAP | flags, &splitter, &err));
    OK(tuntap_splitter_begin(splitter, &super.hdr, sizeof super.hdr, bytes, super.size, &err));
    while ((length = copies ? tuntap_splitter_copy(splitter, copy, sizeof copy, NULL)
                            : tuntap_splitter_next(splitter, &packet, NULL)) > 0)
        append(&ours, packet, (size_t)length);
    CHECK(length == 0);
    tuntap_splitter_free(splitter);
}

static void check_same(void)
{
    for (size_t i = 0; i < ours.count && i < kernels.count; i++) {
        size_t length = length_of(&ours, i), at = 0;
        const uint8_t *a = packet_of(&ours, i), *b = packet_of(&kernels, i);
        while (at < length && a[at] == b[at])
            at++;
        if (length == length_of(&kernels, i) && at == length)
            continue;
        fprintf(stderr, "packet %zu of %zu: lengths %zu and %zu, byte %zu; gso_type %#x, tunnel %u, inside %u and %u\n", i,
                ours.count, length, length_of(&kernels, i), at, super.hdr.gso_type, super.hdr.outer_th_offset,
                super.hdr.inner_nh_offset, super.hdr.csum_start);
        CHECK(0);
    }
    CHECK(ours.count == kernels.count && ours.count > 1);
}

int main(void)
{
    const char *cases = getenv("ORACLE_CASES");
    unsigned count = cases ? (unsigned)strtoul(cases, NULL, 10) : 3000;
    size_t packets = 0;
    begin();
    ipv4_only();
    needs_tunnels();
    IP("link add br0 type bridge mcast_snooping 0");
    IP("link set br0 up");
    tuntap *in = make_port("t0", TUNTAP_OFFLOAD), *out = make_port("t1", 0);
    int fd = tuntap_get_fd(out, NULL);
    clear(&kernels);
    take_packets(fd, &kernels);
    for (unsigned i = 0; i < count; i++) {
        random_tunnel(&super, 0xf9);
        clear(&kernels);
        OK(tuntap_write_super(in, &super.hdr, sizeof super.hdr, super.packet, super.size, &err));
        take_packets(fd, &kernels);
        split_by_library(i % 4 ? 0 : TUNTAP_TRUSTED);
        check_same();
        packets += ours.count;
    }
    printf("%u super-packets of tunnels split alike, to %zu packets\n", count, packets);
    tuntap_close(out);
    tuntap_close(in);
    return 0;
}
