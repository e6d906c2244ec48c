/* SPDX-License-Identifier: MIT */
/* tap = TunTapDevice(flags=IFF_TAP) */
#include "test.h"

int main(void)
{
    tuntap *tap;
    begin();
    OK(tuntap_open(NULL, TUNTAP_TAP, &tap, &err));
    IP_HAS("\"info_kind\":\"tun\",\"info_data\":{\"type\":\"tap\"", "link show tap0");
    tuntap_close(tap);
    return 0;
}
