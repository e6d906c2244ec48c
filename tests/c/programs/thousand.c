/* SPDX-License-Identifier: MIT
 *
 * A thousand devices in one epoll loop, as a server with many tenants has them, with two descriptors each and a hundred
 * others. The program waits for each device in the loop and in a call, and reads from it. */
#include "packet.h"

#include <sys/epoll.h>
#include <sys/resource.h>

enum { DEVICES = 1000, DESCRIPTORS = 2100 };

static tuntap *devices[DEVICES];

/** A host of the network of device i. */
static const char *host(uint32_t i, int last)
{
    static char text[TUNTAP_ADDR_SIZE];
    snprintf(text, sizeof text, "10.%u.%u.%d", i / 250, i % 250, last);
    return text;
}

/** The resident memory of this process in kilobytes. */
static long resident(void)
{
    unsigned long mapped, pages;
    FILE *file = fopen("/proc/self/statm", "re");
    CHECK(file && fscanf(file, "%lu %lu", &mapped, &pages) == 2);
    fclose(file);
    return (long)pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void open_one(uint32_t i, int epoll)
{
    tuntap_addr address = {.prefix = 24};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    tuntap_config *config;
    uint8_t packet[100];
    snprintf(address.addr, sizeof address.addr, "%s", host(i, 1));
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_add_addr(config, &address, sizeof address, 0, &err));
    OK(tuntap_config_set_up(config, 1, &err));
    OK(tuntap_open_config("many%d", TUNTAP_TUN | TUNTAP_NONBLOCK, config, &devices[i], &err));
    tuntap_config_free(config);
    FAILS(tuntap_read_timeout(devices[i], packet, sizeof packet, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, tuntap_get_fd(devices[i], &err), &event) == 0);
}

/** Each device reads its own packet, and no other. */
static void read_in_loop(int epoll)
{
    struct epoll_event events[64];
    uint8_t packet[100];
    int ready, found[DEVICES] = {0};
    for (int left = DEVICES; left > 0;) {
        CHECK((ready = epoll_wait(epoll, events, 64, 20000)) > 0);
        for (int k = 0; k < ready; k++) {
            uint32_t i = events[k].data.u32;
            ssize_t length;
            while ((length = tuntap_read(devices[i], packet, sizeof packet, NULL)) >= 0) {
                is_udp_packet(packet, (size_t)length, host(i, 2), &i, sizeof i);
                CHECK(found[i]++ == 0);
                left--;
            }
            CHECK(length == -EAGAIN);
        }
    }
    CHECK(epoll_wait(epoll, events, 64, 0) == 0);
}

int main(void)
{
    struct rlimit limit;
    begin();
    ipv4_only();
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = DESCRIPTORS; /* Valgrind does not accept another hard limit. */
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int epoll = epoll_create1(EPOLL_CLOEXEC), before = descriptors();
    CHECK(epoll >= 0);
    long memory = resident();
    for (uint32_t i = 0; i < DEVICES; i++)
        open_one(i, epoll);
    memory = resident() - memory;
    CHECK(descriptors() == before + 2 * DEVICES);
    printf("%ld bytes of memory a handle\n", memory * 1024 / DEVICES);
    IP_HAS("\"local\":\"10.3.249.1\",\"prefixlen\":24", "addr show many999");

    int sock = udp_socket("0.0.0.0", PORT);
    for (uint32_t i = 0; i < DEVICES; i++)
        udp_send(sock, host(i, 2), PORT, &i, sizeof i);
    close(sock);
    read_in_loop(epoll);

    /* The kernel needs 20 seconds to remove them one by one, and a moment with their network namespace. */
    for (int i = 0; i < DEVICES; i++) {
        OK(tuntap_set_persist(devices[i], 1, &err));
        tuntap_close(devices[i]);
    }
    CHECK(descriptors() == before);
    close(epoll);
    return 0;
}
