/* SPDX-License-Identifier: MIT
 *
 * The data path of a tunnel: reads batches with room for a header and a tag, encrypts them in place, and sends each run
 * with one system call, with UDP_SEGMENT. The other end decrypts what it receives into the writer's memory. */
#include "netns.h"

#include <netinet/udp.h>

/* A socket buffer of the default size has room for this many small datagrams. */
enum { HEADER = 16, TAG = 16, BATCH = 128, COUNT = 300 };

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static int outer_out, outer_in;

static void cipher(uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from[i] ^ 0x5a;
}

static void send_run(uint8_t *first, size_t size, size_t segment)
{
    char control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct iovec part = {first, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(header), &(uint16_t){(uint16_t)segment}, sizeof(uint16_t));
    if (sendmsg(outer_out, &message, 0) != (ssize_t)size)
        fail(__FILE__, __LINE__, "a run is not sent at once", strerror(errno));
}

/** Encrypts and sends the packets of a batch. Returns 0 if none is queued. Counts the calls of sendmsg. */
static int seal(tuntap_reader *reader, size_t *calls)
{
    static tuntap_packet packets[BATCH];
    ssize_t count = tuntap_reader_batch(reader, packets, BATCH, sizeof *packets, &err);
    if (count == -EAGAIN)
        return 0;
    OK(count);
    for (size_t i = 0, next; i < (size_t)count; i = next) {
        uint8_t *first = (uint8_t *)packets[i].data - HEADER, *to = first;
        for (next = i; next < i + packets[i].run; next++) {
            size_t size = packets[next].size;
            CHECK((uint8_t *)packets[next].data == to + HEADER);
            memset(to, 'H', HEADER);
            cipher(to + HEADER, to + HEADER, size);
            memset(to + HEADER + size, 'T', TAG);
            to += HEADER + size + TAG;
        }
        send_run(first, (size_t)(to - first), HEADER + packets[i].size + TAG);
        ++*calls;
    }
    return 1; /* Also at the end of a batch, where the count is 0: the device may have more. */
}

static void unseal(tuntap_writer *writer)
{
    static uint8_t from[65536];
    void *to;
    for (ssize_t length; (length = recv(outer_in, from, sizeof from, MSG_DONTWAIT)) > 0;) {
        size_t size = (size_t)length - HEADER - TAG;
        CHECK(from[0] == 'H' && from[HEADER + size] == 'T' && from[length - 1] == 'T');
        OK(tuntap_writer_reserve(writer, size, &to, &err));
        cipher(to, from + HEADER, size);
        OK(tuntap_writer_commit(writer, size, &err));
    }
    OK(tuntap_writer_flush(writer, &err));
}

static tuntap *open_end(const char *address)
{
    tuntap_addr addr = {.prefix = 24};
    tuntap_config *config;
    tuntap *dev;
    snprintf(addr.addr, sizeof addr.addr, "%s", address);
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_add_addr(config, &addr, sizeof addr, 0, &err));
    OK(tuntap_config_set_up(config, 1, &err));
    OK(tuntap_open_config(NULL, TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_NONBLOCK, config, &dev, &err));
    tuntap_config_free(config);
    return dev;
}

/** `count` datagrams of `size` bytes pass through the tunnel in order, in at most `most` system calls. */
static void datagrams_pass(tuntap_reader *reader, tuntap_writer *writer, int from, int to, size_t count, size_t size,
                           size_t most)
{
    static uint8_t text[1400], got[65536];
    size_t calls = 0, arrived = 0;
    for (size_t i = 0; i < count; i++) {
        memset(text, (int)i, size);
        udp_send(from, "10.1.0.2", PORT, text, size);
    }
    while (seal(reader, &calls)) {
        unseal(writer);
        for (ssize_t length; (length = recv(to, got, sizeof got, MSG_DONTWAIT)) >= 0; arrived++) {
            memset(text, (int)arrived, size);
            CHECK((size_t)length == size && memcmp(got, text, size) == 0);
        }
    }
    CHECK(arrived == count);
    printf("%zu datagrams of %zu bytes: %zu calls\n", count, size, calls);
    CHECK(calls <= most);
}

int main(void)
{
    tuntap *near, *far;
    tuntap_reader *reader;
    tuntap_writer *writer;
    struct sockaddr_in loopback = udp_address("127.0.0.1", PORT);
    int to, netns;
    begin();
    ipv4_only();
    netns = new_netns();
    IP("link set lo up");
    outer_in = udp_socket("127.0.0.1", PORT);
    outer_out = udp_socket("127.0.0.1", PORT + 1);
    CHECK(connect(outer_out, (struct sockaddr *)&loopback, sizeof loopback) == 0);
    near = open_end("10.1.0.1");
    INSIDE(netns, far = open_end("10.1.0.2"); to = udp_socket("10.1.0.2", PORT));
    int from = udp_socket("10.1.0.1", PORT);

    OK(tuntap_reader_new(near, TUNTAP_TRUSTED, &reader, &err));
    OK(tuntap_reader_set_room(reader, HEADER, TAG, &err));
    OK(tuntap_writer_new(far, TUNTAP_TRUSTED, &writer, &err));
    datagrams_pass(reader, writer, from, to, 1, 1000, 1);
    datagrams_pass(reader, writer, from, to, COUNT, 1, 10);
    datagrams_pass(reader, writer, from, to, COUNT, 400, 10);
    datagrams_pass(reader, writer, from, to, COUNT, 1400, 15);

    tuntap_reader_free(reader);
    tuntap_writer_free(writer);
    tuntap_close(near);
    tuntap_close(far);
    close(from);
    close(to);
    close(outer_in);
    close(outer_out);
    close(netns);
    return 0;
}
