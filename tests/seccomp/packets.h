/* SPDX-License-Identifier: MIT
 *
 * The calls that read, write or convert packets. */
#ifndef PACKETS_H
#define PACKETS_H

#include "call.h"

static size_t make_packet(void)
{
    return udp_packet(buf, "10.8.0.2", "10.8.0.1", PORT, "in", 2);
}

static void packets(void)
{
    struct iovec part = {.iov_base = buf, .iov_len = sizeof buf};
    ask_for(PACKET_OF_T0);
    CALL(tuntap_read(dev, buf, sizeof buf, &err));
    ask_for(PACKET_OF_T0);
    CALL(tuntap_read_timeout(dev, buf, sizeof buf, 10000, &err));
    ask_for(PACKET_OF_T0);
    CALL(tuntap_readv(dev, &part, 1, &err));
    CALL(tuntap_write(dev, buf, make_packet(), &err));
    CALL(tuntap_write_timeout(dev, buf, make_packet(), 10000, &err));
    part.iov_len = make_packet();
    CALL(tuntap_writev(dev, &part, 1, &err));
    FAILS(tuntap_read_timeout(dev, buf, sizeof buf, 10, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    DO(tuntap_wake(dev));
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_WOKEN);
    CALL(tuntap_wait(dev, TUNTAP_WAIT_READ | TUNTAP_WAIT_WRITE, 10000, &err));
    FAILS(tuntap_wait(dev, TUNTAP_WAIT_READ, 10, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    DO(tuntap_read_size(dev));
}

static void batches(tuntap *of, enum request request)
{
    tuntap_packet list[8] = {{.data = buf}};
    tuntap_reader *reader;
    tuntap_writer *writer;
    void *packet;
    CALL(tuntap_reader_new(of, 0, &reader, &err));
    ask_for(request);
    CALL(tuntap_reader_next(reader, &packet, &err));
    ask_for(request);
    CALL(tuntap_reader_batch(reader, list, 8, sizeof *list, &err));
    CALL(tuntap_reader_batch(reader, list, 8, sizeof *list, &err));
    CALL(tuntap_reader_set_room(reader, 16, 16, &err));
    ask_for(request);
    list[0] = (tuntap_packet){.data = buf, .size = sizeof buf};
    CALL(tuntap_reader_copy(reader, list, 1, sizeof *list, &err));
    DO(tuntap_reader_free(reader));
    CALL(tuntap_writer_new(of, 0, &writer, &err));
    CALL(tuntap_writer_put(writer, buf, make_packet(), &err));
    CALL(tuntap_writer_flush(writer, &err));
    list[0] = (tuntap_packet){.data = buf, .size = make_packet()};
    CALL(tuntap_writer_batch(writer, list, 1, sizeof *list, &(size_t){0}, &err));
    CALL(tuntap_writer_reserve(writer, list[0].size, &packet, &err));
    memcpy(packet, buf, list[0].size);
    CALL(tuntap_writer_commit(writer, list[0].size, &err));
    CALL(tuntap_writer_flush(writer, &err));
    uint64_t lost;
    CALL(tuntap_writer_get_lost(writer, &lost, &err));
    DO(tuntap_writer_free(writer));
}

static void super_packets(void)
{
    tuntap_vnet_hdr hdr = {.flags = 0};
    ask_for(PACKET_OF_S0);
    CALL(tuntap_read_super(offloading, &hdr, sizeof hdr, buf, sizeof buf, &err));
    hdr = (tuntap_vnet_hdr){.flags = 0};
    CALL(tuntap_write_super(offloading, &hdr, sizeof hdr, buf, make_packet(), &err));
}

static void split_and_join(void)
{
    tuntap_vnet_hdr hdr = {.flags = 0};
    tuntap_splitter *splitter;
    tuntap_joiner *joiner;
    void *packet, *joined;
    size_t size = make_packet();
    CALL(tuntap_splitter_new(TUNTAP_TUN, &splitter, &err));
    CALL(tuntap_splitter_begin(splitter, &hdr, sizeof hdr, buf, size, &err));
    CALL(tuntap_splitter_next(splitter, &packet, &err));
    CALL(tuntap_splitter_copy(splitter, text, sizeof text, &err));
    DO(tuntap_splitter_free(splitter));
    CALL(tuntap_joiner_new(TUNTAP_TUN, &joiner, &err));
    CALL(tuntap_joiner_put(joiner, buf, size, &err));
    CALL(tuntap_joiner_next(joiner, &hdr, sizeof hdr, &joined, &err));
    DO(tuntap_joiner_free(joiner));
}

static void all_packets(void)
{
    split_and_join();
    packets();
    batches(dev, PACKET_OF_T0);
    super_packets();
    batches(offloading, PACKET_OF_S0);
    DO(tuntap_shutdown(offloading));
    FAILS(tuntap_read(offloading, buf, sizeof buf, &err), ECANCELED, TUNTAP_REASON_SHUTDOWN);
}

#endif
