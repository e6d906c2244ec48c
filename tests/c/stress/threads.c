/* SPDX-License-Identifier: MIT
 *
 * One handle, three threads at the same time: one reads, one writes, one configures. Every packet arrives once,
 * whole and in order, in both directions. */
#include "packet.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { PACKETS = 5000, WINDOW = 64, SIZE = 200 };

static tuntap *dev;
static atomic_int read_so_far;
static atomic_bool done;

static void fill_with_number(uint8_t *data, uint32_t number)
{
    for (int i = 0; i < SIZE; i += 4)
        memcpy(data + i, &number, 4);
}

static void is_number(const uint8_t *data, uint32_t number)
{
    uint8_t wanted[SIZE];
    fill_with_number(wanted, number);
    CHECK(memcmp(data, wanted, SIZE) == 0);
}

static void *reader(void *unused)
{
    uint8_t buf[2000];
    for (uint32_t number = 0; number < PACKETS; number++) {
        ssize_t length = tuntap_read(dev, buf, sizeof buf, NULL);
        CHECK(length == UDP_OVERHEAD + SIZE);
        is_number(buf + UDP_OVERHEAD, number);
        atomic_fetch_add(&read_so_far, 1);
    }
    return unused;
}

/** Sends at most a window ahead of the reader: the queue of the device holds 500 packets. */
static void *sender(void *unused)
{
    uint8_t data[SIZE];
    int sock = udp_socket("10.8.0.1", PORT + 1);
    for (int number = 0; number < PACKETS; number++) {
        while (number - atomic_load(&read_so_far) >= WINDOW)
            sched_yield();
        fill_with_number(data, (uint32_t)number);
        udp_send(sock, "10.8.0.2", PORT, data, SIZE);
    }
    close(sock);
    return unused;
}

static void *writer(void *socket)
{
    uint8_t data[SIZE], packet[2000];
    for (uint32_t number = 0; number < PACKETS; number++) {
        fill_with_number(data, number);
        size_t length = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, data, SIZE);
        CHECK(tuntap_write(dev, packet, length, NULL) == (ssize_t)length);
        if (number % WINDOW == WINDOW - 1 || number == PACKETS - 1)
            for (uint32_t back = number - number % WINDOW; back <= number; back++) {
                fill_with_number(data, back);
                udp_receives(*(int *)socket, data, SIZE);
            }
    }
    return socket;
}

static void *configurer(void *unused)
{
    char name[TUNTAP_NAME_SIZE];
    uint32_t mtu;
    for (uint32_t round = 0; !atomic_load(&done); round++) {
        CHECK(tuntap_set_mtu(dev, 1300 + round % 100, NULL) == 0);
        CHECK(tuntap_get_mtu(dev, &mtu, NULL) == 0 && mtu == 1300 + round % 100);
        CHECK(tuntap_get_name(dev, name, sizeof name, NULL) == 0 && strcmp(name, "t0") == 0);
        CHECK(is_up(dev, NULL) == 1);
    }
    return unused;
}

int main(void)
{
    pthread_t threads[4];
    begin();
    ipv4_only();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("address add 10.8.0.1/24 dev t0");
    IP("link set t0 up");
    int sock = udp_socket("10.8.0.1", PORT);
    CHECK(pthread_create(&threads[0], NULL, reader, NULL) == 0);
    CHECK(pthread_create(&threads[1], NULL, sender, NULL) == 0);
    CHECK(pthread_create(&threads[2], NULL, writer, &sock) == 0);
    CHECK(pthread_create(&threads[3], NULL, configurer, NULL) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&done, true);
    pthread_join(threads[3], NULL);
    close(sock);
    tuntap_close(dev);
    return 0;
}
