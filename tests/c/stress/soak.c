/* SPDX-License-Identifier: MIT
 *
 * Packets go in both directions through one handle, in batches of a reader and a writer, while the device is renamed,
 * goes down and up, and gets other MTUs and another queue, and while signals and wakes come. Each packet has a number.
 * Every packet arrives once, whole and in the order of its flow, or is counted as lost: by the device, by the socket,
 * or in the writer's failures. TUNTAP_SOAK sets the number of packets of both directions together. `make soak` sets a
 * hundred million. */
#include "steering.h"

#include <linux/if_packet.h>
#include <linux/sock_diag.h>
#include <net/ethernet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { FLOWS = 7, SIZE = 64, LENGTH = UDP_OVERHEAD + SIZE, BATCH = 64, WINDOW = 256, USUAL = 100000 };

/** SO_MEMINFO, which older headers do not define. */
enum { MEMORY_INFORMATION = 55 };

static tuntap *dev, *other_queue;
static int index_, packets;
/** The number of packets in each direction. */
static uint64_t total = USUAL;
static atomic_bool disturbing_ends, done;

/** A direction through the device: the packets that went in and that came out. */
static struct direction {
    const char *name;
    /** The packets that the kernel or the writer accepted, that arrived, and that the writer reported as lost. */
    atomic_uint_fast64_t given, received, reported_lost;
    /** The lowest number of each flow that may still arrive. */
    uint64_t next[FLOWS];
} out = {.name = "read"}, in = {.name = "written"};

static void fill_with_number(uint8_t *data, uint64_t number)
{
    for (size_t at = 0; at < SIZE; at += sizeof number)
        memcpy(data + at, &number, sizeof number);
}

/** Makes the packets of a batch, starting with this number. The numbers of a flow differ by `FLOWS`. */
static void make_packets(uint8_t (*made)[LENGTH], const char *from, const char *to, uint64_t number)
{
    uint8_t data[SIZE];
    for (int i = 0; i < BATCH; i++) {
        fill_with_number(data, number + (uint64_t)i);
        udp_packet(made[i], from, to, PORT + (unsigned)((number + (uint64_t)i) % FLOWS), data, SIZE);
        /* Don't Fragment: only such packets are joined. */
        made[i][6] = 0x40;
        memset(made[i] + 10, 0, 2);
        put16(made[i] + 10, checksum(made[i], 20, 0));
    }
}

/** A packet arrived: for the first time, and after all earlier packets of its flow. */
static void arrived(struct direction *direction, const uint8_t *data)
{
    uint64_t number;
    uint8_t wanted[SIZE];
    memcpy(&number, data, sizeof number);
    fill_with_number(wanted, number);
    CHECK(memcmp(data, wanted, SIZE) == 0);
    CHECK(number < total && number >= direction->next[number % FLOWS]);
    direction->next[number % FLOWS] = number + 1;
    atomic_fetch_add(&direction->received, 1);
}

/** Waits for the other end, but not forever, because packets may be lost. */
static void keep_pace(struct direction *direction)
{
    for (int i = 0; i < 100 && atomic_load(&direction->given) - atomic_load(&direction->received) > WINDOW; i++)
        sched_yield();
}

/* The read direction: a packet socket sends, and a reader reads. */

static void *send_packets(void *unused)
{
    static uint8_t made[BATCH][LENGTH];
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index_};
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){made[i], LENGTH};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    for (uint64_t number = 0; number < total; number += BATCH) {
        make_packets(made, "10.8.0.1", "10.8.0.2", number);
        int count = total - number < BATCH ? (int)(total - number) : BATCH;
        for (int sent = 0; sent < count;) {
            int more = sendmmsg(packets, messages + sent, (unsigned)(count - sent), 0);
            CHECK(more > 0 || errno == ENETDOWN || errno == EINTR);
            sent += more > 0 ? more : 0;
            atomic_fetch_add(&out.given, more > 0 ? (unsigned)more : 0);
            if (more <= 0)
                poll(NULL, 0, 1);
        }
        keep_pace(&out);
    }
    return unused;
}

static void *read_packets(void *unused)
{
    tuntap_reader *reader;
    tuntap_packet got[BATCH];
    tuntap_error why;
    CHECK(tuntap_reader_new(dev, 0, &reader, NULL) == 0);
    while (!atomic_load(&done)) {
        ssize_t count = tuntap_reader_batch(reader, got, BATCH, sizeof *got, &why);
        if (count < 0 && count != -ECANCELED && count != -EINTR)
            fail(__FILE__, __LINE__, "tuntap_reader_batch", why.message);
        for (ssize_t i = 0; i < count; i++) {
            CHECK(got[i].size == LENGTH);
            arrived(&out, (const uint8_t *)got[i].data + UDP_OVERHEAD);
        }
    }
    tuntap_reader_free(reader);
    return unused;
}

