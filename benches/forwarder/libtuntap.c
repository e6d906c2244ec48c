/* SPDX-License-Identifier: MIT
 *
 * libtuntap IF0 IF1 stream|batch|super|plain [trusted] [queues=N] */
#include "forwarder.h"

#include <tuntap.h>

enum { PACKETS = 256, MAX_QUEUES = 8 };

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

static tuntap *open_device(const char *name, uint64_t flags)
{
    tuntap_error err;
    tuntap *dev;
    if (tuntap_open(name, flags, &dev, &err) < 0)
        give_up(&err);
    return dev;
}

static tuntap *open_queue(tuntap *dev)
{
    tuntap_error err;
    tuntap *queue;
    if (tuntap_open_queue(dev, 0, &queue, &err) < 0)
        give_up(&err);
    return queue;
}

/* Each queue of a device is connected to one of the other. */
static void forward_queues(char **names, size_t queues, uint64_t flags, forward_function forward)
{
    static struct direction directions[2 * MAX_QUEUES];
    tuntap *first = open_device(names[0], flags), *second = open_device(names[1], flags);
    for (size_t i = 0; i < queues; i++) {
        void *ends[2] = {i == 0 ? first : open_queue(first), i == 0 ? second : open_queue(second)};
        directions[2 * i] = (struct direction){ends[0], ends[1]};
        directions[2 * i + 1] = (struct direction){ends[1], ends[0]};
    }
    forward_all(directions, 2 * queues, forward);
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
    size_t queues = 1;
    if (count < 4)
        return fprintf(stderr, "usage: libtuntap IF0 IF1 stream|batch|super|plain [trusted] [queues=N]\n"), 2;
    for (int i = 4; i < count; i++) {
        if (strcmp(arguments[i], "trusted") == 0)
            trusted = TUNTAP_TRUSTED;
        else if (sscanf(arguments[i], "queues=%zu", &queues) != 1 || queues == 0 || queues > MAX_QUEUES)
            return fprintf(stderr, "no such option: %s\n", arguments[i]), 2;
    }
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(arguments[3], modes[i].name) == 0)
            forward_queues(arguments + 1, queues, TUNTAP_TUN | modes[i].flags | (queues > 1 ? TUNTAP_MULTI_QUEUE : 0),
                           modes[i].forward);
    return fprintf(stderr, "no such mode: %s\n", arguments[3]), 2;
}
