/* SPDX-License-Identifier: MIT */
#include "tunnel.h"
#include "vnet.h"

/** The size of a device that another program made, for each way to open a handle. */
static void the_size_is_that_of_the_device(int size)
{
    tuntap *dev, *queue, *borrowed;
    size_t reported = 0;
    uint64_t flags = TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE;
    prepare("t0", IFF_TUN | IFF_MULTI_QUEUE, size);
    OK(tuntap_open("t0", flags, &dev, &err));
    OK(tuntap_get_vnet_hdr_size(dev, &reported, &err));
    CHECK(reported == (size_t)size);
    every_function_works(dev);

    reported = 0;
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_detach(dev, &err));
    OK(tuntap_get_vnet_hdr_size(queue, &reported, &err));
    CHECK(reported == (size_t)size);
    every_function_works(queue);
    tuntap_close(queue);

    reported = 0;
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE);
    OK(tuntap_open_fd(fd, 0, &borrowed, &err));
    OK(tuntap_get_vnet_hdr_size(borrowed, &reported, &err));
    CHECK(reported == (size_t)size);
    every_function_works(borrowed);
    tuntap_close(borrowed);
    tuntap_close(dev);
    IP("link delete t0");
}

/** Only a queue that is opened later sees the change of another program. Older handles then read and write wrong
 * packets, but stay within the caller's memory. */
static void the_size_is_that_at_the_open(uint64_t kind)
{
    tuntap *dev, *queue;
    size_t reported = 0;
    int longer = 12;
    uint8_t buf[200];
    OK(tuntap_open("t0", kind | TUNTAP_MULTI_QUEUE | TUNTAP_OFFLOAD | TUNTAP_NONBLOCK, &dev, &err));
    int fd = join_by_hand("t0", (kind & TUNTAP_TAP ? IFF_TAP : IFF_TUN) | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE);
    CHECK(fd >= 0 && ioctl(fd, TUNSETVNETHDRSZ, &longer) == 0);
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    CHECK(header_size(fd) == 12);
    close(fd);
    OK(tuntap_get_vnet_hdr_size(dev, &reported, &err));
    CHECK(reported == (size_t)new_header_size());
    OK(tuntap_get_vnet_hdr_size(queue, &reported, &err));
    CHECK(reported == 12);

    OK(tuntap_detach(queue, &err));
    int sock = bring_up("t0", kind);
    memset(buf, 0xa5, sizeof buf);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    CHECK(tuntap_read(dev, buf, 20, NULL) <= 20 && buf[20] == 0xa5);
    CHECK(tuntap_write(dev, buf, 100, NULL) <= 100);
    OK(tuntap_detach(dev, &err));
    OK(tuntap_attach(queue, &err));
    packets_flow(sock, queue, kind);
    close(sock);
    tuntap_close(queue);
    tuntap_close(dev);
}

static void invalid_requests_are_refused(void)
{
    tuntap *dev = NULL;
    size_t reported = 7;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    FAILS(tuntap_get_vnet_hdr_size(dev, &reported, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("TUNTAP_OFFLOAD");
    CHECK(reported == 7);
    tuntap_close(dev);
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err));
    FAILS(tuntap_get_vnet_hdr_size(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_get_vnet_hdr_size(NULL, &reported, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    tuntap_close(dev);

    /* No virtio header is so long. The library does not guess a size. */
    dev = NULL;
    prepare("t0", IFF_TUN, 257);
    FAILS(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("open t0: its virtio header has 257 bytes");
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    CHECK(header_size(fd) == 257);
    FAILS(tuntap_open_fd(fd, 0, &dev, &err), EINVAL, TUNTAP_REASON_MISMATCH);
    CHECK(!dev && header_size(fd) == 257);
    close(fd);
    IP("link delete t0");
}

int main(void)
{
    static const int sizes[] = {10, 11, 12, 20, 24, 63, 64, 65, 256};
    begin();
    ipv4_only();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        the_size_is_that_of_the_device(sizes[i]);
    the_size_is_that_at_the_open(TUNTAP_TUN);
    the_size_is_that_at_the_open(TUNTAP_TAP);
    invalid_requests_are_refused();
    return 0;
}
