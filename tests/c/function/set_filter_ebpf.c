/* SPDX-License-Identifier: MIT */
#include "steering.h"

int main(void)
{
    uint8_t buf[100];
    begin();
    ipv4_only();
    tuntap *dev = device_up("t0", TUNTAP_TUN);
    int none = program_returning(0, BPF_PROG_TYPE_SOCKET_FILTER);
    int all = program_returning(INT32_MAX, BPF_PROG_TYPE_SOCKET_FILTER);
    int some = program_returning(24, BPF_PROG_TYPE_SOCKET_FILTER);
    send_flows(3);
    CHECK(drain(dev) == 3);
    OK(tuntap_set_filter_ebpf(dev, none, &err));
    send_flows(3);
    CHECK(drain(dev) == 0);
    OK(tuntap_set_filter_ebpf(dev, all, &err));
    send_flows(3);
    CHECK(drain(dev) == 3);
    OK(tuntap_set_filter_ebpf(dev, some, &err));
    send_flows(1);
    CHECK(tuntap_read(dev, buf, sizeof buf, &err) == 24);

    /* The kernel keeps the program until it is replaced or removed. */
    OK(tuntap_set_filter_ebpf(dev, none, &err));
    close(none);
    close(all);
    close(some);
    send_flows(3);
    CHECK(drain(dev) == 0);
    OK(tuntap_set_filter_ebpf(dev, -1, &err));
    OK(tuntap_set_filter_ebpf(dev, -1, &err));
    send_flows(3);
    CHECK(drain(dev) == 3);

    WRONG_PROGRAMS(tuntap_set_filter_ebpf, dev);
    tuntap_close(dev);
    return 0;
}
