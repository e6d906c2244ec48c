/* SPDX-License-Identifier: MIT */
/* tun.down() */
#include "test.h"

int main(void)
{
    tuntap *tun;
    begin();
    OK(tuntap_open(NULL, TUNTAP_TUN, &tun, &err));
    IP("link set tun0 up");
    OK(tuntap_down(tun, &err));
    IP_HAS_NOT("\"UP\"", "link show tun0");
    tuntap_close(tun);
    return 0;
}
