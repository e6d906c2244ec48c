/* SPDX-License-Identifier: MIT */
#include "test.h"

static tuntap_config *config;

static void all_addresses_are_added(uint64_t kind)
{
    tuntap *dev;
    OK(tuntap_open_config("t0", kind, config, &dev, &err));
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24,", "address show t0");
    IP_HAS("\"local\":\"10.8.1.1\",\"address\":\"10.8.1.2\",\"prefixlen\":32,", "address show t0");
    IP_HAS("\"local\":\"fd00::1\",\"prefixlen\":64,", "address show t0");
    IP_HAS("\"noprefixroute\":true", "address show t0 to fd00::1");
    tuntap_close(dev);
}

/** If one address is refused, an existing device keeps its addresses and gets no new ones. */
static void no_address_is_added_when_one_is_refused(void)
{
    tuntap *dev = NULL;
    IP("tuntap add dev t1 mode tap");
    IP("address add 192.0.2.1/24 dev t1 label t1:mine");
    IP("address add fd00::1/80 dev t1 nodad");
    char *before = strdup(output_of("ip -j -d address show t1"));
    FAILS(tuntap_open_config("t1", TUNTAP_TAP, config, &dev, &err), EEXIST, TUNTAP_REASON_BUSY);
    MESSAGE_HAS("option addr: add the address fd00::1/64 to t1");
    CHECK(!dev && strcmp(before, output_of("ip -j -d address show t1")) == 0);
    free(before);

    /* If the MTU is too small for IPv6, the call changes nothing at any time. */
    OK(tuntap_config_set_mtu(config, 1279, &err));
    UNCHANGED(FAILS(tuntap_open_config("t2", TUNTAP_TUN, config, &dev, &err), EINVAL, TUNTAP_REASON_RANGE));
    MESSAGE_HAS("option addr: add the address fd00::1/64 to the device: IPv6 needs an MTU of 1280");
    CHECK(!dev);
}

int main(void)
{
    char addr[] = "10.8.0.1/24";
    begin();
    OK(tuntap_config_new(&config, &err));
    OK(config_add_addr(config, addr, NULL, 0, &err));
    addr[0] = 'x'; /* it was copied */
    OK(config_add_addr(config, "10.8.1.1", "10.8.1.2", 0, &err));
    OK(config_add_addr(config, "fd00::1/64", NULL, TUNTAP_ADDR_NODAD | TUNTAP_ADDR_NOPREFIXROUTE, &err));
    FAILS(config_add_addr(config, "10.8.0.1/33", NULL, 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(config_add_addr(config, "10.8.0.1", "fd00::2", 0, &err), EINVAL, TUNTAP_REASON_ADDRESS);
    FAILS(config_add_addr(config, "10.8.9.1", NULL, 0x100, &err), EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_config_add_addr(config, addr_of("10.8.9.1", NULL, 0), sizeof(tuntap_addr), 2, &err), EINVAL,
          TUNTAP_REASON_FLAGS);
    FAILS(tuntap_config_add_addr(config, addr_of("10.8.9.1", NULL, 0), 1, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(config_add_addr(config, NULL, NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(config_add_addr(NULL, "10.8.0.1", NULL, 0, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    all_addresses_are_added(TUNTAP_TUN);
    all_addresses_are_added(TUNTAP_TAP);
    no_address_is_added_when_one_is_refused();
    tuntap_config_free(config);
    return 0;
}
