/* SPDX-License-Identifier: MIT */
#include "test.h"

static const uint8_t one[] = {0x02, 0, 0, 0, 0, 1}, two[] = {0x02, 0, 0, 0, 0, 2};

static void the_address_is_set_while_down_and_while_up(tuntap *tap)
{
    OK(tuntap_set_mac(tap, one, &err));
    IP_HAS("\"address\":\"02:00:00:00:00:01\"", "link show t0");
    IP("link set t0 up");
    OK(tuntap_set_mac(tap, two, &err));
    IP_HAS("\"address\":\"02:00:00:00:00:02\"", "link show t0");
}

static void group_and_zero_addresses_are_refused(tuntap *tap)
{
    static const uint8_t zeros[6], group[] = {0x01, 0, 0x5e, 0, 0, 1}, broadcast[] = {255, 255, 255, 255, 255, 255};
    FAILS(tuntap_set_mac(tap, zeros, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(tuntap_set_mac(tap, group, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    MESSAGE_HAS("01:00:5e:00:00:01");
    FAILS(tuntap_set_mac(tap, broadcast, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    IP_HAS("\"address\":\"02:00:00:00:00:02\"", "link show t0");
}

int main(void)
{
    tuntap *tap, *tun;
    begin();
    OK(tuntap_open("t0", TUNTAP_TAP, &tap, &err));
    OK(tuntap_open("t1", TUNTAP_TUN, &tun, &err));
    the_address_is_set_while_down_and_while_up(tap);
    group_and_zero_addresses_are_refused(tap);
    FAILS(tuntap_set_mac(tun, one, &err), EOPNOTSUPP, TUNTAP_REASON_KIND);
    FAILS(tuntap_set_mac(tap, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_set_mac(NULL, one, &err), EINVAL, TUNTAP_REASON_ARGUMENT);

    tuntap *gone;
    OK(tuntap_open("t2", TUNTAP_TAP, &gone, &err));
    IP("link delete t2");
    FAILS(tuntap_set_mac(gone, one, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(gone);

    /* Without privilege, only the present address can be set. */
    drop_privileges();
    OK(tuntap_set_mac(tap, two, &err));
    FAILS(tuntap_set_mac(tap, one, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    IP_HAS("\"address\":\"02:00:00:00:00:02\"", "link show t0");
    tuntap_close(tap);
    FAILS(tuntap_set_mac(tun, one, &err), EOPNOTSUPP, TUNTAP_REASON_KIND);
    tuntap_close(tun);
    return 0;
}
