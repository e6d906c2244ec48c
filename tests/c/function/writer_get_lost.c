/* SPDX-License-Identifier: MIT */
#include "netns.h"

/** The packets that the kernel counts as received from the program. */
static unsigned received(void)
{
    unsigned long packets = 0;
    const char *text = strstr(output_of("ip -j -s link show t0"), "\"rx\":{");
    CHECK(text && (text = strstr(text, "\"packets\":")) && sscanf(text, "\"packets\":%lu", &packets) == 1);
    return (unsigned)packets;
}

static void put(tuntap_writer *writer, unsigned count)
{
    uint8_t packet[100];
    for (unsigned i = 0; i < count; i++) {
        size_t size = udp_packet(packet, "10.8.0.2", "10.8.0.1", 2000 + i, "hello", 5);
        OK(tuntap_writer_put(writer, packet, size, &err));
    }
}

static uint64_t lost(const tuntap_writer *writer)
{
    uint64_t number = UINT64_MAX;
    OK(tuntap_writer_get_lost(writer, &number, &err));
    return number;
}

/** Each packet that a flush, or a put into a full writer, loses is counted once. */
static void each_loss_is_counted(void)
{
    tuntap *dev;
    tuntap_writer *writer;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err));
    close(bring_up("t0", TUNTAP_TUN));
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    CHECK(lost(writer) == 0);
    put(writer, 10);
    IP("link set t0 down");
    FAILS(tuntap_writer_flush(writer, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    CHECK(lost(writer) == 10);
    put(writer, 3000);
    uint64_t found = lost(writer);
    CHECK(found > 1000 && found < 3010);
    IP("link set t0 up");
    FAILS(tuntap_writer_flush(writer, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    CHECK(lost(writer) == found && received() == 3010 - found);
    put(writer, 10);
    OK(tuntap_writer_flush(writer, &err));
    CHECK(lost(writer) == found && received() == 3020 - found);
    tuntap_writer_free(writer);
    tuntap_close(dev);
}

static void arguments_are_checked(void)
{
    tuntap *dev;
    tuntap_writer *writer;
    uint64_t number = 7;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    FAILS(tuntap_writer_get_lost(writer, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_writer_get_lost(NULL, &number, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(number == 7);
    tuntap_writer_free(writer);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    each_loss_is_counted();
    arguments_are_checked();
    return 0;
}
