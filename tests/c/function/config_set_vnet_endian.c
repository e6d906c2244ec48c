/* SPDX-License-Identifier: MIT */
#include "vnet.h"

static const int one = 1;
static tuntap_config *config;

static int host_is_little_endian(void)
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

/** A device opens with this byte order, and every function reads and writes correct packets. */
static void a_device_works_in_this_byte_order(uint32_t endian, uint64_t flags)
{
    tuntap *dev;
    OK(tuntap_config_set_vnet_endian(config, endian, &err));
    OK(tuntap_config_set_vnet_hdr_size(config, 12, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | flags, config, &dev, &err));
    every_function_works(dev);
    tuntap_close(dev);
}

/** The open does not change a byte order of another program that is already the wanted one. */
static void a_matching_byte_order_is_kept(void)
{
    tuntap *dev;
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    CHECK(ioctl(fd, TUNSETVNETLE, &one) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0);
    close(fd);
    uint32_t wanted[] = {TUNTAP_ENDIAN_LITTLE, host_is_little_endian() ? TUNTAP_ENDIAN_NATIVE : TUNTAP_ENDIAN_LITTLE};
    for (int i = 0; i < 2; i++) {
        OK(tuntap_config_set_vnet_endian(config, wanted[i], &err));
        OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, config, &dev, &err));
        CHECK(is_on(tuntap_get_fd(dev, NULL), TUNGETVNETLE));
        every_function_works(dev);
        tuntap_close(dev);
    }
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err));
    CHECK(is_on(tuntap_get_fd(dev, NULL), TUNGETVNETLE));
    every_function_works(dev);
    tuntap_close(dev);
    IP("link delete t0");
}

/** On a little-endian machine only a kernel with CONFIG_TUN_VNET_CROSS_LE supports big-endian headers. */
static void big_endian_works_or_is_refused(void)
{
    tuntap *dev = NULL;
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    int supported = !host_is_little_endian() || ioctl(fd, TUNSETVNETBE, &one) == 0;
    close(fd);
    if (supported) {
        a_device_works_in_this_byte_order(TUNTAP_ENDIAN_BIG, 0);
        a_device_works_in_this_byte_order(TUNTAP_ENDIAN_BIG, TUNTAP_MULTI_QUEUE);
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

static void invalid_requests_are_refused(void)
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
    a_device_works_in_this_byte_order(TUNTAP_ENDIAN_NATIVE, 0);
    a_device_works_in_this_byte_order(TUNTAP_ENDIAN_LITTLE, 0);
    a_device_works_in_this_byte_order(TUNTAP_ENDIAN_LITTLE, TUNTAP_MULTI_QUEUE);
    tuntap_config_free(config);
    OK(tuntap_config_new(&config, &err));
    a_matching_byte_order_is_kept();
    big_endian_works_or_is_refused();
    invalid_requests_are_refused();
    tuntap_config_free(config);
    return 0;
}
