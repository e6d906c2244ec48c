/* SPDX-License-Identifier: MIT */
/* tun = TunTapDevice() */
#include "test.h"

int main(void)
{
    tuntap *tun;
    begin();
    OK(tuntap_open(NULL, TUNTAP_TUN, &tun, &err));
    IP_HAS("\"info_kind\":\"tun\",\"info_data\":{\"type\":\"tun\"", "link show tun0");
    tuntap_close(tun);
    return 0;
}
