/* SPDX-License-Identifier: MIT */
#include "ready.h"

static uint8_t packet[70000], data[1472];
/** A TAP gets the MAC address that the frames of make_packet() are for. */
static tuntap *ready_with_mac(uint64_t flags)
{
    tuntap *dev = ready(flags);
    if (flags & TUNTAP_TAP)
        IP("link set t0 address 02:00:00:00:00:01");
    return dev;
}

/** Makes a packet for 10.8.0.1 with the headers that this kind of device needs. Returns the length. */
static size_t make_packet(uint64_t flags, size_t size)
{
    uint8_t *at = packet;
    if (flags & TUNTAP_PI) {
        memcpy(at, "\0\0\x08\0", 4);
        at += 4;
    }
    if (flags & TUNTAP_TAP) {
        memcpy(at, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14);
        at += 14;
    }
    return (size_t)(at - packet) + udp_packet(at, "10.8.0.2", "10.8.0.1", PORT, data, size);
}

/** Writes the packet in parts of these sizes, and the rest in one more part. Each part has its own memory. */
static ssize_t write_from(tuntap *dev, size_t length, const size_t *sizes, size_t count)
{
    struct iovec parts[20] = {{NULL, 0}};
    size_t done = 0;
    for (size_t i = 0; i <= count; i++) {
        size_t size = i < count && sizes[i] < length - done ? sizes[i] : length - done;
        parts[i] = (struct iovec){malloc(size + 1), size};
        CHECK(parts[i].iov_base);
        memcpy(parts[i].iov_base, packet + done, size);
        done += size;
    }
    ssize_t written = tuntap_writev(dev, parts, count + 1, &err);
    for (size_t i = 0; i <= count; i++)
        free(parts[i].iov_base);
    return written;
}

static void the_parts_make_one_packet(uint64_t flags)
{
    static const size_t divisions[][6] = {{0}, {0, 0, 0}, {1}, {4}, {14}, {0, 1, 0}, {4, 14, 20, 8}, {3, 2, 1, 0, 1, 1}};
    static const size_t counts[] = {0, 3, 1, 1, 1, 3, 4, 6};
    tuntap *dev = ready_with_mac(flags);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t size = 0; size <= 1472; size += 368) {
            size_t length = make_packet(flags, size);
            CHECK(write_from(dev, length, divisions[i], counts[i]) == (ssize_t)length);
            udp_receives(sock, data, size);
        }
    /* The kernel counted each write as one packet. */
    const char *rx = strstr(output_of("ip -j -s link show t0"), "\"rx\":{\"bytes\":");
    CHECK(rx && strstr(rx, "\"packets\":40,\"errors\":0,\"dropped\":0"));
    finish(dev);
}

static void up_to_1023_parts_are_accepted(void)
{
    static struct iovec parts[1023];
    tuntap *dev = ready_with_mac(TUNTAP_TUN);
    size_t length = make_packet(TUNTAP_TUN, 1200);
    for (size_t i = 0; i < 1023; i++)
        parts[i] = (struct iovec){packet + i, i < 1022 ? 1 : length - 1022};
    CHECK(tuntap_writev(dev, parts, 1023, &err) == (ssize_t)length);
    udp_receives(sock, data, 1200);
    finish(dev);
}

static void is_refused(tuntap *dev, struct iovec *parts, int count, int number, const char *why)
{
    FAILS(tuntap_writev(dev, parts, count, &err), number, TUNTAP_REASON_PACKET);
    if (!strstr(err.message, why))
        fail(__FILE__, __LINE__, why, err.message);
    CHECK(tuntap_writev(dev, parts, count, NULL) == -number);
}

/** The messages are the same as for a packet in one part. */
static void invalid_packets_are_refused(void)
{
    tuntap *dev = ready_with_mac(TUNTAP_TUN);
    make_packet(TUNTAP_TUN, 4);
    struct iovec parts[] = {{packet, 0}, {packet, 1}, {packet + 1, 18}, {packet + 19, 13}};
    is_refused(dev, parts, 1, EINVAL, "0 bytes given, not an IP packet");
    is_refused(dev, parts, 2, EINVAL, "1 byte given");
    is_refused(dev, parts, 3, EINVAL, "19 bytes given, not an IP packet: too short");
    packet[0] = 0x55;
    is_refused(dev, parts, 4, EINVAL, "neither 4 nor 6");
    packet[0] = 0x60;
    is_refused(dev, parts, 4, EINVAL, "too short");
    packet[0] = 0x45;
    struct iovec two[] = {{packet, 60000}, {packet, 5536}};
    is_refused(dev, two, 2, EMSGSIZE, "65536 bytes given");
    CHECK(strstr(output_of("ip -j -s link show t0"), "\"rx\":{\"bytes\":0,\"packets\":0"));
    CHECK(tuntap_writev(dev, parts, 4, &err) == 32);
    udp_receives(sock, data, 4);
    finish(dev);

    dev = ready_with_mac(TUNTAP_TAP);
    struct iovec frame[] = {{packet, 7}, {packet, 6}};
    is_refused(dev, frame, 2, EINVAL, "13 bytes given, not an Ethernet frame");
    finish(dev);
    dev = ready_with_mac(TUNTAP_TUN | TUNTAP_PI);
    struct iovec information[] = {{packet, 1}, {packet, 2}};
    is_refused(dev, information, 2, EINVAL, "3 bytes given, not a packet after a packet-information header");
    finish(dev);
}

