/* SPDX-License-Identifier: MIT
 *
 * An emulator opens a multi-queue device with plain system calls. Its header is struct virtio_net_hdr_mrg_rxbuf in
 * little endian. The library takes over a queue. The program and the library read the same packets, and what each of
 * them writes arrives. */
#include "../vnet.h"

#include <linux/virtio_net.h>

enum { ROUNDS = 300 };

static const int header = sizeof(struct virtio_net_hdr_mrg_rxbuf), on = 1;

static struct super sent, got;
static uint8_t buf[sizeof(struct virtio_net_hdr_mrg_rxbuf) + LARGEST];

static int emulator_queue(const char *name, int kind)
{
    int fd = join_by_hand(name, kind | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE);
    unsigned offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    CHECK(fd >= 0 && ioctl(fd, TUNSETVNETHDRSZ, &header) == 0 && ioctl(fd, TUNSETVNETLE, &on) == 0);
    if (kernel_has_uso())
        offloads |= TUNTAP_F_USO4 | TUNTAP_F_USO6;
    CHECK(ioctl(fd, TUNSETOFFLOAD, offloads) == 0);
    CHECK(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    return fd;
}

/** Attaches or detaches the queue, if it is not already in this state. */
static void attach_queue(int fd, int flag)
{
    struct ifreq request = {.ifr_flags = (short)flag};
    CHECK(ioctl(fd, TUNSETQUEUE, &request) == 0 || errno == EINVAL);
}

/** Decodes the header to the machine's byte order. */
static tuntap_vnet_hdr decode(const struct virtio_net_hdr_mrg_rxbuf *raw)
{
    const uint8_t *bytes = (const uint8_t *)raw;
    tuntap_vnet_hdr hdr = {.flags = bytes[0], .gso_type = bytes[1]};
    hdr.hdr_len = (uint16_t)(bytes[2] | bytes[3] << 8);
    hdr.gso_size = (uint16_t)(bytes[4] | bytes[5] << 8);
    hdr.csum_start = (uint16_t)(bytes[6] | bytes[7] << 8);
    hdr.csum_offset = (uint16_t)(bytes[8] | bytes[9] << 8);
    return hdr;
}

static struct virtio_net_hdr_mrg_rxbuf encode(const tuntap_vnet_hdr *hdr)
{
    struct virtio_net_hdr_mrg_rxbuf raw;
    uint8_t bytes[12] = {hdr->flags, hdr->gso_type, hdr->hdr_len & 255, hdr->hdr_len >> 8, hdr->gso_size & 255,
                         hdr->gso_size >> 8, hdr->csum_start & 255, hdr->csum_start >> 8, hdr->csum_offset & 255,
                         hdr->csum_offset >> 8};
    memcpy(&raw, bytes, sizeof raw);
    return raw;
}

/** The descriptor and the handle read the same header and the same bytes of the same super-packet. */
static void both_read_the_same(int fd, tuntap *dev, int tap)
{
    int out = offload_socket("t0");
    for (int i = 0; i < ROUNDS; i++) {
        struct virtio_net_hdr_mrg_rxbuf raw;
        tuntap_vnet_hdr hdr;
        do /* the kernel itself splits longer ones */
            random_super(&sent, tap, 0xf9);
        while (sent.size > 65535);
        attach_queue(fd, IFF_ATTACH_QUEUE);
        OK(tuntap_detach(dev, &err));
        CHECK(send_super(out, tap, &sent) == 0);
        CHECK(read(fd, buf, sizeof buf) == (ssize_t)(header + sent.size));
        memcpy(&raw, buf, sizeof raw);
        CHECK(memcmp(buf + header, sent.packet, sent.size) == 0);
        OK(tuntap_attach(dev, &err));
        attach_queue(fd, IFF_DETACH_QUEUE);
        CHECK(send_super(out, tap, &sent) == 0);
        OK(tuntap_read_super(dev, &hdr, sizeof hdr, got.packet, sizeof got.packet, &err));
        CHECK(memcmp(got.packet, sent.packet, sent.size) == 0);
        tuntap_vnet_hdr wanted = decode(&raw);
        /* The kernel reports how much is in its first piece of memory, which may differ. */
        wanted.hdr_len = hdr.hdr_len;
        CHECK(memcmp(&wanted, &hdr, sizeof hdr) == 0 && hdr.csum_start == sent.hdr.csum_start);
    }
    attach_queue(fd, IFF_ATTACH_QUEUE);
    close(out);
}

/** Super-packets arrive that the emulator writes with its struct, and that the library writes with any function. */
static void both_write_the_same(int fd, tuntap *dev)
{
    int sock = bring_up("t0", TUNTAP_TUN);
    udp_super(&sent, 10, 100);
    struct virtio_net_hdr_mrg_rxbuf raw = encode(&sent.hdr);
    struct iovec parts[2] = {{&raw, sizeof raw}, {sent.packet, sent.size}};
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(writev(fd, parts, 2) == (ssize_t)(sizeof raw + sent.size));
        receives_super(sock, 10, 100);
        OK(tuntap_write_super(dev, &sent.hdr, sizeof sent.hdr, sent.packet, sent.size, &err));
        receives_super(sock, 10, 100);
    }
    /* The library reads and writes while the emulator's queue is detached. */
    attach_queue(fd, IFF_DETACH_QUEUE);
    every_read_function_works(dev);
    every_write_function_works(dev, sock);
    close(sock);
}

