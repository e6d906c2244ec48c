/* SPDX-License-Identifier: MIT */
#include "packet.h"

static uint8_t buf[1 << 20];

static tuntap *ready(uint64_t flags)
{
    tuntap *dev;
    OK(tuntap_open("t0", flags, &dev, &err));
    IP("link set t0 up");
    IP("address add 10.8.0.1/24 dev t0");
    if (flags & TUNTAP_TAP)
        IP("link set t0 address 02:00:00:00:00:01");
    return dev;
}

/** Makes a packet for 10.8.0.1 with the headers that this kind of device needs. Returns the length. */
static size_t make_packet(uint64_t flags, const void *data, size_t size)
{
    uint8_t *at = buf;
    if (flags & TUNTAP_PI) {
        memcpy(at, "\0\0\x08\0", 4);
        at += 4;
    }
    if (flags & TUNTAP_TAP) {
        memcpy(at, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14);
        at += 14;
    }
    return (size_t)(at - buf) + udp_packet(at, "10.8.0.2", "10.8.0.1", PORT, data, size);
}

static void a_packet_reaches_its_socket(uint64_t flags)
{
    tuntap *dev = ready(flags);
    int sock = udp_socket("10.8.0.1", PORT);
    for (size_t size = 0; size <= 1472; size += 368) {
        static const uint8_t data[1472] = "data";
        size_t length = make_packet(flags, data, size);
        CHECK(tuntap_write(dev, buf, length, &err) == (ssize_t)length);
        udp_receives(sock, data, size);
    }
    IP_HAS("\"rx\":{\"bytes\":", "-s link show t0");
    const char *rx = strstr(output_of("ip -j -s link show t0"), "\"rx\":{\"bytes\":");
    CHECK(strstr(rx, "\"packets\":5,\"errors\":0,\"dropped\":0"));
    close(sock);
    tuntap_close(dev);
}

static void is_refused(tuntap *dev, const void *packet, size_t size, const char *why)
{
    FAILS(tuntap_write(dev, packet, size, &err), EINVAL, TUNTAP_REASON_PACKET);
    CHECK(strstr(err.message, why));
    CHECK(tuntap_write(dev, packet, size, NULL) == -EINVAL);
}

static void invalid_packets_are_refused(void)
{
    tuntap *dev = ready(TUNTAP_TUN);
    make_packet(TUNTAP_TUN, "data", 4);
    is_refused(dev, buf, 3, "3 bytes given, not an IP packet");
    is_refused(dev, buf, 1, "1 byte given");
    is_refused(dev, buf, 0, "0 bytes given");
    is_refused(dev, buf, 19, "too short");
    buf[0] = 0x55;
    is_refused(dev, buf, 32, "neither 4 nor 6");
    buf[0] = 0x60;
    is_refused(dev, buf, 39, "too short");
    buf[0] = 0x45;
    FAILS(tuntap_write(dev, buf, sizeof buf, &err), EMSGSIZE, TUNTAP_REASON_PACKET);
    FAILS(tuntap_write(dev, buf, 65536, &err), EMSGSIZE, TUNTAP_REASON_PACKET);
    MESSAGE_HAS("65536 bytes given");
    FAILS(tuntap_write(dev, buf, 0, &err), EINVAL, TUNTAP_REASON_PACKET);
    MESSAGE_HAS("it is empty");
    FAILS(tuntap_write(dev, NULL, 20, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_write(NULL, buf, 20, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strstr(output_of("ip -j -s link show t0"), "\"rx\":{\"bytes\":0,\"packets\":0"));
    tuntap_close(dev);

    dev = ready(TUNTAP_TAP);
    is_refused(dev, buf, 13, "not an Ethernet frame");
    tuntap_close(dev);
    dev = ready(TUNTAP_TUN | TUNTAP_PI);
    is_refused(dev, buf, 3, "packet-information");
    tuntap_close(dev);
}

static void a_device_that_is_down_or_removed_is_reported(void)
{
    tuntap *dev = ready(TUNTAP_TUN);
    size_t length = make_packet(TUNTAP_TUN, "data", 4);
    IP("link set t0 down");
    FAILS(tuntap_write(dev, buf, length, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    MESSAGE_HAS("tuntap_up");
    CHECK(tuntap_write(dev, buf, length, NULL) == -ENETDOWN);
    IP("link delete t0");
    FAILS(tuntap_write(dev, buf, length, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    a_packet_reaches_its_socket(TUNTAP_TUN);
    a_packet_reaches_its_socket(TUNTAP_TUN | TUNTAP_PI);
    a_packet_reaches_its_socket(TUNTAP_TAP);
    a_packet_reaches_its_socket(TUNTAP_TAP | TUNTAP_PI);
    invalid_packets_are_refused();
    a_device_that_is_down_or_removed_is_reported();
    return 0;
}
