/* SPDX-License-Identifier: MIT
 *
 * A signal handler ends each wait in every function that waits on a blocking handle, with SA_RESTART and without.
 * Packets that a writer has taken stay. */
#include "packet.h"

static tuntap *dev;
static tuntap_reader *reader;
static tuntap_writer *writer;
static uint8_t buf[2000];
static struct iovec part = {buf, sizeof buf}, frame = {(void *)stray_frame, sizeof stray_frame};
static tuntap_vnet_hdr hdr;
static tuntap_packet many[4000];

static ssize_t read_it(void)
{
    return tuntap_read(dev, buf, sizeof buf, &err);
}

static ssize_t read_parts(void)
{
    return tuntap_readv(dev, &part, 1, &err);
}

static ssize_t read_super(void)
{
    return tuntap_read_super(dev, &hdr, sizeof hdr, buf, sizeof buf, &err);
}

static ssize_t read_next(void)
{
    void *packet;
    return tuntap_reader_next(reader, &packet, &err);
}

static ssize_t read_batch(void)
{
    tuntap_packet packets[4];
    return tuntap_reader_batch(reader, packets, 4, sizeof *packets, &err);
}

static ssize_t write_it(void)
{
    return tuntap_write(dev, stray_frame, sizeof stray_frame, &err);
}

static ssize_t write_parts(void)
{
    return tuntap_writev(dev, &frame, 1, &err);
}

static ssize_t write_super(void)
{
    static const tuntap_vnet_hdr plain;
    return tuntap_write_super(dev, &plain, sizeof plain, stray_frame, sizeof stray_frame, &err);
}

/** Puts packets until the writer is full and waits for room. */
static ssize_t put_many(void)
{
    int result;
    do
        result = tuntap_writer_put(writer, stray_frame, sizeof stray_frame, &err);
    while (result == 0);
    return result;
}

static ssize_t flush(void)
{
    return tuntap_writer_flush(writer, &err);
}

static ssize_t write_batch(void)
{
    size_t taken = 12345;
    int result = tuntap_writer_batch(writer, many, sizeof many / sizeof *many, sizeof *many, &taken, &err);
    CHECK(taken < sizeof many / sizeof *many);
    return result;
}

static void do_nothing(int number)
{
    (void)number;
}

static void is_interrupted(ssize_t (*call)(void))
{
    for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
        start_signals(do_nothing, flags);
        for (int i = 0; i < 3; i++)
            FAILS(call(), EINTR, TUNTAP_REASON_INTERRUPTED);
        stop_signals();
    }
}

static void reads_are_interrupted(uint64_t flags)
{
    OK(tuntap_open("t0", TUNTAP_TUN | flags, &dev, &err));
    IP("link set t0 up");
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    is_interrupted(read_it);
    is_interrupted(read_parts);
    is_interrupted(read_next);
    is_interrupted(read_batch);
    if (flags & TUNTAP_OFFLOAD)
        is_interrupted(read_super);
    tuntap_reader_free(reader);
    tuntap_close(dev);
}

static void writes_are_interrupted(uint64_t flags)
{
    dev = full_device(flags, 1);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    is_interrupted(write_it);
    is_interrupted(write_parts);
    is_interrupted(put_many);
    is_interrupted(write_batch);
    if (flags & TUNTAP_OFFLOAD) {
        is_interrupted(write_super);
        is_interrupted(flush);
    }
    tuntap_writer_free(writer);
    close_full_device(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i] = (tuntap_packet){frame.iov_base, frame.iov_len, 0};
    reads_are_interrupted(0);
    reads_are_interrupted(TUNTAP_OFFLOAD);
    writes_are_interrupted(0);
    writes_are_interrupted(TUNTAP_OFFLOAD);
    return 0;
}
