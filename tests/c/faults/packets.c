/* SPDX-License-Identifier: MIT
 *
 * Makes every system call fail in turn in every function that reads, writes or waits for packets, or monitors devices.
 * A packet that was not read is still queued, one that was not written did not arrive, and none is read or written
 * twice. */
#include "calls.h"

#include "../super.h"

static tuntap *dev;
static tuntap_reader *reader;
static tuntap_writer *writer;
static tuntap_monitor *monitor;
static int sock;
static uint8_t buf[70000];
static tuntap_event event;
static tuntap_vnet_hdr hdr;
static size_t got;

/** A TUN that is up, with a socket on the other side. */
static void a_tun(void)
{
    ipv4_only();
    OK(tuntap_open("t0", TUNTAP_TUN | current->flags, &dev, &err));
    OK(add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(tuntap_up(dev, &err));
    sock = udp_socket("10.8.0.1", PORT);
    /* The first wait of a handle makes another descriptor, so let it happen now. */
    (void)tuntap_read_timeout(dev, buf, sizeof buf, 1, &err);
}

static void a_reader(void)
{
    a_tun();
    OK(tuntap_reader_new(dev, 0, &reader, &err));
}

static void a_writer(void)
{
    a_tun();
    OK(tuntap_writer_new(dev, 0, &writer, &err));
}

static void clear_results(void)
{
    memset(buf, 0, sizeof buf);
    memset(&event, 0, sizeof event);
    got = 0;
}

/** Sends a packet to be read. */
static void send_packet(void)
{
    clear_results();
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
}

static void send_two_packets(void)
{
    send_packet();
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
}

/** In the supervisor: sends a packet while the call waits for it. */
static void send_during_wait(UNUSED struct injector *it)
{
    int out = udp_socket("10.8.0.1", 0);
    udp_send(out, "10.8.0.2", PORT, "hello", 5);
    close(out);
}

static void signal_during_wait(struct injector *it)
{
    kill(it->child, SIGUSR1);
}

static void on_signal(UNUSED int signal)
{
    if (current->skipped)
        tuntap_wake(dev);
}

static void a_tun_with_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    a_tun();
}

/** The packet that was read, and whether more are queued. */
static void report_read(char *text, size_t size)
{
    snprintf(text, size, "read \"%.5s\", %s", (char *)buf + UDP_OVERHEAD,
             is_readable(tuntap_get_fd(dev, NULL)) ? "more" : "no more");
}

/** The packet that was read. It arrives during the call, so it may still be queued. */
static void report_data(char *text, size_t size)
{
    snprintf(text, size, "read \"%.5s\"", (char *)buf + UDP_OVERHEAD);
}

/** How many datagrams the socket received. */
static void report_received(char *text, size_t size)
{
    char data[64];
    int count = 0;
    while (recv(sock, data, sizeof data, MSG_DONTWAIT) > 0)
        count++;
    snprintf(text, size, "%d received", count);
}

static void report_event(char *text, size_t size)
{
    int fits = event.kind == TUNTAP_EVENT_MTU || event.kind == TUNTAP_EVENT_OVERRUN;
    snprintf(text, size, "%s", event.kind == 0 ? "no event" : fits ? "the event" : "another event");
}

static void drain(UNUSED long result)
{
    while (is_readable(tuntap_get_fd(dev, NULL)) && read(tuntap_get_fd(dev, NULL), buf, sizeof buf) > 0)
        continue;
    clear_results();
}

CALL(read_packet, tuntap_read(dev, buf, sizeof buf, &err))
CALL(read_short, tuntap_read(dev, buf, 100, &err))
CALL(read_limited, tuntap_read_timeout(dev, buf, sizeof buf, 500, &err))
/** The first wait of a handle makes a descriptor. */
static long read_first(void)
{
    tuntap *copy;
    long result = tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW, &copy, &err);
    if (result == 0) {
        result = tuntap_read_timeout(copy, buf, sizeof buf, 500, &err);
        tuntap_close(copy);
    }
    return result;
}

