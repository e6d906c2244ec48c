/* SPDX-License-Identifier: MIT
 *
 * Super-packets for the tests: random ones, and what the kernel makes of them. */
#ifndef SUPER_H
#define SUPER_H

#include "packet.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stddef.h>

/** The greatest size of a packet or super-packet. */
#define LARGEST 65557

/** A super-packet, or a packet. */
struct super {
    tuntap_vnet_hdr hdr;
    size_t size;
    uint8_t packet[LARGEST];
};

/** A virtio header of another size, as an older or a newer program passes it, and the bytes behind it. */
union sized_hdr {
    tuntap_vnet_hdr hdr;
    uint8_t bytes[4100];
};

/** Packets, one after the other. */
struct packets {
    size_t count;
    size_t at[4097];
    uint8_t bytes[1 << 20];
};

/** xorshift64*: the same numbers in each run. */
static uint64_t random_state = 88172645463325252U;

UNUSED static unsigned below(unsigned limit)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * 2685821657736338717U) >> 33) % limit;
}

UNUSED static void fill_random(uint8_t *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)below(256);
}

UNUSED static void put32(uint8_t *to, uint32_t number)
{
    put16(to, number >> 16);
    put16(to + 2, number & 0xffff);
}

/** Empties the list. */
UNUSED static void clear(struct packets *packets)
{
    packets->count = 0;
    packets->at[0] = 0;
}

/** The length of a packet of the list. */
UNUSED static size_t length_of(const struct packets *packets, size_t place)
{
    return packets->at[place + 1] - packets->at[place];
}

UNUSED static const uint8_t *packet_of(const struct packets *packets, size_t place)
{
    return packets->bytes + packets->at[place];
}

/** Appends a packet. */
UNUSED static void append(struct packets *packets, const void *packet, size_t size)
{
    size_t end = packets->at[packets->count];
    CHECK(packets->count + 1 < sizeof packets->at / sizeof *packets->at && end + size <= sizeof packets->bytes);
    memcpy(packets->bytes + end, packet, size);
    packets->at[++packets->count] = end + size;
}

/** A socket that sends raw packets, each behind its virtio header of 10 bytes, out through the device. */
UNUSED static int offload_socket(const char *device)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(device)};
    int on = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && address.sll_ifindex > 0);
    CHECK(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) == 0);
    CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

/** Whether the driver takes super-packets of UDP: queries a device of its own. */
UNUSED static int kernel_has_uso(void)
{
    static int known = -1;
    if (known < 0) {
        int fd = join_by_hand("", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
        CHECK(fd >= 0);
        known = ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | 0x60UL) == 0; /* TUN_F_USO4, TUN_F_USO6 */
        close(fd);
    }
    return known;
}

/** The number of packets that the kernel receives if a writer joins these datagrams. Before Linux 6.2 it joins none. */
UNUSED static size_t joined(size_t datagrams)
{
    return kernel_has_uso() ? 1 : datagrams;
}

/** Skips the rest of the test on a kernel without super-packets of UDP. */
UNUSED static void needs_uso(void)
{
    if (!kernel_has_uso())
        needs_kernel(6, 2, "super-packets of UDP");
}

/** Sends a super-packet through the device of the socket. Returns 0 or the negative errno. A super-packet of UDP skips
 * the rest of the test on an old kernel. */
UNUSED static int send_super(int sock, int tap, const struct super *super)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET};
    struct iovec parts[2] = {{(void *)(uintptr_t)&super->hdr, offsetof(tuntap_vnet_hdr, num_buffers)},
                             {(void *)(uintptr_t)super->packet, super->size}};
    struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = parts, .msg_iovlen = 2};
    socklen_t length = sizeof to;
    if (super->hdr.gso_type == TUNTAP_VNET_HDR_GSO_UDP_L4)
        needs_uso();
    CHECK(getsockname(sock, (struct sockaddr *)&to, &length) == 0);
    to.sll_protocol = htons(tap ? ETH_P_ALL : super->packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
    to.sll_halen = 6;
    if (tap)
        memcpy(&to.sll_protocol, super->packet + 12, 2);
    return sendmsg(sock, &message, 0) < 0 ? -errno : 0;
}

/** Reads all packets from a descriptor with read(2). */
UNUSED static void take_packets(int fd, struct packets *packets)
{
    static uint8_t buf[LARGEST + 1];
    ssize_t length;
    while ((length = read(fd, buf, sizeof buf)) > 0)
        append(packets, buf, (size_t)length);
    CHECK(length < 0 && errno == EAGAIN);
}

/** The headers of a random super-packet, and the sizes of its parts. */
struct shape {
    int tap, vlan, v6, tcp;
    size_t network, transport, headers, size, payload;
};

