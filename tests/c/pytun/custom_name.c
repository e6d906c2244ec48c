/* SPDX-License-Identifier: MIT */
/* tun = TunTapDevice(name='mytun') */
#include "test.h"

int main(void)
{
    tuntap *tun;
    begin();
    OK(tuntap_open("mytun", TUNTAP_TUN, &tun, &err));
    CHECK(exists("mytun"));
    tuntap_close(tun);
    return 0;
}
