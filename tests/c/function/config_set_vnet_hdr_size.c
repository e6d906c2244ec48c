/* SPDX-License-Identifier: MIT */
#include "tunnel.h"
#include "vnet.h"

static const size_t sizes[] = {10, 11, 12, 20, 24, 64, 65, 100, 256};
enum { SIZES = sizeof sizes / sizeof *sizes };

static tuntap_config *config;

static void a_new_device_has_the_size(size_t size, uint64_t flags)
{
    tuntap *dev;
    size_t reported = 0;
    OK(tuntap_config_set_vnet_hdr_size(config, size, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | flags, config, &dev, &err));
    CHECK(header_size(tuntap_get_fd(dev, NULL)) == (int)size);
    OK(tuntap_get_vnet_hdr_size(dev, &reported, &err));
    CHECK(reported == size);
    every_function_works(dev);
    tuntap_close(dev);
}

/** A persistent device gets the size, whatever it had before, and keeps it. */
static void an_existing_device_gets_the_size(size_t size, int before, uint64_t flags)
{
    tuntap *dev;
    prepare("t0", IFF_TUN | (flags & TUNTAP_MULTI_QUEUE ? IFF_MULTI_QUEUE : 0), before);
    OK(tuntap_config_set_vnet_hdr_size(config, size, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | flags, config, &dev, &err));
    CHECK(header_size(tuntap_get_fd(dev, NULL)) == (int)size);
    every_function_works(dev);
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD | flags, &dev, &err));
    CHECK(header_size(tuntap_get_fd(dev, NULL)) == (int)size);
    every_function_works(dev);
    tuntap_close(dev);
    IP("link delete t0");
}

/** The user of another open queue reads with the header size that it knows, so the size must stay. */
static void a_device_with_another_queue_keeps_its_size(void)
{
    tuntap *dev, *other = NULL;
    uint64_t flags = TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE;
    OK(tuntap_open("t0", flags, &dev, &err));
    OK(tuntap_config_set_vnet_hdr_size(config, 12, &err));
    UNCHANGED(FAILS(tuntap_open_config("t0", flags, config, &other, &err), EBUSY, TUNTAP_REASON_BUSY));
    MESSAGE_HAS("option vnet_hdr_size: open t0");
    CHECK(!other && header_size(tuntap_get_fd(dev, NULL)) == new_header_size());
    OK(tuntap_detach(dev, &err));
    UNCHANGED(FAILS(tuntap_open_config("t0", flags, config, &other, &err), EBUSY, TUNTAP_REASON_BUSY));
    OK(tuntap_config_set_vnet_hdr_size(config, (size_t)new_header_size(), &err));
    OK(tuntap_open_config("t0", flags, config, &other, &err));
    every_function_works(other);
    tuntap_close(other);
    tuntap_close(dev);
}

static void a_failed_open_restores_the_size(void)
{
    static const int before[] = {10, 12, 300};
    tuntap *dev = NULL;
    tuntap_config *wrong;
    OK(tuntap_config_new(&wrong, &err));
    OK(tuntap_config_set_mtu(wrong, 70000, &err));
    OK(tuntap_config_set_vnet_hdr_size(wrong, 20, &err));
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        prepare("t0", IFF_TUN, before[i]);
        FAILS(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, wrong, &dev, &err), EINVAL, TUNTAP_REASON_RANGE);
        int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
        CHECK(!dev && header_size(fd) == before[i]);
        close(fd);
        IP("link delete t0");
    }
    tuntap_config_free(wrong);
}

static void invalid_requests_are_refused(void)
{
    static const size_t wrong[] = {0, 1, 9, 257, 4096, SIZE_MAX};
    tuntap *dev = NULL;
    OK(tuntap_config_set_vnet_hdr_size(config, 12, &err));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(tuntap_config_set_vnet_hdr_size(config, wrong[i], &err), EINVAL, TUNTAP_REASON_RANGE);
    MESSAGE_HAS("10 to 256");
    UNCHANGED(FAILS(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err), EINVAL, TUNTAP_REASON_FLAGS));
    MESSAGE_HAS("option vnet_hdr_size");
    CHECK(!dev && !exists("t0"));
    a_new_device_has_the_size(12, 0); /* a failed call does not change the config */
    FAILS(tuntap_config_set_vnet_hdr_size(NULL, 12, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
}

int main(void)
{
    begin();
    ipv4_only();
    OK(tuntap_config_new(&config, &err));
    for (int i = 0; i < SIZES; i++) {
        a_new_device_has_the_size(sizes[i], 0);
        a_new_device_has_the_size(sizes[i], TUNTAP_MULTI_QUEUE);
        an_existing_device_gets_the_size(sizes[i], i % 2 ? 1000 : 24, i % 3 ? TUNTAP_MULTI_QUEUE : 0);
    }
    a_device_with_another_queue_keeps_its_size();
    a_failed_open_restores_the_size();
    invalid_requests_are_refused();
    tuntap_config_free(config);
    return 0;
}
