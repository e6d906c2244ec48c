/* SPDX-License-Identifier: MIT
 *
 * Virtio headers of any layout: the size that the driver reports, and packets through every read and write function. */
#ifndef VNET_H
#define VNET_H

#include "netns.h"
#include "super.h"

/** The size of the virtio header that the driver reports. */
UNUSED static int header_size(int fd)
{
    int size = 0;
    CHECK(ioctl(fd, TUNGETVNETHDRSZ, &size) == 0);
    return size;
}

/** Makes a persistent device with a virtio header of this size, as another program does. */
UNUSED static void prepare(const char *name, int modes, int size)
{
    int fd = join_by_hand(name, modes | IFF_NO_PI | IFF_VNET_HDR);
    CHECK(fd >= 0 && ioctl(fd, TUNSETVNETHDRSZ, &size) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0);
    close(fd);
}

/** The packet that was read is the packet at this place of the super-packet. */
static void reads(const struct packets *packets, size_t place, ssize_t length, const void *packet)
{
    if (length < 0)
        fail(__FILE__, __LINE__, "no packet", err.message);
    CHECK((size_t)length == length_of(packets, place) && memcmp(packet, packet_of(packets, place), (size_t)length) == 0);
}

/** Every function reads what goes out through t0 as it was sent: as packets, or as the super-packet. */
UNUSED static void every_read_function_works(tuntap *dev)
{
    static struct super sent;
    static struct packets packets;
    static uint8_t buf[LARGEST];
    tuntap_vnet_hdr hdr;
    tuntap_reader *reader;
    void *packet;
    size_t size = tuntap_read_size(dev), at;
    int out = offload_socket("t0");
    udp_super(&sent, 10, 100);
    clear(&packets);
    split_super(&sent, TUNTAP_TUN, &packets);
    CHECK(packets.count == 10);
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    for (int round = 0; round < 3; round++) {
        struct iovec parts[2] = {{buf, 30}, {buf + 30, size - 30}};
        CHECK(send_super(out, 0, &sent) == 0);
        for (at = 0; at < 7; at++)
            reads(&packets, at, tuntap_read(dev, buf, at == 5 ? 128 : size, &err), buf);
        reads(&packets, 7, tuntap_readv(dev, parts, 2, &err), buf);
        for (at = 8; at < 10; at++)
            reads(&packets, at, tuntap_read_timeout(dev, buf, size, 1000, &err), buf);

        CHECK(send_super(out, 0, &sent) == 0);
        memset(&hdr, 0x55, sizeof hdr);
        OK(tuntap_read_super(dev, &hdr, sizeof hdr, buf, size, &err));
        CHECK(memcmp(buf, sent.packet, sent.size) == 0);
        CHECK(hdr.flags == TUNTAP_VNET_HDR_F_NEEDS_CSUM && hdr.gso_type == TUNTAP_VNET_HDR_GSO_UDP_L4);
        CHECK(hdr.gso_size == 100 && hdr.csum_start == 20 && hdr.csum_offset == 6 && hdr.num_buffers == 0);

        CHECK(send_super(out, 0, &sent) == 0);
        for (at = 0; at < 10; at++) {
            ssize_t length = tuntap_reader_next(reader, &packet, &err);
            reads(&packets, at, length, packet);
        }
        CHECK(tuntap_reader_next(reader, &packet, &err) == 0);
    }
    tuntap_reader_free(reader);
    close(out);
}

/** The socket receives each packet that a function writes. */
UNUSED static void every_write_function_works(tuntap *dev, int sock)
{
    static struct super super;
    static struct packets packets;
    tuntap_writer *writer;
    uint8_t buf[200];
    size_t size = udp_packet(buf, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    for (int round = 0; round < 3; round++) {
        struct iovec parts[2] = {{buf, 30}, {buf + 30, size - 30}};
        CHECK(tuntap_write(dev, buf, size, &err) == (ssize_t)size);
        CHECK(tuntap_writev(dev, parts, 2, &err) == (ssize_t)size);
        CHECK(tuntap_write_timeout(dev, buf, size, 1000, &err) == (ssize_t)size);
        for (int i = 0; i < 3; i++)
            udp_receives(sock, "hello", 5);

        udp_super(&super, 10, 100);
        CHECK(tuntap_write_super(dev, &super.hdr, sizeof super.hdr, super.packet, super.size, &err) == (ssize_t)super.size);
        receives_super(sock, 10, 100);

        clear(&packets);
        split_super(&super, TUNTAP_TUN, &packets);
        for (size_t i = 0; i < packets.count; i++)
            OK(tuntap_writer_put(writer, packet_of(&packets, i), length_of(&packets, i), &err));
        OK(tuntap_writer_put(writer, buf, size, &err));
        OK(tuntap_writer_flush(writer, &err));
        for (size_t i = 0; i < 10; i++) {
            memset(super.packet, (int)i, 100);
            udp_receives(sock, super.packet, 100);
        }
        udp_receives(sock, "hello", 5);
    }
    tuntap_writer_free(writer);
}

/** The device is a TUN called t0. It gets 10.8.0.1/24 in this network namespace. */
UNUSED static void every_function_works(tuntap *dev)
{
    int sock = bring_up("t0", TUNTAP_TUN);
    every_read_function_works(dev);
    every_write_function_works(dev, sock);
    close(sock);
}

#endif
