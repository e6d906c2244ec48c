/* SPDX-License-Identifier: MIT */
/* tun.up() */
#include "test.h"

int main(void)
{
    tuntap *tun;
    begin();
    OK(tuntap_open(NULL, TUNTAP_TUN, &tun, &err));
    IP_HAS_NOT("\"UP\"", "link show tun0");
    OK(tuntap_up(tun, &err));
    IP_HAS("\"UP\"", "link show tun0");
    tuntap_close(tun);
    return 0;
}
