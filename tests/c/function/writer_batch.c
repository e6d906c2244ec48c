/* SPDX-License-Identifier: MIT */
#include "super.h"

#include <pthread.h>
#include <sys/mman.h>

enum { MANY = 1000 };

static struct super super;
static struct packets packets;
static tuntap_packet given[4097];
/** How many packets the call took. Every call writes it. */
static size_t taken;

/** The call in the statement reports that it took this number of packets. */
#define TAKES(number, statement)        \
    do {                                \
        taken = 12345;                  \
        statement;                      \
        CHECK(taken == (size_t)(number)); \
    } while (0)

static void list_all(void)
{
    for (size_t i = 0; i < packets.count; i++)
        given[i] = (tuntap_packet){packets.bytes + packets.at[i], length_of(&packets, i), 0};
}

/** Makes `count` datagrams of different flows, so that the writer joins none. */
static void many_flows(size_t count)
{
    uint8_t packet[100];
    clear(&packets);
    for (size_t i = 0; i < count; i++)
        append(&packets, packet, udp_packet(packet, "10.8.0.2", "10.8.0.1", 2000 + (unsigned)i, "hello", 5));
    list_all();
}

static uint64_t received(tuntap *dev)
{
    tuntap_stats stats;
    OK(tuntap_get_stats(dev, &stats, sizeof stats, &err));
    return stats.rx_packets;
}

static void packets_of_one_flow_are_joined(void)
{
    tuntap_writer *writer;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    clear(&packets);
    udp_super(&super, 20, 1000);
    split_super(&super, TUNTAP_TUN, &packets);
    list_all();
    TAKES(20, CHECK(tuntap_writer_batch(writer, given, packets.count, sizeof(tuntap_packet), &taken, NULL) == 0));
    receives_super(sock, 20, 1000);
    CHECK(received(dev) == joined(20));
    TAKES(0, CHECK(tuntap_writer_batch(writer, given, 0, sizeof(tuntap_packet), &taken, NULL) == 0));
    tuntap_writer_free(writer);
    close(sock);
    tuntap_close(dev);
}

/** The packets before the invalid one are written. The caller can continue behind it. */
static void an_invalid_packet_ends_the_batch(uint64_t flags)
{
    tuntap_writer *writer;
    tuntap *dev = ready_tun(flags);
    int sock = udp_socket("10.8.0.1", PORT);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    clear(&packets);
    udp_super(&super, 20, 1000);
    split_super(&super, TUNTAP_TUN, &packets);
    list_all();
    packets.bytes[packets.at[8]] = 0;
    TAKES(8, FAILS(tuntap_writer_batch(writer, given, 20, sizeof(tuntap_packet), &taken, &err), EINVAL, TUNTAP_REASON_PACKET));
    receives_super(sock, 8, 1000);
    TAKES(0, FAILS(tuntap_writer_batch(writer, given + 8, 12, sizeof(tuntap_packet), &taken, &err), EINVAL, TUNTAP_REASON_PACKET));
    CHECK(!is_readable(sock));
    TAKES(11, CHECK(tuntap_writer_batch(writer, given + 9, 11, sizeof(tuntap_packet), &taken, NULL) == 0));
    uint8_t data[1000];
    for (int i = 9; i < 20; i++) {
        memset(data, i, sizeof data);
        udp_receives(sock, data, sizeof data);
    }
    given[3].size = 0;
    TAKES(3, FAILS(tuntap_writer_batch(writer, given, 5, sizeof(tuntap_packet), &taken, &err), EINVAL, TUNTAP_REASON_PACKET));
    receives_super(sock, 3, 1000);
    given[2].size = 65536;
    TAKES(2, FAILS(tuntap_writer_batch(writer, given, 5, sizeof(tuntap_packet), &taken, &err), EMSGSIZE, TUNTAP_REASON_PACKET));
    receives_super(sock, 2, 1000);
    tuntap_writer_free(writer);
    close(sock);
    tuntap_close(dev);
}

