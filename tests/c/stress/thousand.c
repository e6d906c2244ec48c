/* SPDX-License-Identifier: MIT
 *
 * A thousand devices in one process, with two descriptors each and a hundred beside: opened, given an address, taken up,
 * each of them waited on, in one epoll and in a call, and read from. */
#include "../packet.h"

#include <sys/epoll.h>
#include <sys/resource.h>

enum { DEVICES = 1000, DESCRIPTORS = 2100 };

static tuntap *devices[DEVICES];

/** A host of the network of device i. */
static const char *host(int i, int last, const char *more)
{
    static char text[40];
    snprintf(text, sizeof text, "10.%d.%d.%d%s", i / 250, i % 250, last, more);
    return text;
}

/** Kilobytes of this process that are in memory. */
static long resident(void)
{
    unsigned long mapped, pages;
    FILE *file = fopen("/proc/self/statm", "re");
    CHECK(file && fscanf(file, "%lu %lu", &mapped, &pages) == 2);
    fclose(file);
    return (long)pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void open_all(int epoll)
{
    uint8_t buf[100];
    for (int i = 0; i < DEVICES; i++) {
        OK(tuntap_open(NULL, TUNTAP_TUN | TUNTAP_NONBLOCK, &devices[i], &err));
        OK(tuntap_set_addr(devices[i], host(i, 1, "/24"), &err));
        OK(tuntap_up(devices[i], &err));
        FAILS(tuntap_read_timeout(devices[i], buf, sizeof buf, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, tuntap_get_fd(devices[i], NULL), &event) == 0);
    }
}

/** Each gets a packet of its own. */
static void read_all(int epoll)
{
    static struct epoll_event events[64];
    uint8_t buf[100];
    int count, sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(sock >= 0);
    for (int i = 0; i < DEVICES; i++)
        udp_send(sock, host(i, 2, ""), PORT, &i, sizeof i);
    for (int found = 0; found < DEVICES; found += count) {
        CHECK((count = epoll_wait(epoll, events, 64, 20000)) > 0);
        for (int j = 0; j < count; j++) {
            int i = (int)events[j].data.u32;
            ssize_t length = tuntap_read_timeout(devices[i], buf, sizeof buf, 1000, &err);
            CHECK(length > 0);
            is_udp_packet(buf, (size_t)length, host(i, 2, ""), &i, sizeof i);
        }
    }
    CHECK(epoll_wait(epoll, events, 64, 0) == 0);
    close(sock);
}

int main(void)
{
    struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
    begin();
    ipv4_only();
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int epoll = epoll_create1(EPOLL_CLOEXEC), before = descriptors();
    CHECK(epoll >= 0);
    long memory = resident();
    open_all(epoll);
    memory = resident() - memory;
    CHECK(descriptors() == before + 2 * DEVICES);
    printf("%ld bytes of memory a handle\n", memory * 1024 / DEVICES);
    read_all(epoll);
    IP_HAS("\"ifname\":\"tun999\"", "link show tun999");

    /* One by one the kernel takes them away in 20 seconds; with their namespace, in a moment. */
    for (int i = 0; i < DEVICES; i++)
        OK(tuntap_set_persist(devices[i], 1, &err));
    for (int i = 0; i < DEVICES; i++)
        tuntap_close(devices[i]);
    CHECK(descriptors() == before);
    close(epoll);
    return 0;
}
