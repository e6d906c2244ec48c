/* SPDX-License-Identifier: MIT */
/* tun.persist(True) */
#include "test.h"

int main(void)
{
    tuntap *tun;
    begin();
    OK(tuntap_open("mytun", TUNTAP_TUN, &tun, &err));
    OK(tuntap_set_persist(tun, 1, &err));
    tuntap_close(tun);
    IP_HAS("\"persist\":true", "link show mytun");
    OK(tuntap_open("mytun", TUNTAP_TUN, &tun, &err));
    OK(tuntap_set_persist(tun, 0, &err));
    tuntap_close(tun);
    CHECK(!exists("mytun"));
    return 0;
}