/** The sum of the 16-bit words in network byte order, for a checksum. */
static uint32_t sum_of(const uint8_t *bytes, size_t size)
{
    return (uint16_t)~checksum(bytes, size, 0);
}

static struct shape random_shape(int tap)
{
    struct shape shape = {.tap = tap, .vlan = tap && below(2), .v6 = (int)below(2)};
    shape.tcp = below(3) > 0 || !kernel_has_uso();
    shape.network = !tap ? 0 : shape.vlan ? 18 : 14;
    size_t extension = below(4) ? 0 : 8 * (1 + below(4)), options = below(4) ? 0 : 4 * (1 + below(10));
    shape.transport = shape.network + (shape.v6 ? 40 + extension : 20 + options);
    shape.headers = shape.transport + (shape.tcp ? 20 + (below(2) ? 12 : 4 * below(11)) : 8);
    /* Newer kernels raise a segment size of less than 8. */
    size_t most = 65535 - (shape.headers - shape.network), sizes[] = {1448, 1400, 8 + below(3000), 8 + below(57)};
    shape.size = sizes[below(4)];
    size_t segments = 2 + below(below(4) ? 8 : 60);
    shape.payload = shape.size * (segments - 1) + 1 + below((unsigned)shape.size);
    if (shape.payload > most)
        shape.payload = most;
    return shape;
}

static void put_link(uint8_t *packet, const struct shape *shape)
{
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    if (!shape->tap)
        return;
    memcpy(packet, macs, sizeof macs);
    if (shape->vlan) {
        put16(packet + 12, 0x8100);
        put16(packet + 14, below(4095));
    }
    put16(packet + shape->network - 2, shape->v6 ? 0x86dd : 0x0800);
}

static void put_ip(uint8_t *packet, const struct shape *shape, size_t size)
{
    uint8_t *ip = packet + shape->network, protocol = shape->tcp ? IPPROTO_TCP : IPPROTO_UDP;
    size_t header = shape->transport - shape->network;
    if (shape->v6) {
        put32(ip, 0x60000000 | below(1 << 28));
        put16(ip + 4, size - shape->network - 40);
        ip[6] = header > 40 ? 60 : protocol;
        ip[7] = (uint8_t)(1 + below(255));
        ip[8] = ip[24] = 0xfd;
        ip[39] = 9;
        if (header > 40) {
            /* Destination options: one PadN option that fills the header. */
            uint8_t *extension = ip + 40;
            memset(extension, 0, header - 40);
            extension[0] = protocol;
            extension[1] = (uint8_t)((header - 40) / 8 - 1);
            extension[2] = 1;
            extension[3] = (uint8_t)(header - 44);
        }
        return;
    }
    memset(ip, 1, header); /* no operation, for all options */
    ip[0] = (uint8_t)(0x40 | header / 4);
    ip[1] = (uint8_t)below(256);
    put16(ip + 2, size - shape->network);
    put16(ip + 4, below(65536));
    put16(ip + 6, below(2) ? 0x4000 : 0);
    ip[8] = (uint8_t)(1 + below(255));
    ip[9] = protocol;
    put16(ip + 10, 0);
    put32(ip + 12, 0x0a080002);
    put32(ip + 16, 0x0a080001);
    put16(ip + 10, checksum(ip, header, 0));
}

static void put_transport(uint8_t *packet, const struct shape *shape, size_t size, unsigned flags)
{
    uint8_t *ip = packet + shape->network, *header = packet + shape->transport;
    size_t length = size - shape->transport;
    uint32_t pseudo = (uint32_t)length + (shape->tcp ? IPPROTO_TCP : IPPROTO_UDP);
    pseudo += shape->v6 ? sum_of(ip + 8, 32) : sum_of(ip + 12, 8);
    put16(header, 1024 + below(60000));
    put16(header + 2, below(65536));
    if (shape->tcp) {
        put32(header + 4, below(0x7fffffff) * 2);
        put32(header + 8, below(0x7fffffff));
        header[12] = (uint8_t)((shape->headers - shape->transport) / 4 << 4);
        header[13] = (uint8_t)flags;
        put16(header + 14, below(65536));
        put16(header + 16, (uint16_t)~checksum(NULL, 0, pseudo));
        put16(header + 18, 0);
        memset(header + 20, 1, shape->headers - shape->transport - 20);
    } else {
        put16(header + 4, length);
        put16(header + 6, (uint16_t)~checksum(NULL, 0, pseudo));
    }
}

/** A random super-packet of IPv4 or IPv6, of TCP or, if the kernel supports it, of UDP, with random options and tags.
 * Its TCP flags are a random part of these. */
