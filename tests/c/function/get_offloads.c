/* SPDX-License-Identifier: MIT */
#include "test.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static uint64_t offloads_of(tuntap *dev)
{
    uint64_t offloads = UINT64_MAX;
    OK(tuntap_get_offloads(dev, &offloads, &err));
    return offloads;
}

/** Offloads that are set by hand are reported. */
static void offloads_are_reported(tuntap *dev, unsigned long set, uint64_t expected)
{
    CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNSETOFFLOAD, set) == 0);
    CHECK(offloads_of(dev) == expected);
}

int main(void)
{
    enum { CHECKSUM = TUNTAP_F_CSUM, TSO4 = TUNTAP_F_TSO4, TSO6 = TUNTAP_F_TSO6 };
    tuntap *dev;
    begin();
    for (int kind = 0; kind < 2; kind++) {
        OK(tuntap_open("t0", kind ? TUNTAP_TAP : TUNTAP_TUN, &dev, &err));
        offloads_are_reported(dev, 0, 0);
        offloads_are_reported(dev, TUN_F_CSUM, CHECKSUM);
        offloads_are_reported(dev, TUN_F_CSUM | TUN_F_TSO4, CHECKSUM | TSO4);
        offloads_are_reported(dev, TUN_F_CSUM | TUN_F_TSO6, CHECKSUM | TSO6);
        offloads_are_reported(dev, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
                         CHECKSUM | TSO4 | TSO6 | TUNTAP_F_TSO_ECN);
        if (ioctl(tuntap_get_fd(dev, NULL), TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6) == 0)
            CHECK(offloads_of(dev) == (CHECKSUM | TUNTAP_F_USO4 | TUNTAP_F_USO6));
        if (ioctl(tuntap_get_fd(dev, NULL), TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | 0x080) == 0) {
            CHECK(offloads_of(dev) == (CHECKSUM | TSO4 | TUNTAP_F_UDP_TUNNEL_GSO));
            offloads_are_reported(dev, TUN_F_CSUM | TUN_F_TSO4 | 0x180,
                             CHECKSUM | TSO4 | TUNTAP_F_UDP_TUNNEL_GSO | TUNTAP_F_UDP_TUNNEL_GSO_CSUM);
        }
        IP("link delete t0");
        FAILS(tuntap_get_offloads(dev, &(uint64_t){0}, &err), ENODEV, TUNTAP_REASON_REMOVED);
        FAILS(tuntap_get_offloads(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        tuntap_close(dev);
    }
    FAILS(tuntap_get_offloads(NULL, &(uint64_t){0}, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    return 0;
}
