/* SPDX-License-Identifier: MIT */
#include "packet.h"

/** Packets that were queued when the device went down can still be read, and its addresses stay. */
static void a_device_that_goes_down_keeps_packets_and_addresses(void)
{
    tuntap *dev;
    uint8_t buf[1500];
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    OK(tuntap_down(dev, &err));
    IP_HAS_NOT("\"UP\"", "link show t0");
    IP_HAS("\"local\":\"10.8.0.1\"", "address show t0");
    OK(tuntap_down(dev, &err));
    OK(tuntap_read(dev, buf, sizeof buf, &err));
    is_udp_packet(buf, UDP_OVERHEAD + 5, "10.8.0.2", "hello", 5);
    close(sock);
    tuntap_close(dev);
}

static void only_a_change_needs_privilege(void)
{
    tuntap *up, *down;
    OK(tuntap_open("t0", TUNTAP_TUN, &up, &err));
    OK(tuntap_open("t1", TUNTAP_TAP, &down, &err));
    IP("link set t0 up");
    drop_privileges();
    OK(tuntap_down(down, &err));
    FAILS(tuntap_down(up, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    MESSAGE_HAS("take t0 down");
    IP_HAS("\"UP\"", "link show t0");
    tuntap_close(up);
    tuntap_close(down);
}

int main(void)
{
    tuntap *dev;
    begin();
    ipv4_only();
    a_device_that_goes_down_keeps_packets_and_addresses();
    FAILS(tuntap_down(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link delete t0");
    FAILS(tuntap_down(dev, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
    only_a_change_needs_privilege();
    return 0;
}
