/* SPDX-License-Identifier: MIT
 *
 * Every system call fails in turn of every call that moves packets, waits for them, or watches devices. A packet that
 * was not read is still there, one that was not written did not arrive, and nothing is read or written twice. */
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
    /* From its first wait on, a handle has another descriptor. What is to come in a wait may come in this one. */
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

static void forget(void)
{
    memset(buf, 0, sizeof buf);
    memset(&event, 0, sizeof event);
    got = 0;
}

/** A packet waits to be read. */
static void a_packet(void)
{
    forget();
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
}

static void two_packets(void)
{
    a_packet();
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
}

/** By the process that looks on: it is sent while the call waits for it. */
static void a_packet_comes(UNUSED struct injector *it)
{
    int out = udp_socket("10.8.0.1", 0);
    udp_send(out, "10.8.0.2", PORT, "hello", 5);
    close(out);
}

static void a_signal_comes(struct injector *it)
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

/** What was read, and whether there is more. */
static void report_read(char *text, size_t size)
{
    snprintf(text, size, "read \"%.5s\", %s", (char *)buf + UDP_OVERHEAD,
             is_readable(tuntap_get_fd(dev, NULL)) ? "more" : "no more");
}

/** What was read: the packet comes in the middle of the call, and may be left. */
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
    forget();
}

CALL(read_it, tuntap_read(dev, buf, sizeof buf, &err))
CALL(read_short, tuntap_read(dev, buf, 100, &err))
CALL(read_limited, tuntap_read_timeout(dev, buf, sizeof buf, 500, &err))
/** The first wait of a handle, which makes a descriptor. */
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

CALL(write_it, tuntap_write(dev, packet, make_packet(), &err))
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

/** Takes a batch to its end. */
static long read_batch(void)
{
    void *at;
    ssize_t length = tuntap_reader_next(reader, &at, &err);
    if (length > 0)
        memcpy(buf, at, (size_t)length);
    return length;
}

/** Up to the end of the batch, where the next one begins. */
static void end_batch(long result)
{
    void *at;
    while (result > 0)
        result = tuntap_reader_next(reader, &at, &err);
    drain(0);
}

/** The reader's batch is over. */
static int over;

static long read_list(void)
{
    tuntap_packet list[8];
    ssize_t count = tuntap_reader_batch(reader, list, 8, sizeof *list, &err);
    for (ssize_t i = 0; i < count; i++)
        memcpy(buf, list[i].data, list[i].size);
    got += count > 0 ? (size_t)count : 0;
    over = count <= 0;
    return count > 0 ? 1 : count;
}

/** All packets come, in one batch or in two, and none comes twice. What failed behind some is the next call's failure. */
static void end_list(UNUSED long result)
{
    int failures = 0;
    while (!over || is_readable(tuntap_get_fd(dev, NULL)))
        CHECK(read_list() >= 0 || ++failures == 1);
    CHECK(got == 2);
    drain(0);
}

/* Of a writer, which goes on with the other packets when one fails: three, distinguished by their last byte. */

static unsigned arrived;
static int lost;

static size_t make_numbered(uint8_t *to, int number)
{
    char data[] = {'h', 'i', (char)number};
    return udp_packet(to, "10.8.0.2", "10.8.0.1", PORT, data, sizeof data);
}

/** None arrives twice. */
static void receive_numbered(UNUSED char *text, UNUSED size_t size)
{
    char data[64];
    while (recv(sock, data, sizeof data, MSG_DONTWAIT) == 3) {
        CHECK(!(arrived & 1U << data[2]));
        arrived |= 1U << data[2];
    }
}

/** What came of a call that took this many packets: after a signal they stay for the next call, and after any other
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

/** What was not reported as lost has arrived. */
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

/** Gives again what a batch did not take, and not what it took: nothing is missing but what was reported as lost. */
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

CALL(watch, tuntap_monitor_open(dev, 0, &monitor, &err))
CALL(watch_all, tuntap_monitor_open(NULL, 0, &monitor, &err))
CALL(watch_routes, tuntap_monitor_open(dev, TUNTAP_MONITOR_ROUTES, &monitor, &err))
CALL(next_event, tuntap_monitor_next(monitor, &event, sizeof event, 500, &err))
/** Nothing happens. ENOBUFS is an overrun, after which the present state is reported again. */
static long no_event(void)
{
    long result;
    while ((result = tuntap_monitor_next(monitor, &event, sizeof event, 15, &err)) == 0)
        forget();
    return result;
}

static void unwatch(long result)
{
    if (result == 0)
        tuntap_monitor_close(monitor);
}

static void take_events(void)
{
    while (tuntap_monitor_next(monitor, &event, sizeof event, 0, &err) == 0)
        continue;
    CHECK(err.code == -ETIMEDOUT);
    forget();
}

static void a_monitor(void)
{
    a_tun();
    OK(watch());
    take_events();
}

/** The descriptor that ends a wait is made by the first. */
static void a_monitor_that_has_waited(void)
{
    a_monitor();
    CHECK(tuntap_monitor_next(monitor, &event, sizeof event, 1, &err) == -ETIMEDOUT);
    forget();
}

static void a_fresh_monitor(void)
{
    OK(watch());
    take_events();
}

static void close_monitor(UNUSED long result)
{
    tuntap_monitor_close(monitor);
}

static void an_event(void)
{
    forget();
    OK(tuntap_set_mtu(dev, 1400, &err));
}

static void events_over(UNUSED long result)
{
    OK(tuntap_set_mtu(dev, 1500, &err));
    take_events();
}

