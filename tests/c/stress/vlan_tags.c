/* SPDX-License-Identifier: MIT
 *
 * A writer of a TAP gets frames with any number of VLAN tags, mixed with frames of another flow. Sockets check that
 * every byte of each flow arrives, whatever was joined: UDP sockets on VLAN devices for 0 to 3 tags, and a raw socket
 * for more. */
#include "super.h"

#define DATAGRAMS 45
#define MOST_TAGS 16000

static uint8_t mac[6];

/** Makes a frame with `tags` VLAN tags, which count up from 5, and a UDP datagram with this identification. Returns its
 * size. */
static size_t make_frame(uint8_t *frame, size_t tags, size_t id, const char *to, unsigned port, const void *data,
                         size_t size)
{
    uint8_t *ip = frame + 14 + 4 * tags;
    memcpy(frame, mac, 6);
    memset(frame + 6, 2, 6);
    for (size_t i = 0; i < tags; i++) {
        put16(frame + 12 + 4 * i, 0x8100);
        put16(frame + 14 + 4 * i, 5 + i % 4000);
    }
    put16(ip - 2, ETH_P_IP);
    size_t length = udp_packet(ip, "10.8.0.2", to, port, data, size);
    put16(ip + 4, id);
    put16(ip + 10, 0);
    put16(ip + 10, checksum(ip, 20, 0));
    return 14 + 4 * tags + length;
}

static int large_socket(const char *address)
{
    int size = 1 << 22, fd = udp_socket(address, PORT);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    return fd;
}

static int raw_socket(const char *device)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int size = 1 << 22, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(fd >= 0 && (address.sll_ifindex = (int)if_nametoindex(device)) > 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

/** The raw socket receives this frame, among others. The kernel removes the first tag. */
static void raw_socket_receives(int raw, const uint8_t *frame, size_t size)
{
    static uint8_t got[LARGEST + 1];
    ssize_t length;
    do {
        wait_for(raw, POLLIN);
        length = recv(raw, got, sizeof got, 0);
        CHECK(length > 0);
    } while ((size_t)length != size - 4 || memcmp(got + 12, frame + 16, size - 16) != 0);
}

static void put_plain(tuntap_writer *writer)
{
    static uint8_t frame[2000], data[1400];
    for (size_t i = 0; i < DATAGRAMS; i++) {
        memset(data, (int)i, sizeof data);
        OK(tuntap_writer_put(writer, frame, make_frame(frame, 0, i, "10.8.0.1", PORT, data, sizeof data), &err));
    }
}

static void receive_plain(int sock)
{
    static uint8_t data[1400];
    for (size_t i = 0; i < DATAGRAMS; i++) {
        memset(data, (int)i, sizeof data);
        udp_receives(sock, data, sizeof data);
    }
    CHECK(!is_readable(sock));
}

/** Datagrams without a tag come before or after frames with many tags. */
static void packets_of_another_flow_do_not_change(tuntap_writer *writer, int sock, int raw, size_t tags, int before)
{
    static uint8_t many[3][LARGEST];
    size_t sizes[3];
    if (before)
        put_plain(writer);
    for (uint8_t i = 0; i < 3; i++) {
        sizes[i] = make_frame(many[i], tags, i, "10.8.0.1", 9, &i, 1);
        OK(tuntap_writer_put(writer, many[i], sizes[i], &err));
    }
    if (!before)
        put_plain(writer);
    OK(tuntap_writer_flush(writer, &err));
    receive_plain(sock);
    for (size_t i = 0; i < 3; i++)
        raw_socket_receives(raw, many[i], sizes[i]);
}

/** Makes a VLAN device on top of another one, with an address. */
static void add_vlan(const char *on, const char *name, unsigned id, const char *address)
{
    IP("link add link %s name %s type vlan id %u", on, name, id);
    IP("address add %s/24 dev %s", address, name);
    IP("link set %s up", name);
}

/** Datagrams with 0 to 3 tags, mixed, arrive at the sockets of each device. */
static void each_flow_arrives(tuntap_writer *writer, const char *const *addresses, const int *socks, size_t count)
{
    static uint8_t frame[2000], data[1000];
    for (size_t i = 0; i < 20; i++)
        for (size_t tags = 0; tags < count; tags++) {
            memset(data, (int)(16 * tags + i), sizeof data);
            size_t size = make_frame(frame, tags, i, addresses[tags], PORT, data, sizeof data);
            OK(tuntap_writer_put(writer, frame, size, &err));
        }
    OK(tuntap_writer_flush(writer, &err));
    for (size_t tags = 0; tags < count; tags++)
        for (size_t i = 0; i < 20; i++) {
            memset(data, (int)(16 * tags + i), sizeof data);
            udp_receives(socks[tags], data, sizeof data);
        }
}

int main(void)
{
    static const char *const addresses[] = {"10.8.0.1", "10.8.1.1", "10.8.2.1", "10.8.3.1"};
    static const size_t several[] = {3, 4, 7, 8, 9, 20, 39, 40, 41, 45, 46, 47, 55, 61, 62, 63, 80, 8000, MOST_TAGS};
    tuntap *dev;
    tuntap_writer *writer;
    int socks[4];
    begin();
    ipv4_only();
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_OFFLOAD, &dev, &err));
    OK(tuntap_get_mac(dev, mac, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    socks[0] = large_socket("10.8.0.1");
    int raw = raw_socket("t0");
    for (size_t i = 0; i < sizeof several / sizeof *several; i++)
        for (int before = 0; before < 2; before++)
            packets_of_another_flow_do_not_change(writer, socks[0], raw, several[i], before);
    close(raw);
    if (strstr(output_of("ip link add link t0 name v1 type vlan id 5 2>&1"), "nknown device type")) {
        printf("this kernel has no VLAN devices: those are not tested\n");
    } else {
        IP("link del v1");
        write_file("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
        add_vlan("t0", "v1", 5, "10.8.1.1");
        add_vlan("v1", "v2", 6, "10.8.2.1");
        add_vlan("v2", "v3", 7, "10.8.3.1");
        for (size_t i = 1; i < 4; i++)
            socks[i] = large_socket(addresses[i]);
        each_flow_arrives(writer, addresses, socks, 4);
        for (size_t i = 1; i < 4; i++)
            close(socks[i]);
    }
    close(socks[0]);
    tuntap_writer_free(writer);
    tuntap_close(dev);
    return 0;
}
