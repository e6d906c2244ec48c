/* SPDX-License-Identifier: MIT */
/* tun.close() */
#include "test.h"

int main(void)
{
    tuntap *tun;
    begin();
    int before = descriptors();
    OK(tuntap_open("mytun", TUNTAP_TUN, &tun, &err));
    CHECK(exists("mytun"));
    tuntap_close(tun);
    CHECK(!exists("mytun"));
    CHECK(descriptors() == before);
    return 0;
}