static void invalid_lists_are_refused(void)
{
    static struct iovec parts[1024];
    static const size_t counts[] = {0, SIZE_MAX, SIZE_MAX / 16 + 2, 1024, INT32_MAX};
    tuntap *dev = ready_with_mac(TUNTAP_TUN);
    size_t length = make_packet(TUNTAP_TUN, 4);
    for (size_t i = 0; i < 1024; i++)
        parts[i] = (struct iovec){packet, i ? 0 : length};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        FAILS(tuntap_writev(dev, parts, counts[i], &err), EINVAL, TUNTAP_REASON_ARGUMENT);
        MESSAGE_HAS("parts: give 1 to 1023");
        CHECK(tuntap_writev(dev, parts, counts[i], NULL) == -EINVAL);
    }
    FAILS(tuntap_writev(dev, NULL, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_writev(NULL, parts, 1, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    parts[1] = (struct iovec){NULL, 0};
    FAILS(tuntap_writev(dev, parts, 2, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(strstr(output_of("ip -j -s link show t0"), "\"rx\":{\"bytes\":0,\"packets\":0"));
    finish(dev);
}

static void a_device_that_is_down_or_removed_is_reported(void)
{
    tuntap *dev = ready_with_mac(TUNTAP_TUN);
    size_t length = make_packet(TUNTAP_TUN, 4);
    struct iovec parts[] = {{packet, 20}, {packet + 20, length - 20}};
    IP("link set t0 down");
    FAILS(tuntap_writev(dev, parts, 2, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    IP("link delete t0");
    FAILS(tuntap_writev(dev, parts, 2, &err), ENODEV, TUNTAP_REASON_REMOVED);
    finish(dev);
}

static void the_parts_become_fragments(void)
{
    static const size_t sizes[17] = {42, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10};
    uint64_t flags = TUNTAP_TAP | TUNTAP_NAPI_FRAGS;
    tuntap *dev = ready_with_mac(flags);
    CHECK(flags_by_hand(tuntap_get_fd(dev, NULL)) & IFF_NAPI_FRAGS);
    /* Linux 6.3 and older have one fragment less where pages are larger than 4 KB. */
    size_t most = sysconf(_SC_PAGESIZE) > 4096 && !kernel_is(6, 4) ? 16 : 17;
    for (size_t count = 0; count <= most; count++) {
        size_t length = make_packet(flags, 1400);
        CHECK(write_from(dev, length, sizes, count) == (ssize_t)length);
        udp_receives(sock, data, 1400);
    }

    /* The kernel can be built for up to 45 fragments. */
    struct iovec parts[60];
    size_t length = make_packet(flags, 1400);
    for (size_t i = 0; i < 60; i++)
        parts[i] = (struct iovec){packet + 20 * i, i < 59 ? 20 : length - 1180};
    FAILS(tuntap_writev(dev, parts, 60, &err), EMSGSIZE, TUNTAP_REASON_PACKET);
    MESSAGE_HAS("in 18 parts");
    parts[1].iov_len = 0;
    FAILS(tuntap_writev(dev, parts, 3, &err), EINVAL, TUNTAP_REASON_PACKET);
    parts[1].iov_len = (size_t)sysconf(_SC_PAGESIZE) + 1;
    FAILS(tuntap_writev(dev, parts, 2, &err), EINVAL, TUNTAP_REASON_PACKET);
    CHECK(!is_readable(sock));

    /* The frame may be as long as the header says. Kernels before 6.1 and their updates accept longer ones. */
    static uint8_t frame[66000];
    make_packet(flags, 4);
    memcpy(frame, packet, 14);
    CHECK(tuntap_write(dev, frame, 65277, &err) == 65277);
    if (tuntap_write(dev, frame, 65535, &err) < 0) {
        FAILS(tuntap_write(dev, frame, 65535, &err), EMSGSIZE, TUNTAP_REASON_PACKET);
        MESSAGE_HAS("TUNTAP_NAPI_FRAGS accepts 65,277");
    }
    FAILS(tuntap_write(dev, frame, sizeof frame, &err), EMSGSIZE, TUNTAP_REASON_PACKET);
    MESSAGE_HAS("more than tuntap_read_size");
    finish(dev);
}

static void do_nothing(int number)
{
    (void)number;
}

static void it_waits_like_write(void)
{
    tuntap *dev = full_device(0, 1);
    struct iovec parts[] = {{(void *)stray_frame, 14}, {(void *)(stray_frame + 14), sizeof stray_frame - 14}};
    start_signals(do_nothing, SA_RESTART);
    FAILS(tuntap_writev(dev, parts, 2, &err), EINTR, TUNTAP_REASON_INTERRUPTED);
    stop_signals();
    tuntap_wake(dev);
    FAILS(tuntap_writev(dev, parts, 2, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    OK(tuntap_set_nonblock(dev, 1, &err));
    FAILS(tuntap_writev(dev, parts, 2, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    make_room();
    CHECK(tuntap_writev(dev, parts, 2, &err) == sizeof stray_frame);
    close_full_device(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    the_parts_make_one_packet(TUNTAP_TUN);
    the_parts_make_one_packet(TUNTAP_TUN | TUNTAP_PI);
    the_parts_make_one_packet(TUNTAP_TAP);
    the_parts_make_one_packet(TUNTAP_TAP | TUNTAP_PI);
    up_to_1023_parts_are_accepted();
    invalid_packets_are_refused();
    invalid_lists_are_refused();
    a_device_that_is_down_or_removed_is_reported();
    if (!in_user_namespace)
        the_parts_become_fragments();
    it_waits_like_write();
    return 0;
}
