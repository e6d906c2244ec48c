/* SPDX-License-Identifier: MIT
 *
 * drain PID NETNS DEVICE LOAD COUNT CYCLES FLOWS: measures the processor time of a forwarder for a known load,
 * independently of the sender. Each cycle stops the forwarder PID, puts COUNT packets of FLOWS flows into the queue of
 * its DEVICE (in the network namespace at the path NETNS), continues the forwarder, and reads the time of its threads
 * until all sleep again from the scheduler. Prints the tenth percentile of the cycles, in nanoseconds per packet or
 * super-packet. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

enum { MAX_THREADS = 64, MAX_FLOWS = 64, LARGEST = 65536, PAUSE_NS = 100000, CALM_NS = 600000, LIMIT_NS = 2000000000 };

/* struct virtio_net_hdr. */
struct vnet_hdr {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

struct load {
    const char *name;
    int tcp;
    size_t segments, size;
};

static const struct load loads[] = {
    {"tcp44", 1, 44, 1448}, {"tcp16", 1, 16, 1448},  {"tcp1", 1, 1, 1448},
    {"udp64", 0, 1, 64},    {"udp1400", 0, 1, 1400},
};

struct thread {
    int schedstat, stat;
};

static struct thread threads[MAX_THREADS];
static size_t thread_count;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int open_of(const char *pid, const char *thread, const char *file)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/task/%s/%s", pid, thread, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die(path);
    return fd;
}

static void find_threads(const char *pid)
{
    char path[64];
    struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    DIR *list = opendir(path);
    if (!list)
        die(path);
    while ((entry = readdir(list)) && thread_count < MAX_THREADS)
        if (entry->d_name[0] != '.') {
            threads[thread_count].schedstat = open_of(pid, entry->d_name, "schedstat");
            threads[thread_count++].stat = open_of(pid, entry->d_name, "stat");
        }
    closedir(list);
}

/* Nanoseconds for which the threads have run. */
static uint64_t processor_time(void)
{
    uint64_t sum = 0;
    char text[128];
    for (size_t i = 0; i < thread_count; i++) {
        ssize_t length = pread(threads[i].schedstat, text, sizeof text - 1, 0);
        if (length <= 0)
            continue;
        text[length] = 0;
        sum += strtoull(text, NULL, 10);
    }
    return sum;
}

/* Whether all threads are in this state: "S" sleeping or "T" stopped. */
static int all_are(char state)
{
    char text[512];
    for (size_t i = 0; i < thread_count; i++) {
        ssize_t length = pread(threads[i].stat, text, sizeof text - 1, 0);
        if (length <= 0)
            continue;
        text[length] = 0;
        const char *name_end = strrchr(text, ')');
        if (!name_end || name_end[2] != state)
            return 0;
    }
    return 1;
}