/** The library borrows the emulator's descriptor, and both use it. */
static void one_queue_is_shared(void)
{
    tuntap *dev;
    int fd = emulator_queue("t0", IFF_TUN), sock;
    OK(tuntap_open_fd(fd, TUNTAP_BORROW | TUNTAP_NONBLOCK, &dev, &err));
    sock = bring_up("t0", TUNTAP_TUN);
    int out = offload_socket("t0");
    udp_super(&sent, 10, 100);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(send_super(out, 0, &sent) == 0 && send_super(out, 0, &sent) == 0);
        ssize_t length = read(fd, buf, sizeof buf);
        CHECK(length == (ssize_t)(header + sent.size) && memcmp(buf + header, sent.packet, sent.size) == 0);
        tuntap_vnet_hdr hdr;
        OK(tuntap_read_super(dev, &hdr, sizeof hdr, got.packet, sizeof got.packet, &err));
        CHECK(memcmp(got.packet, sent.packet, sent.size) == 0);
        tuntap_vnet_hdr wanted = decode((const struct virtio_net_hdr_mrg_rxbuf *)buf);
        wanted.hdr_len = hdr.hdr_len;
        CHECK(memcmp(&hdr, &wanted, sizeof hdr) == 0);
    }
    every_read_function_works(dev);
    every_write_function_works(dev, sock);
    close(sock);
    close(out);
    tuntap_close(dev);
    close(fd);
}

/** Of two queues, the second belongs to the library, which opens it in each possible way. */
static void two_queues(int kind, int way)
{
    tuntap *dev, *first = NULL;
    int tap = kind == IFF_TAP, fd = emulator_queue("t0", kind);
    uint64_t flags = tap ? TUNTAP_TAP : TUNTAP_TUN;
    IP("link set t0 up txqueuelen 5000");
    flags |= TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE | TUNTAP_NONBLOCK;
    if (way == 0) {
        OK(tuntap_open_fd(emulator_queue("t0", kind), TUNTAP_NONBLOCK, &dev, &err));
    } else if (way == 1) {
        OK(tuntap_open("t0", flags, &dev, &err));
    } else {
        OK(tuntap_open("t0", flags, &first, &err));
        OK(tuntap_detach(first, &err));
        OK(tuntap_open_queue(first, TUNTAP_NONBLOCK, &dev, &err));
    }
    both_read_the_same(fd, dev, tap);
    if (!tap && kernel_has_uso())
        both_write_the_same(fd, dev);
    tuntap_close(dev);
    tuntap_close(first);
    close(fd);
    CHECK(!exists("t0"));
}

int main(void)
{
    begin();
    ipv4_only();
    for (int way = 0; way < 3; way++) {
        two_queues(IFF_TUN, way);
        two_queues(IFF_TAP, way);
    }
    needs_uso();
    one_queue_is_shared();
    return 0;
}