CALL(read_late, tuntap_read_timeout(dev, buf, sizeof buf, 15, &err))
CALL(read_super, tuntap_read_super(dev, &hdr, sizeof hdr, buf, sizeof buf, &err))

static long readv_it(void)
{
    struct iovec parts[] = {{buf, UDP_OVERHEAD}, {buf + UDP_OVERHEAD, 2}, {buf + UDP_OVERHEAD + 2, 60000}};
    return tuntap_readv(dev, parts, 3, &err);
}

static uint8_t packet[64];

static size_t make_packet(void)
{
    return udp_packet(packet, "10.8.0.2", "10.8.0.1", PORT, "hello", 5);
}

CALL(write_packet, tuntap_write(dev, packet, make_packet(), &err))
CALL(write_limited, tuntap_write_timeout(dev, packet, make_packet(), 500, &err))

static long writev_it(void)
{
    size_t size = make_packet();
    struct iovec parts[] = {{packet, 10}, {packet + 10, size - 10}};
    return tuntap_writev(dev, parts, 2, &err);
}

static long write_super(void)
{
    static struct super super;
    udp_super(&super, 3, 20);
    return tuntap_write_super(dev, &super.hdr, sizeof super.hdr, super.packet, super.size, &err);
}

/** Reads the first packet of a batch. */
static long read_batch(void)
{
    void *at;
    ssize_t length = tuntap_reader_next(reader, &at, &err);
    if (length > 0)
        memcpy(buf, at, (size_t)length);
    return length;
}

/** Reads up to the end of the batch. */
static void end_batch(long result)
{
    void *at;
    while (result > 0)
        result = tuntap_reader_next(reader, &at, &err);
    drain(0);
}

/** Whether the reader's batch has ended. */
static int batch_ended;

static long read_list(void)
{
    tuntap_packet list[8];
    ssize_t count = tuntap_reader_batch(reader, list, 8, sizeof *list, &err);
    for (ssize_t i = 0; i < count; i++)
        memcpy(buf, list[i].data, list[i].size);
    got += count > 0 ? (size_t)count : 0;
    batch_ended = count <= 0;
    return count > 0 ? 1 : count;
}

/** All packets come once, in one batch or in two. The next call reports a failure that happened behind a packet. */
static void end_list(UNUSED long result)
{
    int failures = 0;
    while (!batch_ended || is_readable(tuntap_get_fd(dev, NULL)))
        CHECK(read_list() >= 0 || ++failures == 1);
    CHECK(got == 2);
    drain(0);
}

/* A writer continues with the other packets when one fails. These three packets differ in their last byte. */

static unsigned arrived;
static int lost;

static size_t make_numbered(uint8_t *to, int number)
{
    char data[] = {'h', 'i', (char)number};
    return udp_packet(to, "10.8.0.2", "10.8.0.1", PORT, data, sizeof data);
}

/** No packet arrives twice. */
static void receive_numbered(UNUSED char *text, UNUSED size_t size)
{
    char data[64];
    while (recv(sock, data, sizeof data, MSG_DONTWAIT) == 3) {
        CHECK(!(arrived & 1U << data[2]));
        arrived |= 1U << data[2];
    }
}

/** Counts the failures that may lose a packet. After a signal the packets stay for the next call. After any other
 * failure one of them may be lost. */
static long outcome_of(long result, size_t took)
{
    lost += result < 0 && result != -EINTR && took > 0;
    return result;
}

static void put_three(void)
{
    uint8_t bytes[64];
    arrived = 0;
    lost = 0;
    for (int i = 0; i < 3; i++)
        OK(tuntap_writer_put(writer, bytes, make_numbered(bytes, i), &err));
}

static void begin_list(void)
{
    arrived = 0;
    lost = 0;
}

/** Every packet that was not reported as lost has arrived. */
static void all_arrived(UNUSED long result)
{
    int missing = 0;
    for (int tries = 0; tries < 4 && outcome_of(tuntap_writer_flush(writer, &err), 3) < 0; tries++)
        continue;
    receive_numbered(NULL, 0);
    for (int i = 0; i < 3; i++)
        missing += !(arrived & 1U << i);
    CHECK(missing <= lost);
}