#define WATCH "monitor|netlink socket|receive notifications"
#define READ(title, bits, ready, do_it) \
    {.name = title, .words = "read t0", .begin = a_tun, .prepare = ready, .call = do_it, .restore = drain, \
     .report = report_read, .flags = bits}
#define WAIT(title, come, do_it) \
    {.name = title, .words = "read t0", .begin = a_tun, .prepare = forget, .call = do_it, .restore = drain, \
     .report = report_data, .meanwhile = come}
#define WRITE(title, bits, do_it) \
    {.name = title, .words = "write t0", .begin = a_tun, .call = do_it, .report = report_received, .flags = bits}

static const struct scenario SCENARIOS[] = {
    READ("read", 0, a_packet, read_it),
    READ("read, into little", 0, a_packet, read_short),
    READ("read, with offload", TUNTAP_OFFLOAD, a_packet, read_it),
    READ("read, into little with offload", TUNTAP_OFFLOAD, a_packet, read_short),
    READ("read, non-blocking and nothing there", TUNTAP_NONBLOCK, forget, read_it),
    READ("read_timeout", 0, a_packet, read_limited),
    READ("read_timeout, that passes", 0, forget, read_late),
    READ("readv", 0, a_packet, readv_it),
    READ("readv, with offload", TUNTAP_OFFLOAD, a_packet, readv_it),
    READ("read_super", TUNTAP_OFFLOAD, a_packet, read_super),
    WAIT("read, of what comes", a_packet_comes, read_it),
    WAIT("read_timeout, of what comes", a_packet_comes, read_limited),
    WAIT("readv, of what comes", a_packet_comes, readv_it),
    {.name = "read_timeout, the first", .words = "read t0|take over a descriptor|take over descriptor|netlink",
     .begin = a_tun, .prepare = forget, .call = read_first, .restore = drain, .report = report_data,
     .meanwhile = a_packet_comes},
    {.name = "read, and a signal", .words = "read t0", .begin = a_tun_with_signals, .prepare = forget,
     .call = read_it, .restore = drain, .report = report_read, .meanwhile = a_signal_comes},
    {.name = "read, and a wake", .words = "read t0", .begin = a_tun_with_signals, .prepare = forget,
     .call = read_it, .restore = drain, .report = report_read, .meanwhile = a_signal_comes, .skipped = SYS_write + 1},

    WRITE("write", 0, write_it),
    WRITE("write, with offload", TUNTAP_OFFLOAD, write_it),
    WRITE("write_timeout", 0, write_limited),
    WRITE("writev", 0, writev_it),
    WRITE("writev, with offload", TUNTAP_OFFLOAD, writev_it),
    WRITE("write_super", TUNTAP_OFFLOAD, write_super),

    {.name = "reader_next", .words = "read t0", .begin = a_reader, .prepare = a_packet, .call = read_batch,
     .restore = end_batch, .report = report_read},
    {.name = "reader_next, with offload", .words = "read t0", .begin = a_reader, .prepare = a_packet,
     .call = read_batch, .restore = end_batch, .report = report_read, .flags = TUNTAP_OFFLOAD},
    {.name = "reader_next, of what comes", .words = "read t0", .begin = a_reader, .prepare = forget,
     .call = read_batch, .restore = end_batch, .report = report_data, .meanwhile = a_packet_comes},
    {.name = "reader_batch", .words = "read t0", .begin = a_reader, .prepare = two_packets, .call = read_list,
     .restore = end_list},
    {.name = "reader_batch, with offload", .words = "read t0", .begin = a_reader, .prepare = two_packets,
     .call = read_list, .restore = end_list, .flags = TUNTAP_OFFLOAD},
    {.name = "writer_flush, with offload", .words = "write t0", .begin = a_writer, .prepare = put_three, .call = flush,
     .restore = all_arrived, .report = receive_numbered, .flags = TUNTAP_OFFLOAD},
    {.name = "writer_batch", .words = "write t0", .begin = a_writer, .prepare = begin_list, .call = write_list,
     .restore = all_arrived, .report = receive_numbered, .once = 1},
    {.name = "writer_batch, with offload", .words = "write t0", .begin = a_writer, .prepare = begin_list,
     .call = write_list, .restore = all_arrived, .report = receive_numbered, .flags = TUNTAP_OFFLOAD, .once = 1},

    {.name = "monitor_open", .words = WATCH, .begin = a_tun, .call = watch, .restore = unwatch},
    {.name = "monitor_open, of all", .words = WATCH, .begin = a_tun, .call = watch_all,
     .restore = unwatch},
    {.name = "monitor_open, with routes", .words = WATCH, .begin = a_tun, .call = watch_routes, .restore = unwatch},
    {.name = "monitor_next", .words = WATCH, .begin = a_monitor, .prepare = an_event, .call = next_event,
     .restore = events_over, .report = report_event},
    {.name = "monitor_next, that passes", .words = WATCH "|wait for", .begin = a_monitor_that_has_waited,
     .prepare = forget, .call = no_event, .report = report_event},
    {.name = "monitor_next, the first wait", .words = WATCH "|wait for", .begin = a_tun, .prepare = a_fresh_monitor,
     .call = no_event, .restore = close_monitor, .report = report_event, .skipped = SYS_ppoll + 1},
};

int main(int argc, char **argv)
{
    return run(SCENARIOS, sizeof SCENARIOS / sizeof *SCENARIOS, argc > 1 ? argv[1] : NULL);
}
