/* SPDX-License-Identifier: MIT */
#include "test.h"

int main(void)
{
    tuntap *tap, *tun;
    uint8_t mac[8] = "untouche";
    begin();
    OK(tuntap_open("t0", TUNTAP_TAP, &tap, &err));
    OK(tuntap_open("t1", TUNTAP_TUN, &tun, &err));
    FAILS(tuntap_get_mac(tun, mac, &err), EOPNOTSUPP, TUNTAP_REASON_KIND);
    MESSAGE_HAS("t1 is a TUN");
    FAILS(tuntap_get_mac(NULL, mac, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_mac(tap, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(memcmp(mac, "untouche", 8) == 0);

    IP("link set t0 address 02:aa:bb:cc:dd:ee");
    OK(tuntap_get_mac(tap, mac, &err));
    CHECK(memcmp(mac, "\x02\xaa\xbb\xcc\xdd\xeehe", 8) == 0);
    IP("link delete t0");
    FAILS(tuntap_get_mac(tap, mac, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(tap);
    tuntap_close(tun);
    return 0;
}