CALL(flush, outcome_of(tuntap_writer_flush(writer, &err), 3))

/** Repeats only the packets that a batch did not take. Only packets that were reported as lost are missing. */
static long write_list(void)
{
    static uint8_t bytes[3][64];
    tuntap_packet list[3];
    size_t done = 0, taken;
    for (int i = 0; i < 3; i++)
        list[i] = (tuntap_packet){bytes[i], make_numbered(bytes[i], i), 0};
    long first = 0;
    for (int tries = 0; done < 3 && tries < 4; tries++) {
        long result = tuntap_writer_batch(writer, list + done, 3 - done, sizeof *list, &taken, &err);
        outcome_of(result, taken);
        first = first ? first : result;
        done += taken;
    }
    return first;
}

CALL(open_monitor, tuntap_monitor_open(dev, 0, &monitor, &err))
CALL(open_monitor_of_all, tuntap_monitor_open(NULL, 0, &monitor, &err))
CALL(open_monitor_with_routes, tuntap_monitor_open(dev, TUNTAP_MONITOR_ROUTES, &monitor, &err))
CALL(next_event, tuntap_monitor_next(monitor, &event, sizeof event, 500, &err))
/** No event occurs. ENOBUFS is an overrun, and then the current state is reported again. */
static long no_event(void)
{
    long result;
    while ((result = tuntap_monitor_next(monitor, &event, sizeof event, 15, &err)) == 0)
        clear_results();
    return result;
}

static void close_opened_monitor(long result)
{
    if (result == 0)
        tuntap_monitor_close(monitor);
}

static void take_events(void)
{
    while (tuntap_monitor_next(monitor, &event, sizeof event, 0, &err) == 0)
        continue;
    CHECK(err.code == -ETIMEDOUT);
    clear_results();
}

static void a_monitor(void)
{
    a_tun();
    OK(open_monitor());
    take_events();
}

/** The first wait of a monitor makes a descriptor. */
static void a_monitor_that_has_waited(void)
{
    a_monitor();
    CHECK(tuntap_monitor_next(monitor, &event, sizeof event, 1, &err) == -ETIMEDOUT);
    clear_results();
}

static void a_fresh_monitor(void)
{
    OK(open_monitor());
    take_events();
}

static void close_monitor(UNUSED long result)
{
    tuntap_monitor_close(monitor);
}

static void change_mtu(void)
{
    clear_results();
    OK(tuntap_set_mtu(dev, 1400, &err));
}

static void restore_mtu(UNUSED long result)
{
    OK(tuntap_set_mtu(dev, 1500, &err));
    take_events();
}

#define WATCH "monitor|netlink socket|receive notifications"
#define READ(title, bits, ready, do_it) \
    {.name = title, .words = "read t0", .begin = a_tun, .prepare = ready, .call = do_it, .restore = drain, \
     .report = report_read, .flags = bits}
#define WAIT(title, action, do_it) \
    {.name = title, .words = "read t0", .begin = a_tun, .prepare = clear_results, .call = do_it, .restore = drain, \
     .report = report_data, .meanwhile = action}
#define WRITE(title, bits, do_it) \
    {.name = title, .words = "write t0", .begin = a_tun, .call = do_it, .report = report_received, .flags = bits}

