/* SPDX-License-Identifier: MIT
 *
 * Forwards between two TUN devices in super-packets. A reader splits them, your code handles each packet, and a writer
 * coalesces the packets of a flow again.
 *
 *     sudo ./forwarder tun0 tun1
 *
 * In a VPN, one of the devices is replaced by an encrypted socket. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <tuntap.h>

struct direction {
    tuntap *in, *out;
};

static void give_up(const tuntap_error *err)
{
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static void *forward(void *argument)
{
    struct direction *direction = argument;
    tuntap_reader *reader;
    tuntap_writer *writer;
    tuntap_error err;
    void *packet;
    ssize_t length;

    if (tuntap_reader_new(direction->in, 0, &reader, &err) < 0 ||
        tuntap_writer_new(direction->out, 0, &writer, &err) < 0)
        give_up(&err);
    do {
        /* One batch. At its end, send what is collected. */
        while ((length = tuntap_reader_next(reader, &packet, &err)) > 0)
            tuntap_writer_put(writer, packet, (size_t)length, NULL); /* or encrypt it in place and send it */
        tuntap_writer_flush(writer, NULL); /* a device that is down loses packets, like any link */
    } while (length == 0 || length == -EPROTO);
    give_up(&err);
    return NULL;
}

static tuntap *open_device(const char *name)
{
    tuntap *dev;
    tuntap_error err;
    if (tuntap_open(name, TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err) < 0 || tuntap_up(dev, &err) < 0)
        give_up(&err);
    return dev;
}

int main(int count, char **arguments)
{
    pthread_t thread;
    if (count != 3) {
        fprintf(stderr, "usage: forwarder TUN0 TUN1\n");
        return 2;
    }
    struct direction there = {open_device(arguments[1]), open_device(arguments[2])};
    struct direction back = {there.out, there.in};
    printf("%s and %s are up\n", arguments[1], arguments[2]);
    fflush(stdout);
    if (pthread_create(&thread, NULL, forward, &back) != 0)
        return 1;
    forward(&there);
    return 0;
}