/** A device that is down accepts no packet: all collected packets are lost, and each loss is reported once. */
static void losses_are_reported(void)
{
    static const char *const reported[] = {"1 packet is lost", "32 packets are lost", "1000 packets are lost"};
    static const size_t counts[] = {1, 32, MANY};
    tuntap_writer *writer;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    many_flows(MANY);
    IP("link set t0 down");
    for (int i = 0; i < 3; i++) {
        TAKES(counts[i], FAILS(tuntap_writer_batch(writer, given, counts[i], sizeof(tuntap_packet), &taken, &err), ENETDOWN,
                               TUNTAP_REASON_DOWN));
        CHECK(strstr(err.message, reported[i]));
        OK(tuntap_writer_flush(writer, &err));
    }

    /* If the batch fails for another reason, the next call reports the loss. */
    given[100].size = 10;
    TAKES(100, FAILS(tuntap_writer_batch(writer, given, MANY, sizeof(tuntap_packet), &taken, &err), EINVAL, TUNTAP_REASON_PACKET));
    FAILS(tuntap_writer_flush(writer, &err), ENETDOWN, TUNTAP_REASON_DOWN);
    MESSAGE_HAS("100 packets are lost");
    OK(tuntap_writer_flush(writer, &err));
    CHECK(received(dev) == 0);
    IP("link set t0 up");
    TAKES(50, CHECK(tuntap_writer_batch(writer, given, 50, sizeof(tuntap_packet), &taken, NULL) == 0));
    CHECK(received(dev) == 50);

    /* Joined packets are counted one by one. */
    clear(&packets);
    udp_super(&super, 20, 1000);
    split_super(&super, TUNTAP_TUN, &packets);
    list_all();
    IP("link delete t0");
    TAKES(20, FAILS(tuntap_writer_batch(writer, given, 20, sizeof(tuntap_packet), &taken, &err), ENODEV, TUNTAP_REASON_REMOVED));
    MESSAGE_HAS("20 packets are lost");
    tuntap_writer_free(writer);
    tuntap_close(dev);
}

/** Without offload each packet is written immediately, so none is lost. */
static void without_offload_no_packet_is_lost(void)
{
    tuntap_writer *writer;
    tuntap *dev = ready_tun(0);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    many_flows(10);
    IP("link set t0 down");
    TAKES(0, FAILS(tuntap_writer_batch(writer, given, 10, sizeof(tuntap_packet), &taken, &err), ENETDOWN, TUNTAP_REASON_DOWN));
    IP("link set t0 up");
    TAKES(10, OK(tuntap_writer_batch(writer, given, 10, sizeof(tuntap_packet), &taken, &err)));
    CHECK(received(dev) == 10);
    tuntap_writer_free(writer);
    tuntap_close(dev);
}

struct batch {
    tuntap_writer *writer;
    size_t count;
    long thread;
    size_t taken;
    int result;
    tuntap_error err;
    pthread_barrier_t started;
};

static void *write_batch(void *argument)
{
    struct batch *batch = argument;
    batch->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&batch->started);
    batch->result = tuntap_writer_batch(batch->writer, given, batch->count, sizeof(tuntap_packet), &batch->taken, &batch->err);
    return NULL;
}

static void do_nothing(int number)
{
    (void)number;
}

