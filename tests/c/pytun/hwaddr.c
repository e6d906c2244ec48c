/* SPDX-License-Identifier: MIT */
/* tap.hwaddr = '\x00\x11\x22\x33\x44\x55'; print tap.hwaddr */
#include "test.h"

int main(void)
{
    tuntap *tap;
    uint8_t mac[TUNTAP_MAC_SIZE] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55};
    begin();
    OK(tuntap_open(NULL, TUNTAP_TAP, &tap, &err));
    OK(tuntap_set_mac(tap, mac, &err));
    IP_HAS("\"address\":\"00:11:22:33:44:55\"", "link show tap0");
    IP("link set tap0 address 02:00:00:00:00:07");
    OK(tuntap_get_mac(tap, mac, &err));
    CHECK(memcmp(mac, "\2\0\0\0\0\7", 6) == 0);
    tuntap_close(tap);
    return 0;
}
