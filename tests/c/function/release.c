/* SPDX-License-Identifier: MIT */
#include "netns.h"

/** Packets flow before the release, through the descriptor alone, and through a new handle. All settings stay. */
static void a_released_device_keeps_its_settings_and_can_be_opened_again(uint64_t flags)
{
    tuntap *dev;
    int before = descriptors(), fd = -1;
    uint64_t now;
    OK(tuntap_open("t0", flags, &dev, &err));
    int sock = bring_up("t0", flags);
    unsigned index = if_nametoindex("t0");
    if (!(flags & TUNTAP_OFFLOAD))
        packets_flow(sock, dev, flags);
    OK(tuntap_set_sndbuf(dev, 123456, &err));
    int fd_before = tuntap_get_fd(dev, NULL);
    OK(tuntap_release(dev, &fd, &err));
    CHECK(fd == fd_before && descriptors() == before + 2);
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

static void closing_the_descriptor_removes_the_device(void)
{
    tuntap *dev;
    int fd;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    CHECK(tuntap_release(dev, &fd, NULL) == 0);
    CHECK(exists("t0"));
    close(fd);
    CHECK(!exists("t0"));
}

/** One of several queues can be released, also after its device was deleted. */
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

/** TUNTAP_BORROW: the library's copy is released, and the caller's descriptor stays open. */
static void the_copy_of_a_borrowed_descriptor_is_released(void)
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

static void a_reader_or_a_writer_prevents_a_release(void)
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

static void invalid_requests_release_nothing(void)
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
    a_released_device_keeps_its_settings_and_can_be_opened_again(TUNTAP_TUN);
    a_released_device_keeps_its_settings_and_can_be_opened_again(TUNTAP_TAP);
    a_released_device_keeps_its_settings_and_can_be_opened_again(TUNTAP_TUN | TUNTAP_PI);
    a_released_device_keeps_its_settings_and_can_be_opened_again(TUNTAP_TUN | TUNTAP_OFFLOAD);
    a_released_device_keeps_its_settings_and_can_be_opened_again(TUNTAP_TAP | TUNTAP_MULTI_QUEUE);
    closing_the_descriptor_removes_the_device();
    a_queue_is_released();
    the_copy_of_a_borrowed_descriptor_is_released();
    a_reader_or_a_writer_prevents_a_release();
    invalid_requests_release_nothing();
    return 0;
}