static const struct scenario SCENARIOS[] = {
    READ("read", 0, send_packet, read_packet),
    READ("read, into little", 0, send_packet, read_short),
    READ("read, with offload", TUNTAP_OFFLOAD, send_packet, read_packet),
    READ("read, into little with offload", TUNTAP_OFFLOAD, send_packet, read_short),
    READ("read, non-blocking and nothing there", TUNTAP_NONBLOCK, clear_results, read_packet),
    READ("read_timeout", 0, send_packet, read_limited),
    READ("read_timeout, that passes", 0, clear_results, read_late),
    READ("readv", 0, send_packet, readv_it),
    READ("readv, with offload", TUNTAP_OFFLOAD, send_packet, readv_it),
    READ("read_super", TUNTAP_OFFLOAD, send_packet, read_super),
    WAIT("read, of what comes", send_during_wait, read_packet),
    WAIT("read_timeout, of what comes", send_during_wait, read_limited),
    WAIT("readv, of what comes", send_during_wait, readv_it),
    {.name = "read_timeout, the first", .words = "read t0|take over a descriptor|take over descriptor|netlink",
     .begin = a_tun, .prepare = clear_results, .call = read_first, .restore = drain, .report = report_data,
     .meanwhile = send_during_wait},
    {.name = "read, and a signal", .words = "read t0", .begin = a_tun_with_signals, .prepare = clear_results,
     .call = read_packet, .restore = drain, .report = report_read, .meanwhile = signal_during_wait},
    {.name = "read, and a wake", .words = "read t0", .begin = a_tun_with_signals, .prepare = clear_results,
     .call = read_packet, .restore = drain, .report = report_read, .meanwhile = signal_during_wait,
     .skipped = SYS_write + 1},

    WRITE("write", 0, write_packet),
    WRITE("write, with offload", TUNTAP_OFFLOAD, write_packet),
    WRITE("write_timeout", 0, write_limited),
    WRITE("writev", 0, writev_it),
    WRITE("writev, with offload", TUNTAP_OFFLOAD, writev_it),
    WRITE("write_super", TUNTAP_OFFLOAD, write_super),

    {.name = "reader_next", .words = "read t0", .begin = a_reader, .prepare = send_packet, .call = read_batch,
     .restore = end_batch, .report = report_read},
    {.name = "reader_next, with offload", .words = "read t0", .begin = a_reader, .prepare = send_packet,
     .call = read_batch, .restore = end_batch, .report = report_read, .flags = TUNTAP_OFFLOAD},
    {.name = "reader_next, of what comes", .words = "read t0", .begin = a_reader, .prepare = clear_results,
     .call = read_batch, .restore = end_batch, .report = report_data, .meanwhile = send_during_wait},
    {.name = "reader_batch", .words = "read t0", .begin = a_reader, .prepare = send_two_packets, .call = read_list,
     .restore = end_list},
    {.name = "reader_batch, with offload", .words = "read t0", .begin = a_reader, .prepare = send_two_packets,
     .call = read_list, .restore = end_list, .flags = TUNTAP_OFFLOAD},
    {.name = "writer_flush, with offload", .words = "write t0", .begin = a_writer, .prepare = put_three, .call = flush,
     .restore = all_arrived, .report = receive_numbered, .flags = TUNTAP_OFFLOAD},
    {.name = "writer_batch", .words = "write t0", .begin = a_writer, .prepare = begin_list, .call = write_list,
     .restore = all_arrived, .report = receive_numbered, .once = 1},
    {.name = "writer_batch, with offload", .words = "write t0", .begin = a_writer, .prepare = begin_list,
     .call = write_list, .restore = all_arrived, .report = receive_numbered, .flags = TUNTAP_OFFLOAD, .once = 1},

    {.name = "monitor_open", .words = WATCH, .begin = a_tun, .call = open_monitor, .restore = close_opened_monitor},
    {.name = "monitor_open, of all", .words = WATCH, .begin = a_tun, .call = open_monitor_of_all,
     .restore = close_opened_monitor},
    {.name = "monitor_open, with routes", .words = WATCH, .begin = a_tun, .call = open_monitor_with_routes,
     .restore = close_opened_monitor},
    {.name = "monitor_next", .words = WATCH, .begin = a_monitor, .prepare = change_mtu, .call = next_event,
     .restore = restore_mtu, .report = report_event},
    {.name = "monitor_next, that passes", .words = WATCH "|wait for", .begin = a_monitor_that_has_waited,
     .prepare = clear_results, .call = no_event, .report = report_event},
    {.name = "monitor_next, the first wait", .words = WATCH "|wait for", .begin = a_tun, .prepare = a_fresh_monitor,
     .call = no_event, .restore = close_monitor, .report = report_event, .skipped = SYS_ppoll + 1},
};

int main(int argc, char **argv)
{
    return run(SCENARIOS, sizeof SCENARIOS / sizeof *SCENARIOS, argc > 1 ? argv[1] : NULL);
}
