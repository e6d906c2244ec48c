/* SPDX-License-Identifier: MIT */
/* buf = tun.read(tun.mtu); tun.write(buf) */
#include "packet.h"

int main(void)
{
    tuntap *tun;
    uint8_t buf[1500];
    begin();
    ipv4_only();
    OK(tuntap_open(NULL, TUNTAP_TUN, &tun, &err));
    IP("address add 10.8.0.1/24 dev tun0");
    IP("link set tun0 up");

    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    OK(tuntap_read(tun, buf, sizeof buf, &err));
    is_udp_packet(buf, UDP_OVERHEAD + 5, "10.8.0.2", "hello", 5);

    size_t length = udp_packet(buf, "10.8.0.2", "10.8.0.1", PORT, "and back", 8);
    CHECK(tuntap_write(tun, buf, length, &err) == (ssize_t)length);
    udp_receives(sock, "and back", 8);
    close(sock);
    tuntap_close(tun);
    return 0;
}