UNUSED static struct shape random_super(struct super *super, int tap, unsigned flags)
{
    struct shape shape = random_shape(tap);
    super->size = shape.headers + shape.payload;
    put_link(super->packet, &shape);
    put_ip(super->packet, &shape, super->size);
    flags &= below(256);
    put_transport(super->packet, &shape, super->size, flags | 0x10);
    fill_random(super->packet + shape.headers, shape.payload);
    uint8_t kind = !shape.tcp ? TUNTAP_VNET_HDR_GSO_UDP_L4 : shape.v6 ? TUNTAP_VNET_HDR_GSO_TCPV6 : TUNTAP_VNET_HDR_GSO_TCPV4;
    super->hdr = (tuntap_vnet_hdr){
        .flags = TUNTAP_VNET_HDR_F_NEEDS_CSUM,
        .gso_type = (uint8_t)(kind | (shape.tcp && flags & 0x80 ? TUNTAP_VNET_HDR_GSO_ECN : 0)),
        .hdr_len = (uint16_t)shape.headers,
        .gso_size = (uint16_t)shape.size,
        .csum_start = (uint16_t)shape.transport,
        .csum_offset = shape.tcp ? 16 : 6,
    };
    return shape;
}

/** A UDP super-packet from 10.8.0.2 to 10.8.0.1: `count` datagrams of `size` bytes. Each byte of a datagram is its
 * number. */
UNUSED static void udp_super(struct super *super, size_t count, size_t size)
{
    struct shape shape = {.transport = 20, .headers = UDP_OVERHEAD, .size = size, .payload = count * size};
    super->size = shape.headers + shape.payload;
    put_ip(super->packet, &shape, super->size);
    put_transport(super->packet, &shape, super->size, 0);
    put16(super->packet + 22, PORT);
    for (size_t i = 0; i < count; i++)
        memset(super->packet + UDP_OVERHEAD + i * size, (int)i, size);
    super->hdr = (tuntap_vnet_hdr){
        .flags = TUNTAP_VNET_HDR_F_NEEDS_CSUM,
        .gso_type = TUNTAP_VNET_HDR_GSO_UDP_L4,
        .hdr_len = UDP_OVERHEAD,
        .gso_size = (uint16_t)size,
        .csum_start = 20,
        .csum_offset = 6,
    };
}

/** A TCP super-packet of IPv4: `count` segments of `size` bytes. */
UNUSED static void tcp_super(struct super *super, size_t count, size_t size)
{
    struct shape shape = {.tcp = 1, .transport = 20, .headers = 40, .size = size, .payload = count * size};
    super->size = shape.headers + shape.payload;
    put_ip(super->packet, &shape, super->size);
    put_transport(super->packet, &shape, super->size, 0x10);
    fill_random(super->packet + shape.headers, shape.payload);
    super->hdr = (tuntap_vnet_hdr){
        .flags = TUNTAP_VNET_HDR_F_NEEDS_CSUM,
        .gso_type = TUNTAP_VNET_HDR_GSO_TCPV4,
        .hdr_len = 40,
        .gso_size = (uint16_t)size,
        .csum_start = 20,
        .csum_offset = 16,
    };
}

/** The socket receives the datagrams of udp_super(), and no others. */
UNUSED static void receives_super(int sock, size_t count, size_t size)
{
    static uint8_t data[LARGEST];
    for (size_t i = 0; i < count; i++) {
        memset(data, (int)i, size);
        udp_receives(sock, data, size);
    }
    CHECK(!is_readable(sock));
}

/** Splits a super-packet into packets with the library's splitter, which stress/oracle.c compares with the kernel. */
UNUSED static void split_super(const struct super *super, uint64_t kind, struct packets *packets)
{
    static uint8_t bytes[LARGEST];
    tuntap_splitter *splitter;
    void *packet;
    ssize_t length;
    memcpy(bytes, super->packet, super->size);
    OK(tuntap_splitter_new(kind, &splitter, &err));
    OK(tuntap_splitter_begin(splitter, &super->hdr, sizeof super->hdr, bytes, super->size, &err));
    while ((length = tuntap_splitter_next(splitter, &packet, NULL)) > 0)
        append(packets, packet, (size_t)length);
    CHECK(length == 0);
    tuntap_splitter_free(splitter);
}

/** A TUN with these flags, 10.8.0.1/24, and up, in a namespace without IPv6. */
UNUSED static tuntap *ready_tun(uint64_t flags)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN | flags, &dev, &err));
    OK(tuntap_set_txqueuelen(dev, 5000, &err));
    IP("address replace 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    return dev;
}

#endif
