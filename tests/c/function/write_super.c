/* SPDX-License-Identifier: MIT */
#include "super.h"

static struct super super;

static ssize_t write_it(tuntap *dev, tuntap_error *error)
{
    return tuntap_write_super(dev, &super.offload, super.packet, super.size, error);
}

static void refused(tuntap *dev, int number, uint32_t why)
{
    tuntap_stats before, after;
    OK(tuntap_get_stats(dev, &before, sizeof before, &err));
    FAILS(write_it(dev, &err), number, why);
    OK(tuntap_get_stats(dev, &after, sizeof after, &err));
    CHECK(after.rx_packets == before.rx_packets);
}

int main(void)
{
    tuntap *plain;
    begin();
    ipv4_only();
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);

    udp_super(&super, 40, 1000);
    CHECK(write_it(dev, NULL) == (ssize_t)super.size);
    receives_super(sock, 40, 1000);
    super.size = udp_packet(super.packet, "10.8.0.2", "10.8.0.1", PORT, "plain", 5);
    memset(&super.offload, 0, sizeof super.offload);
    CHECK(write_it(dev, NULL) == (ssize_t)super.size);
    udp_receives(sock, "plain", 5);

    udp_super(&super, 129, 10);
    refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    udp_super(&super, 4, 10);
    super.offload.flags = 0;
    refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    udp_super(&super, 4, 10);
    super.offload.checksum_start = 60000;
    refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    udp_super(&super, 4, 10);
    super.offload.kind = 77;
    refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    super.packet[0] = 0;
    refused(dev, EINVAL, TUNTAP_REASON_PACKET);
    FAILS(tuntap_write_super(NULL, &super.offload, super.packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_write_super(dev, NULL, super.packet, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_write_super(dev, &super.offload, NULL, 100, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    udp_super(&super, 4, 10);
    IP("link set t0 down");
    FAILS(write_it(dev, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    close(sock);
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TUN, &plain, &err));
    FAILS(write_it(plain, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    tuntap_close(plain);
    return 0;
}
