/* SPDX-License-Identifier: MIT
 *
 * Few kernels are built for big-endian virtio headers. This program simulates one between the library and the kernel:
 * it answers TUNGETVNETBE and TUNSETVNETBE, and swaps the bytes of the numbers in each header. */
#include "../vnet.h"

#include <dlfcn.h>

static int is_big, swapped;

static uint8_t whole[256 + LARGEST + 10];

/** Swaps the bytes of the numbers in a header. */
static void swap_header(uint8_t *bytes, int size)
{
    for (int at = 2; at + 1 < size && at < 12; at += 2) {
        uint8_t first = bytes[at];
        bytes[at] = bytes[at + 1];
        bytes[at + 1] = first;
    }
    swapped++;
}

static long real_syscall(long number, long a, long b, long c)
{
    static long (*next)(long, ...);
    if (!next) {
        void *found = dlsym(RTLD_NEXT, "syscall");
        memcpy(&next, &found, sizeof next);
    }
    return next(number, a, b, c);
}

/** The size of the virtio header if this is the descriptor of a device with one, otherwise 0. */
static int header_of_fd(int fd)
{
    struct ifreq request;
    int size = 0;
    memset(&request, 0, sizeof request);
    if (!is_big || real_syscall(SYS_ioctl, fd, TUNGETIFF, (long)&request) < 0 || !(request.ifr_flags & IFF_VNET_HDR))
        return 0;
    return real_syscall(SYS_ioctl, fd, TUNGETVNETHDRSZ, (long)&size) == 0 ? size : 0;
}

static long read_and_swap(int fd, const struct iovec *parts, int count, int header)
{
    long length = real_syscall(SYS_readv, fd, (long)parts, count), left = length;
    size_t at = 0;
    if (length < header)
        return length;
    for (int i = 0; i < count && left > 0; i++) {
        size_t part = parts[i].iov_len < (size_t)left ? parts[i].iov_len : (size_t)left;
        memcpy(whole + at, parts[i].iov_base, part);
        at += part;
        left -= (long)part;
    }
    swap_header(whole, header);
    at = 0;
    for (int i = 0; i < count && at < (size_t)header; i++) {
        memcpy(parts[i].iov_base, whole + at, parts[i].iov_len < (size_t)header - at ? parts[i].iov_len : (size_t)header - at);
        at += parts[i].iov_len;
    }
    return length;
}

static long swap_and_write(int fd, const struct iovec *parts, int count, int header)
{
    size_t length = 0;
    for (int i = 0; i < count; i++) {
        memcpy(whole + length, parts[i].iov_base, parts[i].iov_len);
        length += parts[i].iov_len;
    }
    swap_header(whole, header);
    return real_syscall(SYS_write, fd, (long)whole, (long)length);
}

/** The library calls this syscall(). Like that of the C library, it reads six arguments, even if there are fewer. */
__attribute__((no_sanitize_address)) long syscall(long number, ...)
{
    long argument[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        argument[i] = va_arg(arguments, long);
    va_end(arguments);
    int moves_packets = number == SYS_read || number == SYS_readv || number == SYS_write || number == SYS_writev;
    int header = moves_packets ? header_of_fd((int)argument[0]) : 0;
    if (header == 0) {
        static long (*next)(long, ...);
        void *found = dlsym(RTLD_NEXT, "syscall");
        memcpy(&next, &found, sizeof next);
        return next(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
    }
    struct iovec one = {(void *)argument[1], (size_t)argument[2]};
    int single = number == SYS_read || number == SYS_write;
    const struct iovec *parts = single ? &one : (const struct iovec *)argument[1];
    int count = single ? 1 : (int)argument[2];
    return number == SYS_read || number == SYS_readv ? read_and_swap((int)argument[0], parts, count, header)
                                                     : swap_and_write((int)argument[0], parts, count, header);
}

/** As the C library declares it. */
#ifdef __GLIBC__
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request;
#endif

int ioctl(int fd, ioctl_request given, ...)
{
    unsigned request = (unsigned)given;
    va_list arguments;
    va_start(arguments, given);
    void *data = va_arg(arguments, void *);
    va_end(arguments);
    if (request == TUNGETVNETBE) {
        *(int *)data = is_big;
        return 0;
    }
    if (request == TUNSETVNETBE) {
        is_big = *(const int *)data != 0;
        return 0;
    }
    return (int)real_syscall(SYS_ioctl, fd, (long)request, (long)data);
}

static void big_endian_headers_work(int size)
{
    tuntap *dev, *queue, *borrowed;
    tuntap_config *config;
    uint64_t flags = TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE;
    int little = -1;
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_vnet_hdr_size(config, (size_t)size, &err));
    OK(tuntap_config_set_vnet_endian(config, TUNTAP_ENDIAN_BIG, &err));
    is_big = swapped = 0;
    OK(tuntap_open_config("t0", flags, config, &dev, &err));
    CHECK(is_big);
    every_function_works(dev);
    CHECK(swapped > 20);
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_detach(dev, &err));
    every_function_works(queue);
    OK(tuntap_open_fd(tuntap_get_fd(queue, NULL), TUNTAP_BORROW, &borrowed, &err));
    every_function_works(borrowed);
    tuntap_close(borrowed);
    tuntap_close(queue);
    tuntap_close(dev);

    /* An existing device keeps the byte order, and a failed open restores it. */
    is_big = 1;
    prepare("t0", IFF_TUN, size);
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err));
    every_function_works(dev);
    tuntap_close(dev);
    OK(tuntap_config_set_vnet_endian(config, TUNTAP_ENDIAN_LITTLE, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, config, &dev, &err));
    CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNGETVNETLE, &little) == 0 && little == 1);
    is_big = 0; /* TUNSETVNETLE has precedence */
    every_function_works(dev);
    tuntap_close(dev);
    IP("link delete t0");

    is_big = 1;
    prepare("t0", IFF_TUN, size);
    dev = NULL;
    OK(tuntap_config_set_vnet_endian(config, TUNTAP_ENDIAN_NATIVE, &err));
    OK(tuntap_config_set_mtu(config, 70000, &err));
    FAILS(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, config, &dev, &err), EINVAL, TUNTAP_REASON_RANGE);
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    CHECK(is_big && !dev && ioctl(fd, TUNGETVNETLE, &little) == 0 && little == 0);
    close(fd);
    IP("link delete t0");
    tuntap_config_free(config);
}

int main(void)
{
    uint16_t word = 1;
    uint8_t first;
    memcpy(&first, &word, 1);
    if (!first)
        skip("this machine is big-endian");
    if (!dlsym(RTLD_NEXT, "syscall"))
        skip("a static program has one syscall(2)");
    begin();
    ipv4_only();
    big_endian_headers_work(10);
    big_endian_headers_work(12);
    big_endian_headers_work(100);
    return 0;
}
