/* SPDX-License-Identifier: MIT
 *
 * A TAP for QEMU, with two queues and a virtio header of 12 bytes. The library makes the TAP. The test reads and writes
 * the descriptors itself, as QEMU does for the virtio driver of its guest. */
#include "vnet.h"

#include <linux/virtio_net.h>

enum { FLOWS = 32, ETHERNET = 14 };

/** A buffer of the guest. */
static struct {
    struct virtio_net_hdr_mrg_rxbuf hdr;
    uint8_t frame[65536];
} buffer;

static void open_queues(int queues[2])
{
    tuntap_config *config;
    tuntap *dev, *second;
    tuntap_addr address = {.addr = "10.8.0.1/24"};
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_vnet_hdr_size(config, sizeof buffer.hdr, &err));
    OK(tuntap_config_add_addr(config, &address, sizeof address, 0, &err));
    OK(tuntap_config_set_up(config, 1, &err));
    OK(tuntap_open_config("vm0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE | TUNTAP_OFFLOAD, config, &dev, &err));
    tuntap_config_free(config);
    OK(tuntap_open_queue(dev, 0, &second, &err));
    OK(tuntap_release(dev, &queues[0], &err));
    OK(tuntap_release(second, &queues[1], &err));
}

/** Computes the checksum that the virtio header leaves to the receiver of the packet. */
static void complete_checksum(void)
{
    size_t start = buffer.hdr.hdr.csum_start, field = start + buffer.hdr.hdr.csum_offset;
    size_t length = ETHERNET + ((size_t)buffer.frame[16] << 8 | buffer.frame[17]);
    if (buffer.hdr.hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
        put16(buffer.frame + field, checksum(buffer.frame + start, length - start, 0));
}

/** Each packet of the host comes to one queue. Both queues get packets. */
static void guest_receives(const int queues[2])
{
    int count[2] = {0, 0};
    uint8_t text[1] = {0};
    for (unsigned flow = 0; flow < FLOWS; flow++) {
        int sock = udp_socket("10.8.0.1", PORT + 1 + flow);
        text[0] = (uint8_t)flow;
        udp_send(sock, "10.8.0.2", PORT, text, 1);
        close(sock);
        struct pollfd ready[2] = {{queues[0], POLLIN, 0}, {queues[1], POLLIN, 0}};
        CHECK(poll(ready, 2, 20000) == 1);
        int queue = ready[1].revents != 0;
        ssize_t length = read(queues[queue], &buffer, sizeof buffer);
        CHECK(length == (ssize_t)sizeof buffer.hdr + ETHERNET + UDP_OVERHEAD + 1);
        CHECK(buffer.hdr.hdr.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM && buffer.hdr.hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE);
        complete_checksum();
        is_udp_packet(buffer.frame + ETHERNET, UDP_OVERHEAD + 1, "10.8.0.2", text, 1);
        count[queue]++;
    }
    CHECK(count[0] > 0 && count[1] > 0);
}

/** The socket receives what the guest sends through a queue. The host computes the checksum. */
static void guest_sends(int queue, const uint8_t *mac, int sock)
{
    uint8_t *ip = buffer.frame + ETHERNET;
    size_t length = udp_packet(ip, "10.8.0.2", "10.8.0.1", PORT, "guest", 5);
    memset(&buffer.hdr, 0, sizeof buffer.hdr);
    buffer.hdr.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    buffer.hdr.hdr.csum_start = ETHERNET + 20;
    buffer.hdr.hdr.csum_offset = 6;
    memcpy(buffer.frame, mac, 6);
    memcpy(buffer.frame + 6, "\2\0\0\0\0\2\x08\0", 8);
    put16(ip + 26, (uint16_t)~checksum(ip + 12, 8, IPPROTO_UDP + (uint32_t)(length - 20)));
    length += sizeof buffer.hdr + ETHERNET;
    CHECK(write(queue, &buffer, length) == (ssize_t)length);
    udp_receives(sock, "guest", 5);
}

int main(void)
{
    int queues[2];
    struct ifreq request = {.ifr_flags = 0};
    begin();
    ipv4_only();
    int before = descriptors();
    open_queues(queues);
    CHECK(descriptors() == before + 2);
    CHECK(header_size(queues[0]) == 12 && header_size(queues[1]) == 12);
    CHECK((flags_by_hand(queues[1]) & (IFF_TAP | IFF_MULTI_QUEUE | IFF_VNET_HDR)) == (IFF_TAP | IFF_MULTI_QUEUE | IFF_VNET_HDR));
    IP_HAS("\"numqueues\":2", "link show vm0");
    IP("neigh replace 10.8.0.2 lladdr 02:00:00:00:00:02 dev vm0 nud permanent");
    CHECK(ioctl(queues[0], SIOCGIFHWADDR, &request) == 0);

    guest_receives(queues);
    int sock = udp_socket("10.8.0.1", PORT);
    guest_sends(queues[0], (uint8_t *)request.ifr_hwaddr.sa_data, sock);
    guest_sends(queues[1], (uint8_t *)request.ifr_hwaddr.sa_data, sock);
    close(sock);

    close(queues[0]);
    CHECK(exists("vm0"));
    close(queues[1]);
    CHECK(!exists("vm0"));
    return 0;
}
