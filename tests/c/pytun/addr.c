/* SPDX-License-Identifier: MIT */
/* tun.addr = '10.8.0.1'; print tun.addr */
#include "test.h"

int main(void)
{
    tuntap *tun;
    char addr[TUNTAP_ADDR_SIZE];
    begin();
    OK(tuntap_open(NULL, TUNTAP_TUN, &tun, &err));
    OK(tuntap_set_addr(tun, "10.8.0.1", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":32", "address show tun0");
    IP("address flush dev tun0");
    IP("address add 10.8.0.7/24 dev tun0");
    OK(tuntap_get_addr(tun, addr, sizeof addr, &err));
    CHECK(strcmp(addr, "10.8.0.7") == 0);
    tuntap_close(tun);
    return 0;
}