static uint32_t sum_of(const uint8_t *bytes, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void put16(uint8_t *to, size_t number)
{
    to[0] = (uint8_t)(number >> 8);
    to[1] = (uint8_t)number;
}

static void put32(uint8_t *to, uint32_t number)
{
    put16(to, number >> 16);
    put16(to + 2, number & 0xffff);
}

/* A flow, and the position in it. */
struct flow {
    uint16_t port;
    uint32_t sequence;
    uint16_t id;
};

/* Builds the next packet after its virtio header. Returns the length. */
static size_t make_packet(uint8_t *to, const struct load *load, struct flow *flow)
{
    static const uint8_t time_stamps[12] = {1, 1, 8, 10, 0, 0, 1, 2, 0, 0, 3, 4};
    size_t payload = load->segments * load->size, headers = load->tcp ? 52 : 28, length = headers + payload;
    struct vnet_hdr hdr = {0};
    uint8_t *ip = to + sizeof hdr, *transport = ip + 20, *field = transport + (load->tcp ? 16 : 6);
    memset(ip, 0, headers);
    ip[0] = 0x45;
    put16(ip + 2, length);
    put16(ip + 4, flow->id);
    ip[6] = 0x40;
    ip[8] = 64;
    ip[9] = load->tcp ? IPPROTO_TCP : IPPROTO_UDP;
    put32(ip + 12, 0x0a4d0001);
    put32(ip + 16, 0x0a4d0002);
    put16(ip + 10, (uint16_t)~fold(sum_of(ip, 20, 0)));
    put16(transport, flow->port);
    put16(transport + 2, 9999);
    if (load->tcp) {
        put32(transport + 4, flow->sequence);
        put32(transport + 8, 777);
        transport[12] = 32 / 4 << 4;
        transport[13] = 0x10;
        put16(transport + 14, 4096);
        memcpy(transport + 20, time_stamps, sizeof time_stamps);
    } else {
        put16(transport + 4, 8 + payload);
    }
    for (size_t i = 0; i < payload; i++)
        ip[headers + i] = (uint8_t)(i * 7 + flow->sequence);
    uint32_t pseudo = sum_of(ip + 12, 8, (uint32_t)(ip[9] + length - 20));
    if (load->segments > 1) {
        hdr = (struct vnet_hdr){1, 1, (uint16_t)headers, (uint16_t)load->size, 20, load->tcp ? 16 : 6};
        put16(field, fold(pseudo));
    } else {
        put16(field, (uint16_t)~fold(sum_of(transport, length - 20, pseudo)));
    }
    memcpy(to, &hdr, sizeof hdr);
    flow->sequence += (uint32_t)payload;
    flow->id = (uint16_t)(flow->id + load->segments);
    return sizeof hdr + length;
}

static int open_socket(const char *netns, const char *device)
{
    int on = 1, most = 1 << 30, place = open(netns, O_RDONLY | O_CLOEXEC);
    if (place < 0 || setns(place, CLONE_NEWNET) < 0)
        die(netns);
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
    address.sll_ifindex = (int)if_nametoindex(device);
    int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (sock < 0 || setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
        setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &most, sizeof most) < 0 ||
        bind(sock, (struct sockaddr *)&address, sizeof address) < 0)
        die(device);
    close(place);
    return sock;
}

static void pause_a_little(void)
{
    struct timespec time = {0, PAUSE_NS};
    nanosleep(&time, NULL);
}

static void stop(pid_t pid)
{
    double start = now();
    if (kill(pid, SIGSTOP) < 0)
        die("SIGSTOP");
    while (!all_are('T') && now() - start < LIMIT_NS)
        pause_a_little();
}

/* Continues the forwarder, and waits until it was idle for a while. */
static uint64_t run_until_calm(pid_t pid)
{
    uint64_t before = processor_time(), last = before;
    double start = now(), moved = start;
    kill(pid, SIGCONT);
    while (now() - start < LIMIT_NS) {
        pause_a_little();
        uint64_t time = processor_time();
        if (time != last || time == before || !all_are('S'))
            moved = now();
        else if (now() - moved > CALM_NS)
            break;
        last = time;
    }
    return last - before;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments)
{
    static uint8_t packet[LARGEST + 64];
    static double cycles[1000];
    static struct flow flows[MAX_FLOWS];
    if (count != 8)
        return fprintf(stderr, "usage: drain PID NETNS DEVICE LOAD COUNT CYCLES FLOWS\n"), 2;
    const struct load *load = loads;
    while (load < loads + sizeof loads / sizeof *loads && strcmp(load->name, arguments[4]) != 0)
        load++;
    size_t packets = strtoul(arguments[5], NULL, 10), rounds = strtoul(arguments[6], NULL, 10);
    size_t flow_count = strtoul(arguments[7], NULL, 10);
    if (load == loads + sizeof loads / sizeof *loads || packets == 0 || rounds == 0 || rounds > 1000 ||
        flow_count == 0 || flow_count > MAX_FLOWS)
        return fprintf(stderr, "drain: no such load, or a bad number\n"), 2;
    for (size_t i = 0; i < flow_count; i++)
        flows[i] = (struct flow){(uint16_t)(1000 + i), 1, 1};
    pid_t pid = (pid_t)strtol(arguments[1], NULL, 10);
    find_threads(arguments[1]);
    int sock = open_socket(arguments[2], arguments[3]);
    for (size_t round = 0; round < rounds + 2; round++) {
        stop(pid);
        for (size_t i = 0; i < packets; i++) {
            size_t length = make_packet(packet, load, &flows[i % flow_count]);
            if (send(sock, packet, length, 0) < 0)
                die("send");
        }
        double time = (double)run_until_calm(pid) / (double)packets;
        /* The first two cycles warm up. */
        if (round >= 2)
            cycles[round - 2] = time;
    }
    qsort(cycles, rounds, sizeof *cycles, compare);
    printf("%.1f\n", cycles[rounds / 10]);
    return 0;
}
