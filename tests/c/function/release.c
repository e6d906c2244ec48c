/* SPDX-License-Identifier: MIT */
#include "netns.h"

/** Packets pass before, by the descriptor alone, and after it was taken back; and what was set stays. */
static void a_device_lives_on_with_its_descriptor(uint64_t flags)
{
    tuntap *dev;
    int before = descriptors(), fd = -1;
    uint64_t now;
    OK(tuntap_open("t0", flags, &dev, &err));
    int sock = take_up("t0", flags);
    unsigned index = if_nametoindex("t0");
    if (!(flags & TUNTAP_OFFLOAD))
        packets_flow(sock, dev, flags);
    OK(tuntap_set_sndbuf(dev, 123456, &err));
    int its = tuntap_get_fd(dev, NULL);
    OK(tuntap_release(dev, &fd, &err));
    CHECK(fd == its && descriptors() == before + 2);
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK));
    CHECK(if_nametoindex("t0") == index);
    IP_HAS("10.8.0.1", "address show dev t0");
    uint8_t buf[2000];
    udp_send(sock, "10.8.0.2", PORT, "raw", 3);
    wait_for(fd, POLLIN);
    CHECK(read(fd, buf, sizeof buf) > 0);
    CHECK(read(fd, buf, sizeof buf) == -1 && errno == EAGAIN);

    OK(tuntap_open_fd(fd, 0, &dev, &err));
    OK(tuntap_get_flags(dev, &now, &err));
    CHECK(now == flags);
    uint32_t sndbuf;
    OK(tuntap_get_sndbuf(dev, &sndbuf, &err));
    CHECK(sndbuf == 123456);
    if (!(flags & TUNTAP_OFFLOAD))
        packets_flow(sock, dev, flags);
    tuntap_close(dev);
    CHECK(!exists("t0"));
    close(sock);
    CHECK(descriptors() == before);
}

static void it_goes_with_its_descriptor(void)
{
    tuntap *dev;
    int fd;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    CHECK(tuntap_release(dev, &fd, NULL) == 0);
    CHECK(exists("t0"));
    close(fd);
    CHECK(!exists("t0"));
}

/** One of several queues, whose device is gone or not. */
static void a_queue_is_released(void)
{
    tuntap *dev, *queue;
    int fd;
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_release(queue, &fd, &err));
    tuntap_close(dev);
    CHECK(exists("t0"));
    OK(tuntap_open_fd(fd, 0, &dev, &err));
    IP("link delete t0");
    OK(tuntap_release(dev, &fd, &err));
    CHECK(ioctl(fd, TUNGETIFF, &(struct ifreq){.ifr_flags = 0}) == -1 && errno == EBADFD);
    close(fd);
}

/** Borrowed: the copy is given, and the caller's own stays. */
static void a_copy_is_released(void)
{
    tuntap *dev;
    int own = join_by_hand("t0", IFF_TUN | IFF_NO_PI), fd;
    OK(tuntap_open_fd(own, TUNTAP_BORROW, &dev, &err));
    OK(tuntap_release(dev, &fd, &err));
    CHECK(fd != own && fcntl(own, F_GETFD) >= 0);
    close(fd);
    CHECK(exists("t0"));
    close(own);
    CHECK(!exists("t0"));
}

static void who_holds_the_device_keeps_it(void)
{
    tuntap *dev;
    tuntap_reader *reader;
    tuntap_writer *writer;
    tuntap_monitor *monitor;
    int fd = 77;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    FAILS(tuntap_release(dev, &fd, &err), EBUSY, TUNTAP_REASON_BUSY);
    tuntap_reader_free(reader);
    FAILS(tuntap_release(dev, &fd, &err), EBUSY, TUNTAP_REASON_BUSY);
    CHECK(fd == 77 && tuntap_get_fd(dev, NULL) >= 0);
    tuntap_writer_free(writer);
    OK(tuntap_release(dev, &fd, &err));
    tuntap_monitor_close(monitor);
    close(fd);
}

static void nothing_is_released_where_that_cannot_be(void)
{
    tuntap *dev;
    int fd = 77;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    UNCHANGED(FAILS(tuntap_release(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT));
    FAILS(tuntap_release(NULL, &fd, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(tuntap_release(dev, NULL, NULL) == -EINVAL && fd == 77);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    a_device_lives_on_with_its_descriptor(TUNTAP_TUN);
    a_device_lives_on_with_its_descriptor(TUNTAP_TAP);
    a_device_lives_on_with_its_descriptor(TUNTAP_TUN | TUNTAP_PI);
    a_device_lives_on_with_its_descriptor(TUNTAP_TUN | TUNTAP_OFFLOAD);
    a_device_lives_on_with_its_descriptor(TUNTAP_TAP | TUNTAP_MULTI_QUEUE);
    it_goes_with_its_descriptor();
    a_queue_is_released();
    a_copy_is_released();
    who_holds_the_device_keeps_it();
    nothing_is_released_where_that_cannot_be();
    return 0;
}
