/* SPDX-License-Identifier: MIT */
#include "vnet.h"

static const int one = 1;
static tuntap_config *config;

static int is_little_here(void)
{
    uint16_t word = 1;
    uint8_t first;
    memcpy(&first, &word, 1);
    return first;
}

static int is_on(int fd, unsigned long request)
{
    int on = -1;
    return ioctl(fd, request, &on) == 0 && on == 1;
}

/** It is so, and packets are right. */
static void a_device_has_it(uint32_t endian, uint64_t flags)
{
    tuntap *dev;
    OK(tuntap_config_set_vnet_endian(config, endian, &err));
    OK(tuntap_config_set_vnet_hdr_size(config, 12, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | flags, config, &dev, &err));
    every_function_is_right(dev);
    tuntap_close(dev);
}

/** What another program has set is kept where it is what is wanted, and given back where the open fails. */
static void what_is_so_is_left_alone(void)
{
    tuntap *dev;
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    CHECK(ioctl(fd, TUNSETVNETLE, &one) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0);
    close(fd);
    uint32_t wanted[] = {TUNTAP_ENDIAN_LITTLE, is_little_here() ? TUNTAP_ENDIAN_NATIVE : TUNTAP_ENDIAN_LITTLE};
    for (int i = 0; i < 2; i++) {
        OK(tuntap_config_set_vnet_endian(config, wanted[i], &err));
        OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, config, &dev, &err));
        CHECK(is_on(tuntap_get_fd(dev, NULL), TUNGETVNETLE));
        every_function_is_right(dev);
        tuntap_close(dev);
    }
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err));
    CHECK(is_on(tuntap_get_fd(dev, NULL), TUNGETVNETLE));
    every_function_is_right(dev);
    tuntap_close(dev);
    IP("link delete t0");
}

/** Big-endian headers on a little-endian machine are for kernels that are built for them. */
static void big_is_right_or_refused(void)
{
    tuntap *dev = NULL;
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    int crosses = !is_little_here() || ioctl(fd, TUNSETVNETBE, &one) == 0;
    close(fd);
    if (crosses) {
        a_device_has_it(TUNTAP_ENDIAN_BIG, 0);
        a_device_has_it(TUNTAP_ENDIAN_BIG, TUNTAP_MULTI_QUEUE);
        return;
    }
    OK(tuntap_config_set_vnet_endian(config, TUNTAP_ENDIAN_BIG, &err));
    FAILS(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, config, &dev, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    MESSAGE_HAS("option vnet_endian: open t0");
    MESSAGE_HAS("CONFIG_TUN_VNET_CROSS_LE");
    CHECK(!dev && !exists("t0"));

    fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    CHECK(ioctl(fd, TUNSETVNETLE, &one) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0);
    close(fd);
    OK(tuntap_config_set_vnet_hdr_size(config, 20, &err));
    FAILS(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, config, &dev, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    CHECK(!dev && is_on(fd, TUNGETVNETLE) && header_size(fd) == 10);
    close(fd);
    IP("link delete t0");
}

static void what_cannot_be_says_why(void)
{
    tuntap *dev = NULL;
    FAILS(tuntap_config_set_vnet_endian(config, 3, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    MESSAGE_HAS("TUNTAP_ENDIAN_");
    FAILS(tuntap_config_set_vnet_endian(config, UINT32_MAX, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_config_set_vnet_endian(NULL, TUNTAP_ENDIAN_NATIVE, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_config_free(config);
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_vnet_endian(config, TUNTAP_ENDIAN_NATIVE, &err));
    UNCHANGED(FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), EINVAL, TUNTAP_REASON_FLAGS));
    MESSAGE_HAS("option vnet_endian");
    CHECK(!dev);
}

int main(void)
{
    begin();
    ipv4_only();
    OK(tuntap_config_new(&config, &err));
    a_device_has_it(TUNTAP_ENDIAN_NATIVE, 0);
    a_device_has_it(TUNTAP_ENDIAN_LITTLE, 0);
    a_device_has_it(TUNTAP_ENDIAN_LITTLE, TUNTAP_MULTI_QUEUE);
    tuntap_config_free(config);
    OK(tuntap_config_new(&config, &err));
    what_is_so_is_left_alone();
    big_is_right_or_refused();
    what_cannot_be_says_why();
    tuntap_config_free(config);
    return 0;
}
