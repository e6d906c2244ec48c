/* SPDX-License-Identifier: MIT */
#include "super.h"

/** A handle, its readers and its writers are closed in every order, and those that are left work on. */

enum { DEVICE, READER, WRITER, MONITOR, OBJECTS };

static struct {
    tuntap *dev;
    tuntap_reader *reader;
    tuntap_writer *writer;
    tuntap_monitor *monitor;
} open_now;

static struct super super;

static void close_one(int which)
{
    switch (which) {
    case DEVICE: tuntap_close(open_now.dev), open_now.dev = NULL; break;
    case READER: tuntap_reader_free(open_now.reader), open_now.reader = NULL; break;
    case WRITER: tuntap_writer_free(open_now.writer), open_now.writer = NULL; break;
    default: tuntap_monitor_close(open_now.monitor), open_now.monitor = NULL; break;
    }
}

/** What is left is used: a packet passes each way, or there is no device. */
static void use(uint64_t flags)
{
    static uint8_t packet[100];
    void *place;
    CHECK(exists("t0") == (open_now.dev || open_now.reader || open_now.writer));
    if (open_now.reader && (flags & TUNTAP_OFFLOAD)) {
        int sock = offload_socket("t0");
        udp_super(&super, 10, 100);
        CHECK(send_super(sock, 0, &super) == 0);
        for (int i = 0; i < 10; i++)
            CHECK(tuntap_reader_next(open_now.reader, &place, NULL) == 128);
        close(sock);
    } else if (open_now.reader) {
        int sender = udp_socket("10.8.0.1", 0);
        udp_send(sender, "10.8.0.2", PORT, "hello", 5);
        CHECK(tuntap_reader_next(open_now.reader, &place, NULL) == UDP_OVERHEAD + 5);
        is_udp_packet(place, UDP_OVERHEAD + 5, "10.8.0.2", "hello", 5);
        close(sender);
    }
    if (open_now.reader) {
        while (tuntap_reader_next(open_now.reader, &place, NULL) >= 0)
            ;
        FAILS(tuntap_reader_next(open_now.reader, &place, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    }
    if (open_now.writer) {
        int receiver = udp_socket("10.8.0.1", PORT);
        size_t length = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "answer", 6);
        OK(tuntap_writer_put(open_now.writer, packet, length, &err));
        OK(tuntap_writer_flush(open_now.writer, &err));
        udp_receives(receiver, "answer", 6);
        close(receiver);
    }
}

static void in_this_order(const int *order, uint64_t flags)
{
    open_now.dev = ready_tun(flags | TUNTAP_NONBLOCK);
    OK(tuntap_reader_new(open_now.dev, 0, &open_now.reader, &err));
    OK(tuntap_writer_new(open_now.dev, 0, &open_now.writer, &err));
    OK(tuntap_monitor_open(open_now.dev, TUNTAP_MONITOR_ROUTES, &open_now.monitor, &err));
    use(flags);
    for (int i = 0; i < OBJECTS; i++) {
        close_one(order[i]);
        use(flags);
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
        in_this_order(order, 0);
        in_this_order(order, TUNTAP_OFFLOAD);
    }
    CHECK(descriptors() == before);
    return 0;
}
