/* SPDX-License-Identifier: MIT */
/* tun.mtu = 1500; print tun.mtu */
#include "test.h"

int main(void)
{
    tuntap *tun;
    uint32_t mtu;
    begin();
    OK(tuntap_open(NULL, TUNTAP_TUN, &tun, &err));
    OK(tuntap_set_mtu(tun, 1400, &err));
    IP_HAS("\"mtu\":1400,", "link show tun0");
    IP("link set tun0 mtu 9000");
    OK(tuntap_get_mtu(tun, &mtu, &err));
    CHECK(mtu == 9000);
    tuntap_close(tun);
    return 0;
}
