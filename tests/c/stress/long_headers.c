/* SPDX-License-Identifier: MIT
 *
 * Super-packets with headers of any length, mainly IPv6 extension headers. tuntap_read and a reader split them like the
 * kernel, which splits them for a device without offload. Packets after them are read correctly. */
#include "super.h"

static struct super super, usual, plain;
static struct packets ours, kernels;

struct path {
    int kernel, kernels_sock, sock;
    tuntap *dev;
    tuntap_reader *reader;
};

/** A TCP super-packet of three segments behind destination options. */
static void long_super(struct super *out, size_t extension, size_t options)
{
    struct shape shape = {.v6 = 1, .tcp = 1, .transport = 40 + extension, .size = 1000, .payload = 3000};
    shape.headers = shape.transport + 20 + options;
    out->size = shape.headers + shape.payload;
    put_ip(out->packet, &shape, out->size);
    put_transport(out->packet, &shape, out->size, 0x10);
    fill_random(out->packet + shape.headers, shape.payload);
    out->hdr = (tuntap_vnet_hdr){
        .flags = TUNTAP_VNET_HDR_F_NEEDS_CSUM,
        .gso_type = TUNTAP_VNET_HDR_GSO_TCPV6,
        .hdr_len = (uint16_t)shape.headers,
        .gso_size = (uint16_t)shape.size,
        .csum_start = (uint16_t)shape.transport,
        .csum_offset = 16,
    };
}

static void read_ours(const struct path *path, int by_reader)
{
    static uint8_t buf[LARGEST];
    ssize_t length;
    void *packet = buf;
    if (!by_reader)
        while ((length = tuntap_read(path->dev, buf, sizeof buf, NULL)) > 0)
            append(&ours, buf, (size_t)length);
    else
        while ((length = tuntap_reader_next(path->reader, &packet, NULL)) >= 0)
            if (length > 0)
                append(&ours, packet, (size_t)length);
    CHECK(length == -EAGAIN);
}

/** Sends the packet to both devices and reads it at once: the library and the kernel return the same packets. */
static void packets_are_the_same(const struct path *path, const struct super *sent, size_t wanted, int by_reader)
{
    clear(&ours);
    clear(&kernels);
    CHECK(send_super(path->sock, 0, sent) == 0);
    CHECK(send_super(path->kernels_sock, 0, sent) == 0);
    read_ours(path, by_reader);
    take_packets(path->kernel, &kernels);
    CHECK(kernels.count == wanted && ours.count == wanted);
    CHECK(kernels.at[wanted] == ours.at[wanted]);
    CHECK(memcmp(kernels.bytes, ours.bytes, ours.at[wanted]) == 0);
}

static void later_packets_are_the_same(const struct path *path, size_t extension, size_t options)
{
    for (int by_reader = 0; by_reader < 2; by_reader++) {
        long_super(&super, extension, options);
        packets_are_the_same(path, &super, 3, by_reader);
        for (int i = 0; i < 2; i++)
            packets_are_the_same(path, &plain, 1, by_reader);
        packets_are_the_same(path, &usual, 3, by_reader);
    }
}

/** The memory of the readers begins at different addresses. */
static void all_lengths(struct path *path)
{
    static const size_t long_extensions[] = {1000, 1528, 2048};
    void *between[4];
    for (size_t turn = 0; turn < 4; turn++) {
        between[turn] = malloc(16 * turn + 8);
        CHECK(between[turn]);
        OK(tuntap_reader_new(path->dev, 0, &path->reader, &err));
        for (size_t extension = 360; extension <= 528; extension += 8)
            for (size_t options = 0; options <= 40; options += 4)
                later_packets_are_the_same(path, extension, options);
        for (size_t i = 0; i < sizeof long_extensions / sizeof *long_extensions; i++)
            later_packets_are_the_same(path, long_extensions[i], 12);
        tuntap_reader_free(path->reader);
    }
    for (size_t turn = 0; turn < 4; turn++)
        free(between[turn]);
}

int main(void)
{
    struct path path;
    tuntap *kernel;
    begin();
    ipv4_only();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_NONBLOCK | TUNTAP_OFFLOAD, &path.dev, &err));
    OK(tuntap_open("t1", TUNTAP_TUN | TUNTAP_NONBLOCK, &kernel, &err));
    IP("link set t0 up mtu 9000");
    IP("link set t1 up mtu 9000");
    path.kernel = tuntap_get_fd(kernel, NULL);
    path.sock = offload_socket("t0");
    path.kernels_sock = offload_socket("t1");
    tcp_super(&usual, 3, 1000);
    plain.size = udp_packet(plain.packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    all_lengths(&path);
    close(path.kernels_sock);
    close(path.sock);
    tuntap_close(kernel);
    tuntap_close(path.dev);
    return 0;
}
