/* SPDX-License-Identifier: MIT
 *
 * Big-endian headers on a kernel that is not built for them, as few are: between the library and the kernel this program
 * plays one that is. It answers TUNGETVNETBE and TUNSETVNETBE, and turns round the numbers of each header that passes. */
#include "../vnet.h"

#include <dlfcn.h>

static int is_big, turned;

static uint8_t whole[256 + LARGEST + 10];

/** The numbers of a header, in the other byte order. */
static void turn(uint8_t *bytes, int size)
{
    for (int at = 2; at + 1 < size && at < 12; at += 2) {
        uint8_t first = bytes[at];
        bytes[at] = bytes[at + 1];
        bytes[at + 1] = first;
    }
    turned++;
}

static long kernel(long number, long a, long b, long c)
{
    static long (*next)(long, ...);
    if (!next) {
        void *found = dlsym(RTLD_NEXT, "syscall");
        memcpy(&next, &found, sizeof next);
    }
    return next(number, a, b, c);
}

/** Bytes of the header, if this is a descriptor of a device that has one. */
static int header_of_fd(int fd)
{
    struct ifreq request;
    int size = 0;
    memset(&request, 0, sizeof request);
    if (!is_big || kernel(SYS_ioctl, fd, TUNGETIFF, (long)&request) < 0 || !(request.ifr_flags & IFF_VNET_HDR))
        return 0;
    return kernel(SYS_ioctl, fd, TUNGETVNETHDRSZ, (long)&size) == 0 ? size : 0;
}

static long read_turned(int fd, const struct iovec *parts, int count, int header)
{
    long length = kernel(SYS_readv, fd, (long)parts, count), left = length;
    size_t at = 0;
    if (length < header)
        return length;
    for (int i = 0; i < count && left > 0; i++) {
        size_t part = parts[i].iov_len < (size_t)left ? parts[i].iov_len : (size_t)left;
        memcpy(whole + at, parts[i].iov_base, part);
        at += part;
        left -= (long)part;
    }
    turn(whole, header);
    at = 0;
    for (int i = 0; i < count && at < (size_t)header; i++) {
        memcpy(parts[i].iov_base, whole + at, parts[i].iov_len < (size_t)header - at ? parts[i].iov_len : (size_t)header - at);
        at += parts[i].iov_len;
    }
    return length;
}

static long write_turned(int fd, const struct iovec *parts, int count, int header)
{
    size_t length = 0;
    for (int i = 0; i < count; i++) {
        memcpy(whole + length, parts[i].iov_base, parts[i].iov_len);
        length += parts[i].iov_len;
    }
    turn(whole, header);
    return kernel(SYS_write, fd, (long)whole, (long)length);
}

/** What the library calls. As libc's own it takes as many arguments as any call has, from where there may be fewer. */
__attribute__((no_sanitize_address)) long syscall(long number, ...)
{
    long argument[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        argument[i] = va_arg(arguments, long);
    va_end(arguments);
    int passes = number == SYS_read || number == SYS_readv || number == SYS_write || number == SYS_writev;
    int header = passes ? header_of_fd((int)argument[0]) : 0;
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
    return number == SYS_read || number == SYS_readv ? read_turned((int)argument[0], parts, count, header)
                                                     : write_turned((int)argument[0], parts, count, header);
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
    return (int)kernel(SYS_ioctl, fd, (long)request, (long)data);
}

static void every_way_is_right(int size)
{
    tuntap *dev, *queue, *taken;
    tuntap_config *config;
    uint64_t flags = TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE;
    int little = -1;
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_vnet_hdr_size(config, (size_t)size, &err));
    OK(tuntap_config_set_vnet_endian(config, TUNTAP_ENDIAN_BIG, &err));
    is_big = turned = 0;
    OK(tuntap_open_config("t0", flags, config, &dev, &err));
    CHECK(is_big);
    every_function_is_right(dev);
    CHECK(turned > 20);
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_detach(dev, &err));
    every_function_is_right(queue);
    OK(tuntap_open_fd(tuntap_get_fd(queue, NULL), TUNTAP_BORROW, &taken, &err));
    every_function_is_right(taken);
    tuntap_close(taken);
    tuntap_close(queue);
    tuntap_close(dev);

    /* An existing one keeps it, and a failed open gives it back. */
    is_big = 1;
    prepare("t0", IFF_TUN, size);
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err));
    every_function_is_right(dev);
    tuntap_close(dev);
    OK(tuntap_config_set_vnet_endian(config, TUNTAP_ENDIAN_LITTLE, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, config, &dev, &err));
    CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNGETVNETLE, &little) == 0 && little == 1);
    is_big = 0; /* the one that counts for more is on */
    every_function_is_right(dev);
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
    every_way_is_right(10);
    every_way_is_right(12);
    every_way_is_right(100);
    return 0;
}
