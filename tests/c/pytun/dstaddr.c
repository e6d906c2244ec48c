/* SPDX-License-Identifier: MIT */
/* tun.dstaddr = '10.8.0.2'; print tun.dstaddr */
#include "test.h"

int main(void)
{
    tuntap *tun;
    char dstaddr[TUNTAP_ADDR_SIZE];
    begin();
    OK(tuntap_open(NULL, TUNTAP_TUN, &tun, &err));
    OK(tuntap_set_addr(tun, "10.8.0.1", &err));
    OK(tuntap_set_dstaddr(tun, "10.8.0.2", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.2\",\"prefixlen\":32", "address show tun0");
    IP("address flush dev tun0");
    IP("address add 10.8.0.1 peer 10.8.0.9 dev tun0");
    OK(tuntap_get_dstaddr(tun, dstaddr, sizeof dstaddr, &err));
    CHECK(strcmp(dstaddr, "10.8.0.9") == 0);
    tuntap_close(tun);
    return 0;
}