/* The write direction: a writer writes, and UDP sockets receive. */

/** The number of lost packets in the writer's message, or 0 if the message is about another failure. */
static uint64_t lost_packets(const tuntap_error *why)
{
    const char *text = strstr(why->message, " packet");
    while (text && text > why->message && text[-1] >= '0' && text[-1] <= '9')
        text--;
    return text && strstr(text, " lost") ? strtoull(text, NULL, 10) : 0;
}

static void check_write(const char *call, long result, const tuntap_error *why)
{
    if (result == 0)
        return;
    if (result != -EINTR && result != -ECANCELED && result != -ENETDOWN)
        fail(__FILE__, __LINE__, call, why->message);
    if (result == -ENETDOWN)
        poll(NULL, 0, 1);
    atomic_fetch_add(&in.reported_lost, lost_packets(why));
}

static void *write_packets(void *unused)
{
    static uint8_t made[BATCH][LENGTH];
    tuntap_packet parts[BATCH];
    tuntap_writer *writer;
    tuntap_error why;
    long result;
    CHECK(tuntap_writer_new(dev, 0, &writer, NULL) == 0);
    for (int i = 0; i < BATCH; i++)
        parts[i] = (tuntap_packet){made[i], LENGTH, 0};
    for (uint64_t number = 0; number < total; number += BATCH) {
        size_t count = total - number < BATCH ? (size_t)(total - number) : BATCH, taken;
        make_packets(made, "10.8.0.2", "10.8.0.1", number);
        for (size_t sent = 0; sent < count; sent += taken) {
            result = tuntap_writer_batch(writer, parts + sent, count - sent, sizeof *parts, &taken, &why);
            atomic_fetch_add(&in.given, taken);
            check_write("tuntap_writer_batch", result, &why);
        }
        keep_pace(&in);
    }
    while ((result = tuntap_writer_flush(writer, &why)) != 0)
        check_write("tuntap_writer_flush", result, &why);
    tuntap_writer_free(writer);
    return unused;
}

static int sockets[FLOWS];

static void *receive_packets(void *unused)
{
    uint8_t data[SIZE + 1];
    struct pollfd polled[FLOWS];
    for (int i = 0; i < FLOWS; i++)
        polled[i] = (struct pollfd){.fd = sockets[i], .events = POLLIN};
    while (!atomic_load(&done)) {
        if (poll(polled, FLOWS, 10) <= 0)
            continue;
        for (int i = 0; i < FLOWS; i++)
            for (ssize_t size; (size = recv(sockets[i], data, sizeof data, MSG_DONTWAIT)) >= 0;) {
                CHECK(size == SIZE);
                arrived(&in, data);
            }
    }
    return unused;
}

/* The disturbance. */

static void ignore_signal(int signal)
{
    (void)signal;
}

static void *disturb(void *unused)
{
    char name[TUNTAP_NAME_SIZE];
    for (unsigned round = 1; !atomic_load(&disturbing_ends); round++) {
        snprintf(name, sizeof name, "soak%u", round % 10);
        CHECK(tuntap_set_name(dev, name, NULL) == 0 || !kernel_is(6, 2));
        CHECK(tuntap_set_mtu(dev, 1300 + round % 100, NULL) == 0);
        CHECK(tuntap_detach(other_queue, NULL) == 0 && tuntap_attach(other_queue, NULL) == 0);
        tuntap_wake(dev);
        /* Before Linux 6.11 no counter includes packets that are sent while the device goes down. */
        if (round % 4 == 1 && kernel_is(6, 11)) {
            CHECK(tuntap_down(dev, NULL) == 0);
            poll(NULL, 0, 2); /* Some packets are lost. */
            CHECK(tuntap_up(dev, NULL) == 0);
        }
        poll(NULL, 0, 5);
    }
    return unused;
}

/* The counters. */

static uint64_t socket_drops(void)
{
    uint64_t drops = 0;
    for (int i = 0; i < FLOWS; i++) {
        uint32_t information[SK_MEMINFO_VARS];
        socklen_t size = sizeof information;
        CHECK(getsockopt(sockets[i], SOL_SOCKET, MEMORY_INFORMATION, information, &size) == 0);
        drops += information[SK_MEMINFO_DROPS];
    }
    return drops;
}

