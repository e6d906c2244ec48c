/* SPDX-License-Identifier: MIT */
#include "packet.h"

#include <net/if.h>
#include <pthread.h>

static uint8_t buf[70000];
static uint8_t data[70000];

/** A device that is up and has 10.8.0.1/24. Packets to 10.8.0.2 go through it. */
static tuntap *ready(const char *name, uint64_t flags)
{
    tuntap *dev;
    OK(tuntap_open(name, flags, &dev, &err));
    IP("addr add 10.8.0.1/24 dev %s", name);
    IP("link set %s up", name);
    if (flags & TUNTAP_TAP)
        IP("neigh add 10.8.0.2 lladdr 02:00:00:00:00:02 dev %s nud permanent", name);
    return dev;
}

static void a_packet_arrives_as_it_was_sent(uint64_t flags, size_t header)
{
    static const size_t sizes[] = {0, 1, 999, 1472};
    tuntap *dev = ready("t0", flags);
    int sender = udp_socket("10.8.0.1", PORT);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t length = header + UDP_OVERHEAD + sizes[i];
        size_t rooms[] = {length, length + 1, 2000, sizeof buf};
        for (size_t j = 0; j < sizeof rooms / sizeof *rooms; j++) {
            memset(buf, 0xee, sizeof buf);
            udp_send(sender, "10.8.0.2", PORT, data, sizes[i]);
            OK(tuntap_read(dev, buf, rooms[j], &err));
            is_udp_packet(buf + header, length - header, "10.8.0.2", data, sizes[i]);
            CHECK(buf[length] == 0xee);
        }
    }
    if (flags & TUNTAP_PI)
        CHECK(memcmp(buf, "\0\0\x08\0", 4) == 0);
    if (flags & TUNTAP_TAP)
        CHECK(memcmp(buf + header - 14, "\2\0\0\0\0\2", 6) == 0 && memcmp(buf + header - 2, "\x08\0", 2) == 0);
    close(sender);
    tuntap_close(dev);
}

static void only_a_packet_that_is_too_long_is_lost(uint64_t flags, size_t header)
{
    tuntap *dev = ready("t0", flags);
    int sender = udp_socket("10.8.0.1", PORT);
    size_t length = header + UDP_OVERHEAD + 100;
    size_t rooms[] = {header, header + 40, length - 1};
    for (size_t j = 0; j < sizeof rooms / sizeof *rooms; j++) {
        size_t room = rooms[j];
        memset(buf, 0xee, sizeof buf);
        udp_send(sender, "10.8.0.2", PORT, data, 100);
        udp_send(sender, "10.8.0.2", PORT, data + 7, 99);
        FAILS(tuntap_read(dev, buf, room, &err), EMSGSIZE, TUNTAP_REASON_BUFFER);
        char size[32];
        snprintf(size, sizeof size, "of %zu bytes", room);
        CHECK(strstr(err.message, size) && strstr(err.message, "t0"));
        for (size_t i = room; i < sizeof buf; i++)
            CHECK(buf[i] == 0xee);
        OK(tuntap_read(dev, buf, sizeof buf, &err));
        is_udp_packet(buf + header, UDP_OVERHEAD + 99, "10.8.0.2", data + 7, 99);
    }
    udp_send(sender, "10.8.0.2", PORT, data, 100);
    CHECK(tuntap_read(dev, buf, length - 1, NULL) == -EMSGSIZE);
    for (size_t room = 0; flags & TUNTAP_PI && room < 4; room++) {
        udp_send(sender, "10.8.0.2", PORT, data, 100);
        FAILS(tuntap_read(dev, buf, room, &err), EINVAL, TUNTAP_REASON_BUFFER);
    }
    close(sender);
    tuntap_close(dev);
}

/** The kernel also sends IPv6 packets of its own, so the test reads until a UDP packet comes. */
static void packet_information_has_the_ether_type_of_ipv6(void)
{
    if (access("/proc/sys/net/ipv6", F_OK) != 0)
        return;
    write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "0");
    tuntap *dev = ready("t0", TUNTAP_TUN | TUNTAP_PI);
    IP("addr add fd00::1/64 dev t0 nodad");
    int sender = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    CHECK(inet_pton(AF_INET6, "fd00::2", &to.sin6_addr) == 1);
    CHECK(sendto(sender, data, 100, 0, (struct sockaddr *)&to, sizeof to) == 100);
    do
        OK(tuntap_read(dev, buf, sizeof buf, &err));
    while (buf[4] >> 4 != 6 || buf[10] != IPPROTO_UDP);
    CHECK(memcmp(buf, "\0\0\x86\xdd", 4) == 0);
    CHECK(memcmp(buf + 28, &to.sin6_addr, 16) == 0 && memcmp(buf + 4 + 48, data, 100) == 0);
    close(sender);
    tuntap_close(dev);
    ipv4_only();
}

