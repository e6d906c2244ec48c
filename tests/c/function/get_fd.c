/* SPDX-License-Identifier: MIT */
#include "packet.h"

/** The events that poll(2) reports now. */
static short events_of(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN | POLLOUT};
    CHECK(poll(&wanted, 1, 0) >= 0);
    return wanted.revents;
}

static void poll_reports_what_is_ready(uint64_t kind, size_t header)
{
    tuntap *dev;
    uint8_t buf[200];
    OK(tuntap_open("t0", kind, &dev, &err));
    int fd = tuntap_get_fd(dev, NULL);
    CHECK(events_of(fd) == 0);
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    if (header)
        IP("neigh add 10.8.0.2 lladdr 02:00:00:00:00:02 dev t0 nud permanent");
    CHECK(events_of(fd) == POLLOUT);

    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    wait_for(fd, POLLIN);
    CHECK(read(fd, buf, sizeof buf) == (ssize_t)header + UDP_OVERHEAD + 5);
    is_udp_packet(buf + header, UDP_OVERHEAD + 5, "10.8.0.2", "hello", 5);
    CHECK(events_of(fd) == POLLOUT);
    close(sock);

    IP("link delete t0");
    wait_for(fd, POLLERR);
    CHECK(tuntap_get_fd(dev, NULL) == fd);
    tuntap_close(dev);
    CHECK(fcntl(fd, F_GETFD) == -1);
}

int main(void)
{
    tuntap *dev;
    struct ifreq request;
    begin();
    ipv4_only();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    int fd = tuntap_get_fd(dev, NULL);
    memset(&request, 0, sizeof request);
    CHECK(ioctl(fd, TUNGETIFF, &request) == 0);
    CHECK(strcmp(request.ifr_name, "t0") == 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(tuntap_get_fd(NULL, NULL) == -EINVAL);
    FAILS(tuntap_get_fd(NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_close(dev);
    poll_reports_what_is_ready(TUNTAP_TUN, 0);
    poll_reports_what_is_ready(TUNTAP_TAP, 14);
    return 0;
}
