/* SPDX-License-Identifier: MIT */
#include "test.h"

static tuntap_info devices[40];

/** The entry of the device with this name. The test fails if there is none. */
static const tuntap_info *find_device(const char *name)
{
    memset(devices, 0x55, sizeof devices);
    ssize_t count = tuntap_list(devices, 40, sizeof *devices, &err);
    CHECK(count >= 0 && count <= 40);
    for (ssize_t i = 0; i < count; i++)
        if (strcmp(devices[i].name, name) == 0)
            return &devices[i];
    fail(__FILE__, __LINE__, "not listed", name);
    return NULL;
}

/** The list has the same devices as ip(8), with the same values. */
static void the_list_is_what_ip_shows(void)
{
    char command[200];
    ssize_t count = tuntap_list(devices, 40, sizeof *devices, &err);
    CHECK(count == atoi(output_of("ip -j link show type tun | grep -o '\"ifname\"' | wc -l")));
    for (ssize_t i = 0; i < count; i++) {
        const tuntap_info *it = &devices[i];
        snprintf(command, sizeof command, "link show dev %s", it->name);
        CHECK(it->index == if_nametoindex(it->name));
        char mtu[40], index[40];
        snprintf(mtu, sizeof mtu, "\"mtu\":%u", (unsigned)it->mtu);
        snprintf(index, sizeof index, "\"ifindex\":%u", (unsigned)it->index);
        IP_HAS(mtu, "%s", command);
        IP_HAS(index, "%s", command);
        IP_SAYS(it->up, "\"UP\"", "%s", command);
        IP_SAYS((it->flags & TUNTAP_TUN) != 0, "\"type\":\"tun\"", "%s", command);
        IP_SAYS((it->flags & TUNTAP_TAP) != 0, "\"type\":\"tap\"", "%s", command);
        IP_SAYS((it->flags & TUNTAP_PI) != 0, "\"pi\":true", "%s", command);
        IP_SAYS((it->flags & TUNTAP_OFFLOAD) != 0, "\"vnet_hdr\":true", "%s", command);
        IP_SAYS((it->flags & TUNTAP_MULTI_QUEUE) != 0, "\"multi_queue\":true", "%s", command);
        IP_SAYS((it->flags & TUNTAP_PERSIST) != 0, "\"persist\":true", "%s", command);
        IP_SAYS(it->owner != TUNTAP_NO_ID, "\"user\"", "%s", command);
        /* Each link also has a "group" that is not the group of the device's users. */
        const char *groups = output_of("ip -j -d link show dev %s | grep -o '\"group\":' | wc -l", it->name);
        CHECK(atoi(groups) == (it->group != TUNTAP_NO_ID ? 2 : 1));
    }
}

static void each_device_is_listed_and_nothing_else(void)
{
    IP("link add v0 type veth peer name v1");
    IP("link add bridge0 type bridge");
    CHECK(tuntap_list(devices, 40, sizeof *devices, &err) == 0);
    CHECK(tuntap_list(NULL, 0, sizeof *devices, &err) == 0);
    IP("tuntap add t0 mode tun");
    IP("tuntap add t1 mode tap pi multi_queue");
    IP("tuntap add fifteen-bytes-x mode tap vnet_hdr user 0 group 0");
    IP("link set t1 mtu 1400 address 02:00:00:00:00:09 up");
    tuntap *dev;
    OK(tuntap_open("t3", TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE, &dev, &err));
    CHECK(tuntap_list(NULL, 0, sizeof *devices, &err) == 4);
    the_list_is_what_ip_shows();
    CHECK(find_device("t0")->flags == (TUNTAP_TUN | TUNTAP_PERSIST) && find_device("t0")->owner == TUNTAP_NO_ID);
    const tuntap_info *it = find_device("t1");
    CHECK(it->flags == (TUNTAP_TAP | TUNTAP_PI | TUNTAP_MULTI_QUEUE | TUNTAP_PERSIST));
    CHECK(it->mtu == 1400 && it->up && !it->carrier && memcmp(it->mac, "\2\0\0\0\0\11", 6) == 0);
    it = find_device("fifteen-bytes-x");
    CHECK(it->flags == (TUNTAP_TAP | TUNTAP_OFFLOAD | TUNTAP_PERSIST) && it->owner == 0 && it->group == 0);
    it = find_device("t3");
    CHECK(it->flags == (TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE) && it->carrier && !it->up);
    CHECK(memcmp(it->mac, "\0\0\0\0\0\0", 6) == 0);
    tuntap_close(dev);
    CHECK(tuntap_list(NULL, 0, sizeof *devices, &err) == 3);
}

/** The call writes as many entries as fit. In longer entries it clears the members of a later version. */
static void entries_have_the_size_that_the_caller_gives(void)
{
    struct {
        tuntap_info info;
        uint8_t later[8];
    } longer[3];
    memset(longer, 0x55, sizeof longer);
    CHECK(tuntap_list(&longer[0].info, 2, sizeof longer[0], &err) == 3);
    for (int i = 0; i < 2; i++)
        CHECK(longer[i].info.name[0] && memcmp(longer[i].later, "\0\0\0\0\0\0\0", 8) == 0);
    CHECK(longer[2].info.index == 0x55555555);
    FAILS(tuntap_list(NULL, 1, sizeof *devices, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list(devices, 1, sizeof *devices - 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list(devices, 1, 4097, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_list(devices, SIZE_MAX, sizeof *devices, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(tuntap_list(NULL, 1, sizeof *devices, NULL) == -EINVAL);
}

/** The call lists the devices of the thread's network namespace, without any privilege. */
static void only_devices_of_the_namespace_are_listed(void)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    CHECK(tuntap_list(devices, 40, sizeof *devices, &err) == 0);
    IP("tuntap add t9 mode tun");
    drop_privileges();
    CHECK(tuntap_list(devices, 40, sizeof *devices, &err) == 1 && strcmp(devices[0].name, "t9") == 0);
}

int main(void)
{
    begin();
    each_device_is_listed_and_nothing_else();
    UNCHANGED(CHECK(tuntap_list(devices, 40, sizeof *devices, &err) == 3));
    entries_have_the_size_that_the_caller_gives();
    only_devices_of_the_namespace_are_listed();
    return 0;
}