static void without_a_packet_a_nonblocking_read_fails(void)
{
    tuntap *dev = ready("t0", TUNTAP_TUN | TUNTAP_NONBLOCK);
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    FAILS(tuntap_read(dev, buf, 1, &err), EAGAIN, TUNTAP_REASON_AGAIN);
    CHECK(tuntap_read(dev, buf, sizeof buf, NULL) == -EAGAIN);

    FAILS(tuntap_read(dev, NULL, sizeof buf, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    FAILS(tuntap_read(NULL, buf, sizeof buf, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    CHECK(tuntap_read(dev, NULL, sizeof buf, NULL) == -EINVAL);
    CHECK(tuntap_read(NULL, buf, sizeof buf, NULL) == -EINVAL);
    tuntap_close(dev);
}

static int sender_for_the_handler;
static volatile sig_atomic_t signals;

static void send_at_the_third_signal(int number)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    to.sin_addr.s_addr = htonl(0x0a080002);
    (void)number;
    if (++signals % 3 == 0)
        sendto(sender_for_the_handler, data, 50, 0, (struct sockaddr *)&to, sizeof to);
}

static void do_nothing(int number)
{
    (void)number;
}

/** The library waits in ppoll(2), which SA_RESTART does not restart. */
static void a_signal_ends_the_wait(size_t room)
{
    tuntap *dev = ready("t0", TUNTAP_TUN);
    static const int flags[] = {0, SA_RESTART};
    for (size_t i = 0; i < 2; i++) {
        start_signals(do_nothing, flags[i]);
        FAILS(tuntap_read(dev, buf, room, &err), EINTR, TUNTAP_REASON_INTERRUPTED);
        MESSAGE_HAS("read t0: interrupted by a signal");
        CHECK(tuntap_read(dev, buf, room, NULL) == -EINTR);
        stop_signals();
    }
    tuntap_close(dev);
}

/** The next call returns a packet that the signal handler sent. A queued packet comes before any signal. */
static void repeating_an_interrupted_read_loses_no_packet(size_t room)
{
    tuntap *dev = ready("t0", TUNTAP_TUN);
    ssize_t got;
    int interrupted = 0;
    sender_for_the_handler = udp_socket("10.8.0.1", PORT);
    start_signals(send_at_the_third_signal, SA_RESTART);
    while ((got = tuntap_read(dev, buf, room, NULL)) == -EINTR)
        interrupted++;
    stop_signals();
    CHECK(got == UDP_OVERHEAD + 50 && interrupted > 0);
    close(sender_for_the_handler);
    tuntap_close(dev);
}

/** An ignored signal does not interrupt the call. */
static void an_ignored_signal_does_not_end_the_wait(size_t room)
{
    tuntap *dev = ready("t0", TUNTAP_TUN);
    int sock = udp_socket("10.8.0.1", PORT);
    start_signals(SIG_IGN, 0);
    pid_t child = fork();
    if (child == 0) {
        poll(NULL, 0, 50);
        udp_send(sock, "10.8.0.2", PORT, data, 50);
        _exit(0);
    }
    OK(tuntap_read(dev, buf, room, &err));
    CHECK(waitpid(child, NULL, 0) == child);
    stop_signals();
    close(sock);
    tuntap_close(dev);
}

struct reader {
    tuntap *dev;
    size_t room;
    long thread;
    pthread_barrier_t started;
    ssize_t result;
    tuntap_error err;
};

static void *read_until_removed(void *argument)
{
    struct reader *reader = argument;
    reader->thread = syscall(SYS_gettid);
    pthread_barrier_wait(&reader->started);
    reader->result = tuntap_read(reader->dev, buf, reader->room, &reader->err);
    return NULL;
}

static void deleting_the_device_ends_the_wait(uint64_t flags, size_t room)
{
    struct reader reader = {.dev = ready("t0", flags), .room = room};
    pthread_t thread;
    CHECK(pthread_barrier_init(&reader.started, NULL, 2) == 0);
    CHECK(pthread_create(&thread, NULL, read_until_removed, &reader) == 0);
    pthread_barrier_wait(&reader.started);
    wait_for_reader(reader.thread, tuntap_get_fd(reader.dev, NULL));
    IP("link delete t0");
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&reader.started);
    CHECK(reader.result == -ENODEV);
    CHECK(reader.err.code == -ENODEV && reader.err.reason == TUNTAP_REASON_REMOVED);

    FAILS(tuntap_read(reader.dev, buf, room, &err), ENODEV, TUNTAP_REASON_REMOVED);
    CHECK(tuntap_read(reader.dev, buf, room, NULL) == -ENODEV);
    tuntap_close(reader.dev);
}

int main(void)
{
    begin();
    ipv4_only();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    static const struct {
        uint64_t flags;
        size_t header;
    } kinds[] = {{TUNTAP_TUN, 0}, {TUNTAP_TUN | TUNTAP_PI, 4}, {TUNTAP_TAP, 14}, {TUNTAP_TAP | TUNTAP_PI, 18}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        a_packet_arrives_as_it_was_sent(kinds[i].flags, kinds[i].header);
        only_a_packet_that_is_too_long_is_lost(kinds[i].flags, kinds[i].header);
    }
    packet_information_has_the_ether_type_of_ipv6();
    without_a_packet_a_nonblocking_read_fails();
    static const size_t rooms[] = {1500, sizeof buf};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        a_signal_ends_the_wait(rooms[i]);
        repeating_an_interrupted_read_loses_no_packet(rooms[i]);
        an_ignored_signal_does_not_end_the_wait(rooms[i]);
    }
    deleting_the_device_ends_the_wait(TUNTAP_TUN, 1500);
    deleting_the_device_ends_the_wait(TUNTAP_TAP | TUNTAP_PI, sizeof buf);
    return 0;
}
