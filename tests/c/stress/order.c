/* SPDX-License-Identifier: MIT */
#include "super.h"

/** A handle, its reader, its writer and its monitor are closed in every order. Open objects still work. */

enum { DEVICE, READER, WRITER, MONITOR, OBJECTS };

static struct {
    tuntap *dev;
    tuntap_reader *reader;
    tuntap_writer *writer;
    tuntap_monitor *monitor;
} objects;

static struct super super;

static void close_one(int which)
{
    switch (which) {
    case DEVICE: tuntap_close(objects.dev), objects.dev = NULL; break;
    case READER: tuntap_reader_free(objects.reader), objects.reader = NULL; break;
    case WRITER: tuntap_writer_free(objects.writer), objects.writer = NULL; break;
    default: tuntap_monitor_close(objects.monitor), objects.monitor = NULL; break;
    }
}

/** Uses the open objects: a packet passes each way, or the device is deleted. */
static void use_open_objects(uint64_t flags)
{
    static uint8_t packet[100];
    void *received;
    CHECK(exists("t0") == (objects.dev || objects.reader || objects.writer));
    if (objects.reader && (flags & TUNTAP_OFFLOAD)) {
        int sock = offload_socket("t0");
        udp_super(&super, 10, 100);
        CHECK(send_super(sock, 0, &super) == 0);
        for (int i = 0; i < 10; i++)
            CHECK(tuntap_reader_next(objects.reader, &received, NULL) == 128);
        close(sock);
    } else if (objects.reader) {
        int sender = udp_socket("10.8.0.1", 0);
        udp_send(sender, "10.8.0.2", PORT, "hello", 5);
        CHECK(tuntap_reader_next(objects.reader, &received, NULL) == UDP_OVERHEAD + 5);
        is_udp_packet(received, UDP_OVERHEAD + 5, "10.8.0.2", "hello", 5);
        close(sender);
    }
    if (objects.reader) {
        while (tuntap_reader_next(objects.reader, &received, NULL) >= 0)
            ;
        FAILS(tuntap_reader_next(objects.reader, &received, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    }
    if (objects.writer) {
        int receiver = udp_socket("10.8.0.1", PORT);
        size_t length = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "answer", 6);
        OK(tuntap_writer_put(objects.writer, packet, length, &err));
        OK(tuntap_writer_flush(objects.writer, &err));
        udp_receives(receiver, "answer", 6);
        close(receiver);
    }
}

static void close_in_order(const int *order, uint64_t flags)
{
    objects.dev = ready_tun(flags | TUNTAP_NONBLOCK);
    OK(tuntap_reader_new(objects.dev, 0, &objects.reader, &err));
    OK(tuntap_writer_new(objects.dev, 0, &objects.writer, &err));
    OK(tuntap_monitor_open(objects.dev, TUNTAP_MONITOR_ROUTES, &objects.monitor, &err));
    use_open_objects(flags);
    for (int i = 0; i < OBJECTS; i++) {
        close_one(order[i]);
        use_open_objects(flags);
    }
}

int main(void)
{
    begin();
    ipv4_only();
    int before = descriptors();
    for (int number = 0; number < OBJECTS * OBJECTS * OBJECTS * OBJECTS; number++) {
        int order[OBJECTS], seen = 0;
        for (int i = 0, rest = number; i < OBJECTS; i++, rest /= OBJECTS) {
            order[i] = rest % OBJECTS;
            seen |= 1 << order[i];
        }
        if (seen != (1 << OBJECTS) - 1)
            continue;
        close_in_order(order, 0);
        close_in_order(order, TUNTAP_OFFLOAD);
    }
    CHECK(descriptors() == before);
    return 0;
}