/** The packets in the read direction that the device lost, from the kernel's counters. In the write direction the
 * device refuses packets and the writer reports them. The kernel's counter of those counts a super-packet as one
 * packet. */
static uint64_t device_drops(void)
{
    static const char columns[] = ": %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu %llu";
    char name[IF_NAMESIZE + 2] = " ";
    unsigned long long errors, drops;
    CHECK(if_indextoname((unsigned)index_, name + 1));
    const char *line = strstr(output_of("sed 's/^ */ /' /proc/net/dev"), name);
    CHECK(line && sscanf(line + strlen(name), columns, &errors, &drops) == 2);
    return errors + drops;
}

static long resident_kilobytes(void)
{
    return strtol(output_of("sed -n 's/^VmRSS: *//p' /proc/%d/status", (int)getpid()), NULL, 10);
}

/** Waits while packets arrive. Then every accepted packet has arrived or is counted as lost. */
static void all_packets_are_accounted_for(struct direction *direction, uint64_t (*drops)(void))
{
    char text[200];
    uint64_t received, counted;
    do {
        received = atomic_load(&direction->received);
        counted = received + atomic_load(&direction->reported_lost) + drops();
        if (counted == atomic_load(&direction->given))
            break;
        poll(NULL, 0, 500);
    } while (counted < atomic_load(&direction->given) && received != atomic_load(&direction->received));
    snprintf(text, sizeof text, "%s: %llu of %llu, the writer says %llu are lost, counters %llu", direction->name,
             (unsigned long long)received, (unsigned long long)atomic_load(&direction->given),
             (unsigned long long)atomic_load(&direction->reported_lost), (unsigned long long)drops());
    puts(text);
    if (counted != atomic_load(&direction->given))
        fail(__FILE__, __LINE__, "not all is accounted for", text);
}

static void prepare_device(void)
{
    static const char *const zeros[] = {"all/rp_filter", "default/rp_filter"};
    char path[64];
    begin();
    ipv4_only();
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s", zeros[i]);
        write_file(path, "0");
    }
    OK(tuntap_open("soak0", TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_open_queue(dev, 0, &other_queue, &err));
    /* Detaching a queue drops its packets without counting them, so all packets go to the first queue. */
    int program = program_returning(0, BPF_PROG_TYPE_SOCKET_FILTER);
    OK(tuntap_set_steering_ebpf(dev, program, &err));
    close(program);
    OK(tuntap_set_txqueuelen(dev, 10000, &err));
    OK(tuntap_up(dev, &err));
    /* The address is on lo, because the routes of an address on the device would come and go with its state. */
    IP("link set lo up");
    IP("address add 10.8.0.1/32 dev lo");
    index_ = (int)if_nametoindex("soak0");
    CHECK((packets = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) >= 0);
    for (int i = 0, size = 4 << 20; i < FLOWS; i++) {
        sockets[i] = udp_socket("10.8.0.1", PORT + (unsigned)i);
        setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
}

int main(void)
{
    static void *(*const thread_functions[])(void *) = {
        send_packets, write_packets, read_packets, receive_packets, disturb};
    pthread_t threads[5];
    if (!run_as("plain"))
        total = USUAL / 10;
    if (getenv("TUNTAP_SOAK"))
        total = strtoull(getenv("TUNTAP_SOAK"), NULL, 10) / 2;
    prepare_device();
    int open_before = descriptors();
    long memory = 0;
    start_signals(ignore_signal, 0);
    for (int i = 0; i < 5; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_functions[i], NULL) == 0);
    while (atomic_load(&in.given) < total / 4 || atomic_load(&out.given) < total / 4)
        poll(NULL, 0, 10);
    stop_signals();
    memory = resident_kilobytes();
    start_signals(ignore_signal, SA_RESTART);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&disturbing_ends, true);
    pthread_join(threads[4], NULL);
    stop_signals();
    all_packets_are_accounted_for(&out, device_drops);
    all_packets_are_accounted_for(&in, socket_drops);
    atomic_store(&done, true);
    tuntap_wake(dev);
    pthread_join(threads[2], NULL);
    pthread_join(threads[3], NULL);
    CHECK(descriptors() == open_before);
    CHECK(instrumented() || resident_kilobytes() < memory + 2048);
    tuntap_close(other_queue);
    tuntap_close(dev);
    needs_kernel(6, 11, "down and up, with a counter of what is lost");
    return 0;
}
