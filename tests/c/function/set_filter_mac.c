/* SPDX-License-Identifier: MIT */
#include "steering.h"

/** Sends datagrams to stations whose MAC addresses end in 0 to 9. Returns a bit for each station whose datagram comes
 * out. */
static unsigned destinations_that_pass(tuntap *dev)
{
    uint8_t buf[2000];
    unsigned seen = 0;
    ssize_t length;
    for (unsigned i = 0; i < 10; i++) {
        char host[32];
        snprintf(host, sizeof host, "10.8.0.%u", 10 + i);
        int sock = udp_socket("10.8.0.1", 0);
        udp_send(sock, host, PORT, "hello", 5);
        close(sock);
    }
    while ((length = tuntap_read(dev, buf, sizeof buf, NULL)) > 0)
        if (length >= 14 + 20 && buf[12] == 8 && buf[13] == 0)
            seen |= 1U << buf[5];
    return seen;
}

/** Whether a frame to a multicast address comes out. */
static int multicast_passes(tuntap *dev, const char *group)
{
    int sock = udp_socket("10.8.0.1", 0);
    struct in_addr own = {.s_addr = inet_addr("10.8.0.1")};
    CHECK(setsockopt(sock, IPPROTO_IP, IP_MULTICAST_IF, &own, sizeof own) == 0);
    udp_send(sock, group, PORT, "hello", 5);
    close(sock);
    return drain(dev) > 0;
}

int main(void)
{
    uint8_t macs[10][6];
    begin();
    ipv4_only();
    tuntap *dev = device_up("t0", TUNTAP_TAP);
    for (uint8_t i = 0; i < 10; i++) {
        const uint8_t mac[6] = {2, 0, 0, 0, 0, i};
        memcpy(macs[i], mac, sizeof mac);
        IP("neigh replace 10.8.0.%d lladdr 02:00:00:00:00:%02x dev t0", 10 + i, i);
    }
    drain(dev);
    CHECK(destinations_that_pass(dev) == 0x3ff);

    OK(tuntap_set_filter_mac(dev, macs[3], 1, 0, &err));
    CHECK(destinations_that_pass(dev) == 1 << 3);
    CHECK(!multicast_passes(dev, "239.1.2.3"));
    OK(tuntap_set_filter_mac(dev, macs[1], 8, TUNTAP_ALL_MULTICAST, &err));
    CHECK(destinations_that_pass(dev) == 0x1fe);
    CHECK(multicast_passes(dev, "239.1.2.3"));

    /* Addresses after the eighth must be multicast addresses. The driver compares them by a hash. */
    static const uint8_t group[6] = {1, 0, 0x5e, 1, 2, 3};
    memcpy(macs[8], group, sizeof group);
    OK(tuntap_set_filter_mac(dev, macs[0], 9, 0, &err));
    CHECK(destinations_that_pass(dev) == 0xff);
    CHECK(multicast_passes(dev, "239.1.2.3"));
    CHECK(!multicast_passes(dev, "239.9.9.9"));
    FAILS(tuntap_set_filter_mac(dev, macs[0], 10, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    MESSAGE_HAS("eight");
    CHECK(destinations_that_pass(dev) == 0xff);

    FAILS(tuntap_set_filter_mac(dev, NULL, 1, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_filter_mac(dev, macs[0], 1, 2, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_set_filter_mac(dev, macs[0], 65536, 0, &err), EINVAL, TUNTAP_REASON_RANGE);
    FAILS(tuntap_set_filter_mac(NULL, macs[0], 1, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(destinations_that_pass(dev) == 0xff);

    OK(tuntap_set_filter_mac(dev, NULL, 0, 0, &err));
    CHECK(destinations_that_pass(dev) == 0x3ff);
    CHECK(multicast_passes(dev, "239.9.9.9"));
    IP("link delete t0");
    FAILS(tuntap_set_filter_mac(dev, macs[3], 1, 0, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);

    dev = device_up("t0", TUNTAP_TUN);
    FAILS(tuntap_set_filter_mac(dev, macs[3], 1, 0, &err), EOPNOTSUPP, TUNTAP_REASON_KIND);
    tuntap_close(dev);
    return 0;
}
