/* SPDX-License-Identifier: MIT
 *
 * libtuntap IF0 IF1 stream|batch|super|plain [trusted] */
#include "forwarder.h"

#include <tuntap.h>

enum { PACKETS = 256 };

static uint64_t trusted;

static void give_up(const tuntap_error *err)
{
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static tuntap_reader *open_reader(const struct direction *direction)
{
    tuntap_error err;
    tuntap_reader *reader;
    if (tuntap_reader_new(direction->in, trusted, &reader, &err) < 0)
        give_up(&err);
    return reader;
}

static tuntap_writer *open_writer(const struct direction *direction)
{
    tuntap_error err;
    tuntap_writer *writer;
    if (tuntap_writer_new(direction->out, trusted, &writer, &err) < 0)
        give_up(&err);
    return writer;
}

/* A packet that the other device refuses is lost, as on any link: the device may be down. */
static void *forward_stream(void *argument)
{
    tuntap_reader *reader = open_reader(argument);
    tuntap_writer *writer = open_writer(argument);
    tuntap_error err;
    void *packet;
    ssize_t length;
    do {
        while ((length = tuntap_reader_next(reader, &packet, &err)) > 0)
            tuntap_writer_put(writer, packet, (size_t)length, NULL);
        tuntap_writer_flush(writer, NULL);
    } while (length == 0);
    give_up(&err);
    return NULL;
}

static void *forward_batch(void *argument)
{
    tuntap_reader *reader = open_reader(argument);
    tuntap_writer *writer = open_writer(argument);
    tuntap_packet packets[PACKETS];
    tuntap_error err;
    ssize_t count;
    size_t taken;
    while ((count = tuntap_reader_batch(reader, packets, PACKETS, sizeof *packets, &err)) >= 0)
        if (count > 0)
            tuntap_writer_batch(writer, packets, (size_t)count, sizeof *packets, &taken, NULL);
    give_up(&err);
    return NULL;
}

static void *forward_super(void *argument)
{
    const struct direction *direction = argument;
    size_t size = tuntap_read_size(direction->in);
    char *packet = malloc(size);
    tuntap_vnet_hdr hdr;
    tuntap_error err;
    ssize_t length;
    while ((length = tuntap_read_super(direction->in, &hdr, sizeof hdr, packet, size, &err)) > 0)
        tuntap_write_super(direction->out, &hdr, sizeof hdr, packet, (size_t)length, NULL);
    give_up(&err);
    return NULL;
}

static void *forward_plain(void *argument)
{
    const struct direction *direction = argument;
    size_t size = tuntap_read_size(direction->in);
    char *packet = malloc(size);
    tuntap_error err;
    ssize_t length;
    while ((length = tuntap_read(direction->in, packet, size, &err)) > 0)
        tuntap_write(direction->out, packet, (size_t)length, NULL);
    give_up(&err);
    return NULL;
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        forward_function forward;
        uint64_t flags;
    } modes[] = {
        {"stream", forward_stream, TUNTAP_OFFLOAD},
        {"batch", forward_batch, TUNTAP_OFFLOAD},
        {"super", forward_super, TUNTAP_OFFLOAD},
        {"plain", forward_plain, 0},
    };
    tuntap_error err;
    tuntap *first, *second;
    if (count < 4)
        return fprintf(stderr, "usage: libtuntap IF0 IF1 stream|batch|super|plain [trusted]\n"), 2;
    trusted = count > 4 ? TUNTAP_TRUSTED : 0;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(arguments[3], modes[i].name) != 0)
            continue;
        if (tuntap_open(arguments[1], TUNTAP_TUN | modes[i].flags, &first, &err) < 0 ||
            tuntap_open(arguments[2], TUNTAP_TUN | modes[i].flags, &second, &err) < 0)
            give_up(&err);
        forward_both(first, second, modes[i].forward);
    }
    return fprintf(stderr, "no such mode: %s\n", arguments[3]), 2;
}
