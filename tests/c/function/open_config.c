/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>

enum { USER = 1234, OTHER = 1235 };

static tuntap_config *config;
static int home;

static void a_failed_open_leaves_no_new_device(uint64_t flags)
{
    tuntap *dev = NULL;
    int before = descriptors();
    OK(tuntap_config_set_owner(config, USER, &err));
    OK(tuntap_config_set_group(config, UINT32_MAX, &err));
    FAILS(tuntap_open_config("t0", flags, config, &dev, &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("set the group of t0 to 4294967295");
    CHECK(!dev && !exists("t0") && descriptors() == before);
}

/** The kernel cannot unset an owner or a group, so the open must find out in time that it will fail. */
static void a_failed_open_does_not_change_an_existing_device(const char *prepared, uint64_t flags, uint32_t uid,
                                                            uint32_t gid)
{
    tuntap *dev = NULL;
    IP("tuntap add dev t0 %s", prepared);
    OK(tuntap_config_set_owner(config, uid, &err));
    OK(tuntap_config_set_group(config, gid, &err));
    UNCHANGED(FAILS(tuntap_open_config("t0", flags, config, &dev, &err), EINVAL, TUNTAP_REASON_RANGE));
    CHECK(!dev);
    IP("link delete t0");
}

/** One of ethtool's features of t0. */
static uint32_t feature(uint32_t command)
{
    struct ethtool_value value = {.cmd = command};
    struct ifreq request = {.ifr_name = "t0", .ifr_data = (void *)&value};
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(sock >= 0 && ioctl(sock, SIOCETHTOOL, &request) == 0);
    close(sock);
    return value.data;
}

/** The device still has its prepared modes, and what only its descriptor or ethtool reports. */
static void is_prepared(int modes)
{
    int size = 0;
    CHECK(feature(ETHTOOL_GTXCSUM) == 1 && feature(ETHTOOL_GTSO) == 0);
    IP_HAS(modes & IFF_NO_PI ? "\"pi\":false" : "\"pi\":true", "link show t0");
    IP_HAS(modes & IFF_VNET_HDR ? "\"vnet_hdr\":true" : "\"vnet_hdr\":false", "link show t0");
    int fd = join_by_hand("t0", modes);
    CHECK(fd >= 0 && ioctl(fd, TUNGETVNETHDRSZ, &size) == 0 && size == 12);
    close(fd);
}

/** The driver keeps the virtio header size, the offloads, and the modes. An open of an idle device changes them. */
static void a_failed_open_restores_what_the_driver_keeps(int modes, uint64_t flags, int netns)
{
    tuntap *dev = NULL;
    tuntap_config *wrong;
    int size = 12, fd;
    OK(tuntap_config_new(&wrong, &err));
    OK(tuntap_config_set_mtu(wrong, 70000, &err));
    if (netns >= 0)
        OK(tuntap_config_set_netns_fd(wrong, netns, &err));
    INSIDE(netns >= 0 ? netns : home, {
        fd = join_by_hand("t0", modes);
        CHECK(fd >= 0 && ioctl(fd, TUNSETVNETHDRSZ, &size) == 0 && ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM) == 0);
        CHECK(ioctl(fd, TUNSETPERSIST, 1) == 0);
        close(fd);
        is_prepared(modes);
    });
    int before = descriptors();
    FAILS(tuntap_open_config("t0", flags, wrong, &dev, &err), EINVAL, TUNTAP_REASON_RANGE);
    CHECK(!dev && descriptors() == before);
    INSIDE(netns >= 0 ? netns : home, {
        is_prepared(modes);
        IP("link delete t0");
    });
    tuntap_config_free(wrong);
}

static void one_config_serves_several_opens(void)
{
    tuntap *a, *b, *c;
    OK(tuntap_config_set_owner(config, USER, &err));
    OK(tuntap_config_set_group(config, OTHER, &err));
    OK(tuntap_open_config("t%d", TUNTAP_TUN, config, &a, &err));
    OK(tuntap_open_config("t%d", TUNTAP_TAP, config, &b, &err));
    OK(tuntap_open_config("t%d", TUNTAP_TAP, NULL, &c, &err));
    for (int i = 0; i < 2; i++) {
        IP_HAS("\"user\":1234", "link show t%d", i);
        IP_HAS("\"group\":1235", "link show t%d", i);
    }
    IP_HAS_NOT("\"user\"", "link show t2");
    tuntap_close(a);
    tuntap_close(b);
    tuntap_close(c);
}

/** An unprivileged user cannot create a device or open a device of another user, but can use a device that he owns. */
static void an_owner_needs_no_privilege(const char *node)
{
    tuntap *dev;
    uint8_t buf[1500];
    IP("tuntap add dev mine mode tun user %d", USER);
    IP("address add 10.8.0.1/24 dev mine");
    IP("link set mine up mtu 1400");
    IP("tuntap add dev theirs mode tun user %d", OTHER);
    IP("tuntap add dev nobodys mode tap");
    tuntap_config_free(config);
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_node(config, node, &err));
    become(USER, USER);

    FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    MESSAGE_HAS("CAP_NET_ADMIN");
    FAILS(tuntap_open_config("theirs", TUNTAP_TUN, config, &dev, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    MESSAGE_HAS("belongs to user 1235");
    /* Linux 6.12 and 6.13 let an unprivileged user open only a device with a matching owner or group. */
    int result = tuntap_open_config("nobodys", TUNTAP_TAP, config, &dev, &err);
    CHECK(result == 0 || (result == -EPERM && kernel_is(6, 12) && !kernel_is(6, 14)));
    if (result == 0)
        tuntap_close(dev);

    OK(tuntap_config_set_owner(config, USER, &err));
    OK(tuntap_open_config("mine", TUNTAP_TUN | TUNTAP_PERSIST, config, &dev, &err));
    OK(tuntap_up(dev, &err));
    OK(tuntap_set_mtu(dev, 1400, &err));
    OK(tuntap_set_addr(dev, "10.8.0.1/24", &err));
    OK(tuntap_set_addr(dev, "10.8.0.1", &err));
    OK(tuntap_set_netmask(dev, "255.255.255.0", &err));
    OK(tuntap_set_owner(dev, USER, &err));

    int sock = udp_socket("10.8.0.1", PORT);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    OK(tuntap_read(dev, buf, sizeof buf, &err));
    is_udp_packet(buf, UDP_OVERHEAD + 5, "10.8.0.2", "hello", 5);
    size_t length = udp_packet(buf, "10.8.0.2", "10.8.0.1", PORT, "and back", 8);
    OK(tuntap_write(dev, buf, length, &err));
    udp_receives(sock, "and back", 8);
    close(sock);
    tuntap_close(dev);
    CHECK(exists("mine"));
}

int main(void)
{
    const char *node = begin_with_users();
    needs_other_users();
    ipv4_only();
    OK(tuntap_config_new(&config, &err));
    FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    a_failed_open_leaves_no_new_device(TUNTAP_TUN);
    a_failed_open_leaves_no_new_device(TUNTAP_TAP | TUNTAP_PERSIST);
    a_failed_open_does_not_change_an_existing_device("mode tun user 1235", TUNTAP_TUN, USER, UINT32_MAX);
    a_failed_open_does_not_change_an_existing_device("mode tap user 1235 group 1235", TUNTAP_TAP, UINT32_MAX, USER);
    a_failed_open_does_not_change_an_existing_device("mode tun", TUNTAP_TUN, USER, UINT32_MAX);
    a_failed_open_does_not_change_an_existing_device("mode tap group 1235", TUNTAP_TAP, USER, UINT32_MAX);
    a_failed_open_does_not_change_an_existing_device("mode tun user 1235", TUNTAP_TUN | TUNTAP_PI, USER, UINT32_MAX);
    home = own_netns();
    int away = new_netns();
    a_failed_open_restores_what_the_driver_keeps(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, TUNTAP_TUN | TUNTAP_OFFLOAD, -1);
    a_failed_open_restores_what_the_driver_keeps(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, TUNTAP_TAP | TUNTAP_PI, -1);
    a_failed_open_restores_what_the_driver_keeps(IFF_TUN, TUNTAP_TUN | TUNTAP_OFFLOAD, -1);
    a_failed_open_restores_what_the_driver_keeps(IFF_TUN | IFF_VNET_HDR, TUNTAP_TUN | TUNTAP_OFFLOAD, away);
    close(away);
    close(home);
    one_config_serves_several_opens();
    an_owner_needs_no_privilege(node);
    tuntap_config_free(config);
    return 0;
}
