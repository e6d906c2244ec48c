/* SPDX-License-Identifier: MIT */
/* select([tun], [], []) */
#include "packet.h"

#include <sys/select.h>

/** Whether select(2) reports the device as readable within this many seconds. */
static int readable(tuntap *tun, int seconds)
{
    struct timeval limit = {.tv_sec = seconds};
    fd_set fds;
    FD_ZERO(&fds);
    FD_SET(tuntap_get_fd(tun, NULL), &fds);
    return select(tuntap_get_fd(tun, NULL) + 1, &fds, NULL, NULL, &limit);
}

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
    CHECK(readable(tun, 0) == 0);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    CHECK(readable(tun, 20) == 1);
    OK(tuntap_read(tun, buf, sizeof buf, &err));
    CHECK(readable(tun, 0) == 0);
    close(sock);
    tuntap_close(tun);
    return 0;
}
