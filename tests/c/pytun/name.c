/* SPDX-License-Identifier: MIT */
/* print tun.name */
#include "test.h"

int main(void)
{
    tuntap *tun;
    char name[TUNTAP_NAME_SIZE];
    begin();
    OK(tuntap_open(NULL, TUNTAP_TUN, &tun, &err));
    IP("link set tun0 name office7");
    OK(tuntap_get_name(tun, name, sizeof name, &err));
    CHECK(strcmp(name, "office7") == 0);
    tuntap_close(tun);
    return 0;
}
