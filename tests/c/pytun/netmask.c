/* SPDX-License-Identifier: MIT */
/* tun.netmask = '255.255.255.0'; print tun.netmask: the order of the calls and the result are those of pytun's
 * ioctls */
#include "test.h"

int main(void)
{
    tuntap *tun;
    char netmask[TUNTAP_ADDR_SIZE];
    begin();
    OK(tuntap_open(NULL, TUNTAP_TUN, &tun, &err));
    OK(tuntap_set_addr(tun, "10.8.0.1", &err));
    OK(tuntap_set_dstaddr(tun, "10.8.0.2", &err));
    OK(tuntap_set_netmask(tun, "255.255.255.0", &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.2\",\"prefixlen\":24", "address show tun0");
    IP("address flush dev tun0");
    IP("address add 10.8.0.1/20 dev tun0");
    OK(tuntap_get_netmask(tun, netmask, sizeof netmask, &err));
    CHECK(strcmp(netmask, "255.255.240.0") == 0);
    tuntap_close(tun);
    return 0;
}