/** `end` ends a batch that waits for room. Then the packets that were taken, and the others, are written once. */
static void an_interrupted_wait_loses_no_packet(uint64_t flags, size_t count, void (*end)(tuntap *, pthread_t),
                                                int code, uint32_t reason)
{
    struct batch batch = {.count = count, .taken = 12345};
    pthread_t id;
    tuntap *dev = full_device(flags, 1);
    for (size_t i = 0; i < count; i++)
        given[i] = (tuntap_packet){(void *)stray_frame, sizeof stray_frame, 0};
    OK(tuntap_writer_new(dev, 0, &batch.writer, &err));
    uint64_t before = received(dev);
    CHECK(pthread_barrier_init(&batch.started, NULL, 2) == 0);
    CHECK(pthread_create(&id, NULL, write_batch, &batch) == 0);
    pthread_barrier_wait(&batch.started);
    wait_for_reader(batch.thread, tuntap_get_fd(dev, NULL));
    end(dev, id);
    CHECK(pthread_join(id, NULL) == 0);
    pthread_barrier_destroy(&batch.started);
    CHECK(batch.result == code && batch.err.code == code && batch.err.reason == reason);
    CHECK(batch.taken <= count && received(dev) == before);
    FAILS(tuntap_write_timeout(dev, stray_frame, sizeof stray_frame, 1, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
    make_room();
    OK(tuntap_set_sndbuf(dev, 1 << 30, &err));
    size_t rest = count - batch.taken;
    TAKES(rest, OK(tuntap_writer_batch(batch.writer, given, rest, sizeof(tuntap_packet), &taken, &err)));
    CHECK(received(dev) == before + count);
    tuntap_writer_free(batch.writer);
    close_full_device(dev);
}

static void wake(tuntap *dev, pthread_t thread)
{
    (void)thread;
    tuntap_wake(dev);
}

static void interrupt(tuntap *dev, pthread_t thread)
{
    struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
    (void)dev;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && pthread_kill(thread, SIGUSR1) == 0);
}

/** The writer takes the packets, and keeps them until there is room. */
static void without_room_packets_stay_in_the_writer(void)
{
    tuntap_writer *writer;
    tuntap *dev = full_device(TUNTAP_OFFLOAD | TUNTAP_NONBLOCK, 1);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    uint64_t before = received(dev);
    for (size_t i = 0; i < MANY * 2; i++)
        given[i] = (tuntap_packet){(void *)stray_frame, sizeof stray_frame, 0};
    TAKES(20, FAILS(tuntap_writer_batch(writer, given, 20, sizeof(tuntap_packet), &taken, &err), EAGAIN, TUNTAP_REASON_AGAIN));
    taken = 12345;
    FAILS(tuntap_writer_batch(writer, given, MANY * 2 - 20, sizeof(tuntap_packet), &taken, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    size_t first = taken + 20;
    CHECK(first > 500 && first < MANY * 2);
    FAILS(tuntap_writer_flush(writer, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    TAKES(0, FAILS(tuntap_writer_batch(writer, given, 5, sizeof(tuntap_packet), &taken, &err), EAGAIN, TUNTAP_REASON_AGAIN));
    tuntap_wake(dev);
    TAKES(0, FAILS(tuntap_writer_batch(writer, given, 5, sizeof(tuntap_packet), &taken, &err), ECANCELED, TUNTAP_REASON_WOKEN));
    make_room();
    OK(tuntap_set_sndbuf(dev, 1 << 30, &err));
    OK(tuntap_writer_flush(writer, &err));
    CHECK(received(dev) == before + first);
    tuntap_writer_free(writer);
    close_full_device(dev);
}

/** The call reads nothing of a list that cannot exist. The memory behind this list is not accessible. */
static void impossible_lists_are_refused(tuntap_writer *writer)
{
    static const size_t counts[] = {(size_t)-1, (size_t)-11, (size_t)1 << (8 * sizeof(size_t) - 1),
                                    (size_t)-1 / 2 / sizeof(tuntap_packet) + 1};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED && mprotect(pages + page, page, PROT_NONE) == 0);
    tuntap_packet *list = (tuntap_packet *)(void *)(pages + page) - 4;
    for (int i = 0; i < 4; i++)
        list[i] = given[i];
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        TAKES(0, FAILS(tuntap_writer_batch(writer, list, counts[i], sizeof(tuntap_packet), &taken, &err), EINVAL, TUNTAP_REASON_ARGUMENT));
    MESSAGE_HAS("larger than any memory");
    munmap(pages, 2 * page);
    tuntap_packet one = {given[0].data, (size_t)-40, 0};
    TAKES(0, FAILS(tuntap_writer_batch(writer, &one, 1, sizeof(tuntap_packet), &taken, &err), EINVAL, TUNTAP_REASON_ARGUMENT));
}

static void invalid_arguments_take_no_packet(void)
{
    tuntap_writer *writer;
    tuntap *dev = ready_tun(TUNTAP_OFFLOAD);
    OK(tuntap_writer_new(dev, 0, &writer, &err));
    many_flows(10);
    given[1].data = NULL;
    TAKES(0, FAILS(tuntap_writer_batch(writer, given, 3, sizeof(tuntap_packet), &taken, &err), EINVAL, TUNTAP_REASON_ARGUMENT));
    TAKES(0, FAILS(tuntap_writer_batch(writer, NULL, 3, sizeof(tuntap_packet), &taken, &err), EINVAL, TUNTAP_REASON_ARGUMENT));
    TAKES(0, FAILS(tuntap_writer_batch(NULL, given, 3, sizeof(tuntap_packet), &taken, &err), EINVAL, TUNTAP_REASON_ARGUMENT));
    FAILS(tuntap_writer_batch(writer, given, 1, sizeof(tuntap_packet), NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    many_flows(10);
    impossible_lists_are_refused(writer);
    OK(tuntap_writer_flush(writer, &err));
    CHECK(received(dev) == 0);
    tuntap_writer_free(writer);
    tuntap_close(dev);
}

int main(void)
{
    begin();
    ipv4_only();
    packets_of_one_flow_are_joined();
    an_invalid_packet_ends_the_batch(TUNTAP_OFFLOAD);
    an_invalid_packet_ends_the_batch(0);
    losses_are_reported();
    without_offload_no_packet_is_lost();
    invalid_arguments_take_no_packet();
    /* Fewer packets than a writer can hold, and more. */
    an_interrupted_wait_loses_no_packet(TUNTAP_OFFLOAD, 20, wake, -ECANCELED, TUNTAP_REASON_WOKEN);
    an_interrupted_wait_loses_no_packet(TUNTAP_OFFLOAD, 4000, wake, -ECANCELED, TUNTAP_REASON_WOKEN);
    an_interrupted_wait_loses_no_packet(TUNTAP_OFFLOAD, 20, interrupt, -EINTR, TUNTAP_REASON_INTERRUPTED);
    an_interrupted_wait_loses_no_packet(TUNTAP_OFFLOAD, 4000, interrupt, -EINTR, TUNTAP_REASON_INTERRUPTED);
    an_interrupted_wait_loses_no_packet(0, 20, wake, -ECANCELED, TUNTAP_REASON_WOKEN);
    an_interrupted_wait_loses_no_packet(0, 20, interrupt, -EINTR, TUNTAP_REASON_INTERRUPTED);
    without_room_packets_stay_in_the_writer();
    return 0;
}
