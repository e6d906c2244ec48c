/* SPDX-License-Identifier: MIT
 *
 * tuntap_add_addr with TUNTAP_REPLACE. */
#include "announced.h"

static tuntap *dev;

static int replace(const tuntap_addr *addr)
{
    return tuntap_add_addr(dev, addr, sizeof *addr, TUNTAP_REPLACE, &err);
}

static void open_with_addresses(void)
{
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    IP("link set t0 addrgenmode none");
    IP("link set t0 up");
    IP("address add 10.8.0.1/24 brd + dev t0 label t0:one valid_lft 500 preferred_lft 400");
    IP("address add 10.8.0.2/24 brd + dev t0 label t0:two");
    IP("address add fd00::1/64 dev t0 nodad valid_lft 500 preferred_lft 400");
    wait_for_local("fd00::1 ");
    IP("route add 10.9.0.0/16 via 10.8.0.9 dev t0");
    IP("-6 route add fd09::/48 via fd00::9 dev t0");
}

/** The device always has the address, so the routes that need it stay. */
static void an_address_is_changed_in_place(void)
{
    open_with_addresses();
    tuntap_addr longer = {.addr = "10.8.0.1/24", .valid = 5000, .preferred = 4000, .metric = 77};
    tuntap_addr longer6 = {.addr = "fd00::1/64", .valid = 5000, .preferred = 4000};
    FAILS(tuntap_add_addr(dev, &longer, sizeof longer, 0, &err), EEXIST, TUNTAP_REASON_BUSY);
    FAILS(tuntap_add_addr(dev, &longer6, sizeof longer6, 0, &err), EEXIST, TUNTAP_REASON_BUSY);
    listen_to_changes();
    OK(replace(&longer));
    OK(replace(&longer6));
    longer.valid = longer.preferred = 0;
    longer.addr[strlen("10.8.0.1")] = 0; /* the present prefix */
    OK(replace(&longer));
    CHECK(announced(RTM_DELADDR) == 0);
    IP_HAS("\"local\":\"10.8.0.1\",\"prefixlen\":24,\"metric\":77,\"broadcast\":\"10.8.0.255\",\"scope\":\"global\","
           "\"label\":\"t0:one\",\"valid_life_time\":4294967295", "address show t0");
    IP_HAS("\"gateway\":\"10.8.0.9\"", "route show dev t0");
    IP_HAS("\"gateway\":\"fd00::9\"", "-6 route show dev t0");
    const char *said = strstr(output_of("ip -j -6 address show t0"), "\"valid_life_time\":");
    CHECK(said && atoi(said + 18) >= 4990);
    tuntap_close(dev);
}

/** The kernel cannot change the label or the prefix in place. The order of addresses and all other properties stay. */
static void an_address_is_removed_and_added_again(void)
{
    open_with_addresses();
    IP("address add 10.8.0.3/24 dev t0");
    tuntap_addr relabeled = {.addr = "10.8.0.1/24", .label = "t0:new"};
    tuntap_addr wider = {.addr = "fd00::1/48"};
    OK(replace(&relabeled));
    OK(replace(&wider));
    IP_HAS("\"local\":\"fd00::1\",\"prefixlen\":48,\"scope\":\"global\",\"nodad\":true,\"valid_life_time\":4294967295",
           "-6 address show t0");
    IP_HAS_NOT("\"prefixlen\":64", "-6 address show t0");
    const char *shown = output_of("ip -o -4 address show t0");
    const char *one = strstr(shown, "10.8.0.1/24 brd 10.8.0.255 scope global t0:new\\"), *two = strstr(shown, "t0:two");
    CHECK(one && two && one < two && two < strstr(shown, "10.8.0.3/24"));
    tuntap_addr with_peer = {.addr = "10.8.0.1/24", .peer = "10.8.0.7"};
    OK(replace(&with_peer));
    IP_HAS("\"local\":\"10.8.0.1\",\"address\":\"10.8.0.7\",\"prefixlen\":24", "address show t0");
    IP_HAS_NOT("\"local\":\"10.8.0.1\",\"prefixlen\"", "address show t0");
    tuntap_close(dev);
}

static void a_failed_replacement_changes_nothing(void)
{
    open_with_addresses();
    tuntap_addr relabeled = {.addr = "10.8.0.1/24", .label = "t0:new"};
    tuntap_addr longer = {.addr = "10.8.0.1/24", .valid = 5000};
    char *before = strdup(output_of("ip -4 address show t0 | sed 's/[0-9]*sec/sec/g'; ip -4 route show dev t0"));
    refused_type = RTM_NEWADDR;
    FAILS(replace(&relabeled), ENOMEM, TUNTAP_REASON_SYSTEM);
    refused_type = RTM_NEWADDR;
    FAILS(replace(&longer), ENOMEM, TUNTAP_REASON_SYSTEM);
    if (strcmp(before, output_of("ip -4 address show t0 | sed 's/[0-9]*sec/sec/g'; ip -4 route show dev t0")) != 0)
        fail(__FILE__, __LINE__, before, output_of("ip -4 address show t0; ip -4 route show dev t0"));
    free(before);
    lost_type = RTM_NEWADDR;
    OK(replace(&longer));
    CHECK(strstr(output_of("ip -4 address show t0"), "valid_lft 5000sec preferred_lft 5000sec") ||
          strstr(output_of("ip -4 address show t0"), "valid_lft 4999sec preferred_lft 4999sec"));
    tuntap_addr absent = {.addr = "10.20.0.1/16"};
    OK(replace(&absent));
    IP_HAS("\"local\":\"10.20.0.1\"", "address show t0");
    tuntap_close(dev);
}

/** An open that fails later restores the device. */
static void a_failed_open_restores_the_addresses(void)
{
    tuntap_config *config;
    tuntap_addr longer = {.addr = "10.8.0.1/24", .valid = 5000}, relabeled = {.addr = "10.8.0.2/24", .label = "t0:new"};
    tuntap_route wrong = {.destination = "10.12.0.0/16", .gateway = "198.51.100.1"};
    static const char *const all = "ip -4 address show t0 | sed 's/[0-9]*sec/sec/g'; ip -4 route show dev t0";
    open_with_addresses();
    IP("address change 10.8.0.1/24 dev t0 valid_lft forever preferred_lft forever");
    OK(tuntap_set_persist(dev, 1, &err));
    tuntap_close(dev);
    IP("link set t0 up");
    wait_for_no_carrier("t0");
    char *before = strdup(output_of("%s", all));
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_add_addr(config, &longer, sizeof longer, TUNTAP_REPLACE, &err));
    OK(tuntap_config_add_addr(config, &relabeled, sizeof relabeled, TUNTAP_REPLACE, &err));
    OK(tuntap_config_add_route(config, &wrong, sizeof wrong, 0, &err));
    CHECK(tuntap_open_config("t0", TUNTAP_TAP, config, &dev, &err) < 0);
    MESSAGE_HAS("option route: ");
    wait_for_no_carrier("t0");
    if (strcmp(before, output_of("%s", all)) != 0)
        fail(__FILE__, __LINE__, before, output_of("%s", all));
    free(before);
    tuntap_config_free(config);
    IP("link delete t0");
}

int main(void)
{
    begin();
    an_address_is_changed_in_place();
    an_address_is_removed_and_added_again();
    a_failed_replacement_changes_nothing();
    a_failed_open_restores_the_addresses();
    return 0;
}
