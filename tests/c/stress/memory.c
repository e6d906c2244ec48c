/* SPDX-License-Identifier: MIT
 *
 * Calls that need much memory fail with -ENOMEM if there is none. Open objects still work. */
#include "super.h"

#include <sys/resource.h>

enum { MANY = 64 };

static tuntap *dev;
static tuntap_reader *readers[MANY];
static tuntap_writer *writers[MANY];
static tuntap_joiner *joiners[MANY];
static tuntap *handles[MANY];

/** The number of bytes that this process has mapped. */
static rlim_t mapped(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    CHECK(file && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static int open_reader(int place)
{
    return tuntap_reader_new(dev, 0, &readers[place], &err);
}

static int open_writer(int place)
{
    return tuntap_writer_new(dev, 0, &writers[place], &err);
}

static int open_joiner(int place)
{
    return tuntap_joiner_new(TUNTAP_TUN, &joiners[place], &err);
}

static int open_handle(int place)
{
    return tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW, &handles[place], &err);
}

/** Opens as many objects as possible with this many bytes of memory. Returns their number. */
static int opened_within(rlim_t bytes, int (*open_one)(int))
{
    struct rlimit before, limit;
    int count = 0, result = 0;
    CHECK(getrlimit(RLIMIT_AS, &before) == 0);
    limit = (struct rlimit){mapped() + bytes, before.rlim_max};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    while (count < MANY && (result = open_one(count)) == 0)
        count++;
    CHECK(setrlimit(RLIMIT_AS, &before) == 0);
    CHECK(count < MANY && result == -ENOMEM && err.code == -ENOMEM && err.reason == TUNTAP_REASON_SYSTEM);
    CHECK(strstr(err.message, "memory"));
    return count;
}

int main(void)
{
    uint8_t packet[100];
    begin();
    ipv4_only();
    if (instrumented())
        return 0; /* These tools map memory themselves. */
    dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);
    int before = descriptors();
    int joined = opened_within(12 << 20, open_joiner), written = opened_within(12 << 20, open_writer);
    int read = opened_within(2 << 20, open_reader), opened = opened_within(2 << 20, open_handle);
    CHECK(joined >= 1 && written >= 1 && read >= 1 && opened >= 1);
    size_t size = udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
    for (int i = 0; i < written; i++) {
        OK(tuntap_writer_put(writers[i], packet, size, &err));
        OK(tuntap_writer_flush(writers[i], &err));
        udp_receives(sock, "hello", 5);
        tuntap_writer_free(writers[i]);
    }
    for (int i = 0; i < joined; i++)
        tuntap_joiner_free(joiners[i]);
    for (int i = 0; i < read; i++)
        tuntap_reader_free(readers[i]);
    for (int i = 0; i < opened; i++)
        tuntap_close(handles[i]);
    CHECK(descriptors() == before);
    close(sock);
    tuntap_close(dev);
    return 0;
}
