/* SPDX-License-Identifier: MIT
 *
 * Counts what a packet costs: no allocation, no wait for a lock, and exactly the expected system calls. This program
 * replaces malloc and syscall, also for the library. AddressSanitizer has its own malloc, so with it nothing is
 * counted. */
#include "super.h"

#include <dlfcn.h>

static long allocations, system_calls, waits;

#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__
#define COUNTED 1
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    allocations++;
    return __libc_realloc(memory, size);
}

void free(void *memory)
{
    allocations += memory != NULL;
    __libc_free(memory);
}

/* Passes on six arguments even if there are fewer, as the syscall of glibc does. */
long syscall(long number, ...)
{
    static long (*next)(long, ...);
    long arguments[6];
    va_list list;
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "syscall");
    va_start(list, number);
    for (size_t i = 0; i < 6; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    system_calls++;
    waits += number == SYS_futex;
    return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}
#else
#define COUNTED 0
#endif

static tuntap *dev;
static tuntap_reader *reader;
static tuntap_writer *writer;
static struct super super;
static struct packets packets;
static int sock;

/* Counts what the statement costs. */
#define COSTS(calls, statement)                                                     \
    do {                                                                            \
        allocations = system_calls = waits = 0;                                     \
        statement;                                                                  \
        long allocations_ = allocations, calls_ = system_calls, waits_ = waits;     \
        CHECK(allocations_ == 0);                                                   \
        CHECK(waits_ == 0);                                                         \
        CHECK(!COUNTED || calls_ == (calls));                                                   \
    } while (0)

static void send_one(void)
{
    CHECK(send_super(sock, 0, &super) == 0);
}

static void read_plain(int count)
{
    static uint8_t buf[2000];
    struct iovec part = {buf, sizeof buf};
    for (int i = 0; i < count; i++)
        CHECK((i % 2 ? tuntap_read(dev, buf, sizeof buf, NULL) : tuntap_readv(dev, &part, 1, NULL)) > 0);
}

static void write_plain(int count)
{
    const void *packet = packet_of(&packets, 0);
    struct iovec part = {packets.bytes, length_of(&packets, 0)};
    for (int i = 0; i < count; i++)
        CHECK((i % 2 ? tuntap_write(dev, packet, part.iov_len, NULL) : tuntap_writev(dev, &part, 1, NULL)) > 0);
}

static void read_all(void)
{
    void *packet;
    ssize_t length;
    size_t count = 0;
    while ((length = tuntap_reader_next(reader, &packet, NULL)) > 0)
        count++;
    CHECK(length == 0 && count == 40);
}

static void read_list(void)
{
    tuntap_packet list[64];
    CHECK(tuntap_reader_batch(reader, list, 64, sizeof *list, NULL) == 40);
    CHECK(tuntap_reader_batch(reader, list, 64, sizeof *list, NULL) == 0);
}

static void write_all(void)
{
    for (size_t i = 0; i < packets.count; i++)
        CHECK(tuntap_writer_put(writer, packet_of(&packets, i), length_of(&packets, i), NULL) == 0);
    CHECK(tuntap_writer_flush(writer, NULL) == 0);
}

static void pass_super_on(void)
{
    static struct super got;
    CHECK(tuntap_read_super(dev, &got.hdr, sizeof got.hdr, got.packet, sizeof got.packet, NULL) > 0);
    CHECK(tuntap_write_super(dev, &super.hdr, sizeof super.hdr, super.packet, super.size, NULL) > 0);
}

int main(void)
{
    begin();
    ipv4_only();
    dev = ready_tun(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK);
    sock = offload_socket("t0");
    /* Without this socket the kernel would answer with ICMP. */
    int sink = udp_socket("10.8.0.1", PORT);
    udp_super(&super, 40, 1000);
    split_super(&super, TUNTAP_TUN, &packets);
    OK(tuntap_reader_new(dev, 0, &reader, &err));
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    for (int turn = 0; turn < 100; turn++) {
        send_one();
        COSTS(1, read_plain(40));
        COSTS(40, write_plain(40));
        send_one();
        /* One call reads, and one finds nothing more. */
        COSTS(2, read_all());
        send_one();
        COSTS(2, read_list());
        COSTS(1, write_all());
        send_one();
        COSTS(2, pass_super_on());
    }
    tuntap_writer_free(writer);
    tuntap_reader_free(reader);
    close(sink);
    close(sock);
    tuntap_close(dev);

    dev = ready_tun(TUNTAP_NONBLOCK);
    sock = offload_socket("t0");
    sink = udp_socket("10.8.0.1", PORT);
    for (int turn = 0; turn < 100; turn++) {
        send_one();
        COSTS(40, read_plain(40));
        COSTS(40, write_plain(40));
    }
    close(sink);
    close(sock);
    tuntap_close(dev);
    return 0;
}
