// SPDX-License-Identifier: MIT
/* What only a Mac can show: tests/darwin/check.sh builds it and runs it as root. A line for each check, with pass or
 * FAIL. The witness is never the library: ifconfig, route, netstat, and sockets. It makes devices of its own, with
 * addresses of 10.199.0.0/16 and fd00:c4ec::/32, and takes them away. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <tuntap.h>
#include <unistd.h>

#include "../c/values.h"

/* Packets that are looked at for one check, at most: what is wrong must not go on for ever. */
enum { MANY = 5000 };

static int failures;
static tuntap_error err;

static void report(int passed, const char *name)
{
    printf("%s  %s\n", passed ? "pass" : "FAIL", name);
    if (!passed && err.code)
        printf("      last error: %s\n", err.message);
    failures += !passed;
    memset(&err, 0, sizeof err);
}

/* Whether a command prints this text. */
static int says(const char *text, const char *format, ...)
{
    char command[256], line[512];
    int found = 0;
    va_list words;
    FILE *output;

    va_start(words, format);
    vsnprintf(command, sizeof command, format, words);
    va_end(words);
    if (!(output = popen(command, "r")))
        return 0;
    while (fgets(line, sizeof line, output))
        found |= strstr(line, text) != NULL;
    pclose(output);
    return found;
}

static struct sockaddr_storage address(const char *text, int port, socklen_t *size)
{
    struct sockaddr_storage any;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&any;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&any;

    memset(&any, 0, sizeof any);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        any.ss_family = AF_INET;
        v4->sin_port = htons(port);
        *size = sizeof *v4;
    } else {
        inet_pton(AF_INET6, text, &v6->sin6_addr);
        any.ss_family = AF_INET6;
        v6->sin6_port = htons(port);
        *size = sizeof *v6;
    }
    return any;
}

/* A UDP socket with a receive limit of two seconds, bound to an address of the host. */
static int udp(const char *own, int port)
{
    socklen_t size;
    struct timeval limit = {2, 0};
    struct sockaddr_storage at = address(own, port, &size);
    int fd = socket(at.ss_family, SOCK_DGRAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (bind(fd, (struct sockaddr *)&at, size) != 0)
        perror("bind");
    return fd;
}

static void send_to(int fd, const char *to, int port)
{
    socklen_t size;
    struct sockaddr_storage at = address(to, port, &size);

    sendto(fd, "hello", 5, 0, (struct sockaddr *)&at, size);
}

static int receives(int fd)
{
    char text[16];

    return recv(fd, text, sizeof text, 0) == 5;
}

static unsigned sum(const unsigned char *bytes, size_t length, unsigned sum)
{
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += bytes[i] << 8 | bytes[i + 1];
    if (length % 2)
        sum += bytes[length - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* A UDP packet with "hello"; its length. Without UDP checksum in IPv4, where that is allowed. */
static size_t udp_packet(unsigned char *packet, const char *from, const char *to, int port)
{
    int v6 = strchr(from, ':') != NULL;
    size_t header = v6 ? 40 : 20, length = header + 8 + 5;
    unsigned check;

    memset(packet, 0, length);
    packet[header] = packet[header + 2] = port >> 8;
    packet[header + 1] = packet[header + 3] = port & 255;
    packet[header + 5] = 13;
    memcpy(packet + header + 8, "hello", 5);
    if (v6) {
        packet[0] = 0x60;
        packet[5] = 13;
        packet[6] = IPPROTO_UDP;
        packet[7] = 64;
        inet_pton(AF_INET6, from, packet + 8);
        inet_pton(AF_INET6, to, packet + 24);
        check = ~sum(packet + 8, 32 + 13, IPPROTO_UDP + 13);
        packet[46] = check >> 8;
        packet[47] = check;
        return length;
    }
    packet[0] = 0x45;
    packet[3] = length;
    packet[8] = 64;
    packet[9] = IPPROTO_UDP;
    inet_pton(AF_INET, from, packet + 12);
    inet_pton(AF_INET, to, packet + 16);
    check = ~sum(packet, 20, 0);
    packet[10] = check >> 8;
    packet[11] = check;
    return length;
}

/* Reads until a packet of this IP version whose destination begins so; the kernel sends others of its own. */
static int reads(tuntap *dev, int version, const unsigned char *to, size_t octets)
{
    unsigned char packet[2048];

    for (int i = 0; i < MANY && tuntap_read_timeout(dev, packet, sizeof packet, 2000, &err) > 0; i++)
        if (packet[0] >> 4 == version && memcmp(packet + (version == 4 ? 16 : 24), to, octets) == 0)
            return 1;
    return 0;
}

static int readable(tuntap *dev, int milliseconds)
{
    struct pollfd entry = {tuntap_get_fd(dev, NULL), POLLIN, 0};

    return poll(&entry, 1, milliseconds) == 1;
}

/* Reads all that waits. */
static void drain(tuntap *dev)
{
    char packet[2048];

    for (int i = 0; i < MANY && tuntap_read_timeout(dev, packet, sizeof packet, 0, NULL) > 0; i++)
        ;
}

static double now(void)
{
    struct timeval time;

    gettimeofday(&time, NULL);
    return time.tv_sec + time.tv_usec / 1e6;
}

/* Whether a time limit ends a wait, whatever was read before; the kernel may send packets of its own. */
static int times_out(tuntap *dev)
{
    char packet[2048];

    for (int i = 0; i < 20; i++) {
        double start = now();
        ssize_t length = tuntap_read_timeout(dev, packet, sizeof packet, 500, &err);

        if (length < 0)
            return length == -ETIMEDOUT && now() - start < 2;
    }
    return 0;
}

static void *wake_soon(void *dev)
{
    usleep(200000);
    tuntap_wake(dev);
    return NULL;
}

static int is_woken(tuntap *dev)
{
    char packet[2048];
    ssize_t length = 1;
    pthread_t thread;

    drain(dev);
    pthread_create(&thread, NULL, wake_soon, dev);
    for (int i = 0; i < MANY && length > 0; i++)
        length = tuntap_read_timeout(dev, packet, sizeof packet, 5000, NULL);
    pthread_join(thread, NULL);
    return length == -ECANCELED;
}

static void *destroy_soon(void *name)
{
    usleep(200000);
    says("", "ifconfig %s destroy", (char *)name);
    return NULL;
}

/* Whether a reader that waits hears that this interface of its TAP is destroyed. */
static int hears_destruction(const char *tap, const char *name)
{
    char packet[2048], victim[32];
    ssize_t length = 1;
    pthread_t thread;
    tuntap *dev;

    if (tuntap_open(tap, TUNTAP_TAP, &dev, &err) != 0)
        return 0;
    snprintf(victim, sizeof victim, "%s", name);
    pthread_create(&thread, NULL, destroy_soon, victim);
    for (int i = 0; i < MANY && length > 0; i++)
        length = tuntap_read_timeout(dev, packet, sizeof packet, 5000, &err);
    pthread_join(thread, NULL);
    tuntap_close(dev);
    return length == -ENODEV && err.reason == TUNTAP_REASON_REMOVED;
}

/* Sends packets of 1,500 bytes that nobody reads meanwhile; how many of them are read then. */
static int burst(tuntap *dev, int fd, const unsigned char *to, int count)
{
    static const char payload[1472];
    unsigned char packet[2048];
    socklen_t size;
    struct sockaddr_storage at = address("10.199.1.9", 7777, &size);
    int found = 0;

    drain(dev);
    for (int i = 0; i < count; i++) {
        sendto(fd, payload, sizeof payload, 0, (struct sockaddr *)&at, size);
        usleep(i % 10 ? 0 : 1000);
    }
    for (int i = 0; i < MANY && found < count; i++) {
        ssize_t length = tuntap_read_timeout(dev, packet, sizeof packet, 500, NULL);

        if (length < 0)
            break;
        found += length == 1500 && packet[0] >> 4 == 4 && memcmp(packet + 16, to, 4) == 0;
    }
    return found;
}

/* Until an event of this kind, two seconds at most. */
static int hears(tuntap_monitor *monitor, uint32_t kind)
{
    tuntap_event event;

    while (tuntap_monitor_next(monitor, &event, sizeof event, 2000, &err) == 0)
        if (event.kind == kind)
            return 1;
    return 0;
}

static void check_tun(void)
{
    static const unsigned char far4[] = {10, 199, 1, 9}, behind[] = {10, 199, 7, 7},
                               far6[] = {0xfd, 0x00, 0xc4, 0xec};
    unsigned char packet[2048];
    tuntap *dev, *other;
    tuntap_monitor *monitor;
    char name[TUNTAP_NAME_SIZE];
    int fd, full = 0;
    size_t length;

    report(tuntap_monitor_open(NULL, 0, &monitor, &err) == 0 && hears(monitor, TUNTAP_EVENT_COMPLETE), "a monitor opens");
    report(tuntap_open("utun77", TUNTAP_TUN, &dev, &err) == 0, "a TUN opens by its name");
    report(says("UP", "ifconfig utun77") && says("mtu 1500", "ifconfig utun77"), "it is up, with an MTU of 1500");
    report(hears(monitor, TUNTAP_EVENT_DEVICE), "the monitor reports it");
    report(tuntap_open("utun77", TUNTAP_TUN, &other, &err) == -EBUSY && err.reason == TUNTAP_REASON_BUSY,
           "its name is taken");
    report(tuntap_open("utun%d", TUNTAP_TUN, &other, &err) == 0 && tuntap_get_name(other, name, sizeof name, &err) == 0 &&
               says(name, "ifconfig -l"),
           "another one opens, the first that is free");
    tuntap_close(other);
    report(!says(name, "ifconfig %s 2>&1 | grep -v 'does not exist'", name), "and is gone when it is closed");

    report(tuntap_set_addr(dev, "10.199.1.1/24", &err) == 0 && says("inet 10.199.1.1", "ifconfig utun77"), "IPv4 address");
    report(says("utun77", "route -n get 10.199.1.9"), "its network leads through the TUN");
    report(hears(monitor, TUNTAP_EVENT_ADDR_ADDED), "the monitor reports it");
    report(add_addr(dev, "fd00:c4ec::1/64", NULL, TUNTAP_ADDR_NODAD, &err) == 0 &&
               says("inet6 fd00:c4ec::1 prefixlen 64", "ifconfig utun77"),
           "IPv6 address");
    report(says("utun77", "route -n get -inet6 fd00:c4ec::9"), "its network leads through the TUN");

    fd = udp("10.199.1.1", 7777);
    send_to(fd, "10.199.1.9", 7777);
    report(reads(dev, 4, far4, sizeof far4), "an IPv4 packet goes out, without the family before it");
    report(burst(dev, fd, far4, 500) == 500, "500 packets of 1,500 bytes wait for a slow reader, and none is lost");
    report(times_out(dev), "a time limit ends a wait");
    length = udp_packet(packet, "10.199.1.9", "10.199.1.1", 7777);
    report(tuntap_write(dev, packet, length, &err) == (ssize_t)length && receives(fd), "an IPv4 packet comes in");
    for (int i = 0; i < 5000; i++)
        full += tuntap_write_timeout(dev, packet, length, 1000, &err) < 0;
    report(full == 0, "5,000 packets are written, with waits where there is no room");
    close(fd);
    fd = udp("fd00:c4ec::1", 7777);
    send_to(fd, "fd00:c4ec::9", 7777);
    report(reads(dev, 6, far6, sizeof far6), "an IPv6 packet goes out");
    length = udp_packet(packet, "fd00:c4ec::9", "fd00:c4ec::1", 7777);
    report(tuntap_write(dev, packet, length, &err) == (ssize_t)length && receives(fd), "an IPv6 packet comes in");
    close(fd);

    report(add_route(dev, "10.199.7.0/25", NULL, 0, 0, &err) == 0 && says("utun77", "route -n get 10.199.7.7"),
           "a route");
    fd = udp("10.199.1.1", 7778);
    send_to(fd, "10.199.7.7", 7778);
    report(reads(dev, 4, behind, sizeof behind), "and packets go there");
    close(fd);
    report(del_route(dev, "10.199.7.0/25", NULL, 0, 0, &err) == 0 && !says("utun77", "route -n get 10.199.7.7"),
           "it is deleted");
    report(add_route(dev, "10.199.8.0/24", "10.199.1.9", 0, 0, &err) == 0 &&
               says("10.199.1.9", "route -n get 10.199.8.1"),
           "a route by a gateway");

    report(tuntap_set_mtu(dev, 9000, &err) == 0 && says("mtu 9000", "ifconfig utun77"), "MTU");
    report(hears(monitor, TUNTAP_EVENT_MTU), "the monitor reports it");
    report(tuntap_down(dev, &err) == 0 && !says("<UP", "ifconfig utun77"), "down");
    report(hears(monitor, TUNTAP_EVENT_DOWN), "the monitor reports it");
    report(tuntap_up(dev, &err) == 0 && says("<UP", "ifconfig utun77"), "up");
    report(del_addr(dev, "10.199.1.1/24", NULL, &err) == 0 && !says("10.199.1.1", "ifconfig utun77") &&
               !says("utun77", "route -n get 10.199.1.9"),
           "an address is deleted, and the route to its network");
    says("", "route -n add -net 10.199.9.0/24 -interface lo0");
    report(add_addr(dev, "10.199.9.1/24", NULL, 0, &err) == 0 &&
               del_addr(dev, "10.199.9.1/24", NULL, &err) == 0 && says("lo0", "route -n get 10.199.9.77"),
           "a route of somebody else's to the network of an address stays when that is deleted");
    says("", "route -n delete -net 10.199.9.0/24");
    report(is_woken(dev), "tuntap_wake ends a wait");
    report(tuntap_write(dev, "?", 1, &err) == -EINVAL && err.reason == TUNTAP_REASON_PACKET, "what is no packet is refused");

    report(tuntap_open_fd(tuntap_get_fd(dev, NULL), TUNTAP_BORROW, &other, &err) == 0 &&
               tuntap_get_name(other, name, sizeof name, &err) == 0 && strcmp(name, "utun77") == 0,
           "its descriptor serves another handle");
    tuntap_close(other);
    report(says("utun77", "ifconfig -l"), "and the device stays when that is closed");
    tuntap_close(dev);
    report(!says("utun77", "ifconfig -l"), "and goes with its last descriptor");
    report(hears(monitor, TUNTAP_EVENT_REMOVED), "the monitor reports it");
    tuntap_monitor_close(monitor);
}

static void check_tap(void)
{
    static const unsigned char mac[] = {2, 0x11, 0x22, 0x33, 0x44, 0x55}, theirs[] = {2, 0, 0, 0, 0, 9};
    unsigned char frame[2048], inside[2048];
    char name[TUNTAP_NAME_SIZE];
    int fd, frames = 0, others = says("feth", "ifconfig -l");
    ssize_t length, asked = 0;
    tuntap *dev;

    report(tuntap_open("feth77", TUNTAP_TAP | TUNTAP_NONBLOCK, &dev, &err) == 0 && says("feth77", "ifconfig -l"),
           "a TAP opens by its name");
    if (!says("feth77", "ifconfig -l"))
        return;
    report(tuntap_get_name(dev, name, sizeof name, &err) == 0 && says("peer:", "ifconfig feth77"), "it has another end");
    report(tuntap_set_mac(dev, mac, &err) == 0 && says("ether 02:11:22:33:44:55", "ifconfig feth77"), "MAC address");
    report(tuntap_set_mtu(dev, 1400, &err) == 0 && says("mtu 1400", "ifconfig feth77"), "MTU");
    report(tuntap_set_addr(dev, "10.199.2.1/24", &err) == 0 && says("inet 10.199.2.1", "ifconfig feth77"), "IPv4 address");
    report(tuntap_up(dev, &err) == 0 && says("<UP", "ifconfig feth77"), "up");
    drain(dev);
    report(!readable(dev, 0), "poll finds nothing when all was read");

    fd = udp("10.199.2.1", 7777);
    send_to(fd, "10.199.2.9", 7777);
    for (int i = 0; i < MANY && !asked && readable(dev, 2000); i++)
        if ((length = tuntap_read(dev, frame, sizeof frame, &err)) > 0)
            asked |= length >= 42 && frame[12] == 8 && frame[13] == 6 && memcmp(frame + 38, "\x0a\xc7\x02\x09", 4) == 0;
    report(asked != 0, "an ARP request goes out, and poll reports it");
    memcpy(frame, mac, 6);
    memcpy(frame + 6, theirs, 6);
    memcpy(frame + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02", 10);
    memcpy(frame + 22, theirs, 6);
    memcpy(frame + 28, "\x0a\xc7\x02\x09", 4);
    memcpy(frame + 32, mac, 6);
    memcpy(frame + 38, "\x0a\xc7\x02\x01", 4);
    report(tuntap_write(dev, frame, 42, &err) == 42, "an answer is written");
    usleep(200000);
    report(says("2:0:0:0:0:9", "arp -n 10.199.2.9"), "and the host knows it");

    for (int i = 0; i < 20; i++)
        send_to(fd, "10.199.2.9", 7777);
    usleep(200000);
    for (int i = 0; i < MANY && readable(dev, 0); i++)
        if ((length = tuntap_read(dev, inside, sizeof inside, &err)) >= 47)
            frames += inside[12] == 8 && inside[13] == 0 && memcmp(inside + 42, "hello", 5) == 0;
    report(frames == 20, "20 frames come in one burst, none is lost, and poll reports each");

    memcpy(frame + 12, "\x08\x00", 2);
    length = 14 + udp_packet(frame + 14, "10.199.2.9", "10.199.2.1", 7777);
    report(tuntap_write(dev, frame, length, &err) == length && receives(fd), "a frame comes in");
    report(!readable(dev, 300), "and is not read again");
    report(times_out(dev), "a time limit ends a wait after frames were read");
    report(tuntap_set_nonblock(dev, 0, &err) == 0 && is_woken(dev), "tuntap_wake ends a wait");
    close(fd);
    tuntap_close(dev);
    report(!says(others ? "feth77" : "feth", "ifconfig -l"), "both ends are gone when it is closed");
    report(hears_destruction("feth77", "feth77"), "a reader that waits hears that its device is destroyed");
    if (!others)
        report(hears_destruction("feth77", "feth0"), "and that the other end is");
    report(!says(others ? "feth77" : "feth", "ifconfig -l"), "and what is left goes when it is closed");
}

/* Adds a bypass, drops root and closes the handle, in a process of its own. Reports what remains. */
static int bypasses_without_root(const char *server)
{
    int status = 0;
    tuntap *dev;

    fflush(stdout);
    if (fork() == 0) {
        if (tuntap_open("utun78", TUNTAP_TUN, &dev, &err) != 0 || tuntap_add_bypass(dev, server, 0, 0, 0, &err) != 0 ||
            !says(server, "netstat -rn -f inet") || setuid(65534) != 0)
            _exit(1);
        tuntap_close(dev);
        _exit(0);
    }
    wait(&status);
    return status == 0 && !says(server, "netstat -rn -f inet");
}

/* Needs a default route for IPv4. Its gateway is compared with that of route(8). */
static void check_bypass(void)
{
    static const char server[] = "198.51.100.7";
    tuntap_route route = {0}, halves = {0}, again = {0};
    tuntap *dev;
    int found;

    report(tuntap_find_route(NULL, server, NULL, 0, &route, sizeof route, &err) == 0 &&
               says(route.gateway, "route -n get %s", server) && says(route.source, "ifconfig"),
           "the route to a server is found, with its gateway and source");
    found = tuntap_find_route(NULL, "2001:db8::7", NULL, 0, &again, sizeof again, &err);
    report(found == 0 || (found == -ENETUNREACH && err.reason == TUNTAP_REASON_UNSET),
           "and with IPv6, if there is one");
    if (tuntap_open("utun77", TUNTAP_TUN, &dev, &err) != 0 || tuntap_set_addr(dev, "10.199.1.1/24", &err) != 0) {
        report(0, "a TUN for a bypass");
        return;
    }
    report(tuntap_find_route(dev, "10.199.1.9", NULL, 0, &again, sizeof again, &err) == 0 &&
               strcmp(again.destination, "10.199.1.0/24") == 0 && again.mtu == 1500 &&
               strcmp(again.source, "10.199.1.1") == 0,
           "a route through the TUN is found, with its network and MTU");
    report(tuntap_add_bypass(dev, server, 0, 0, 0, &err) == 0 && says(route.gateway, "route -n get %s", server) &&
               says(server, "netstat -rn -f inet"),
           "a bypass is a route by the same gateway");
    /* This host has no network until the default route is deleted. */
    report(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, 0, &err) == 0 &&
               tuntap_find_route(NULL, "198.51.100.8", NULL, 0, &halves, sizeof halves, &err) == 0 &&
               tuntap_find_route(NULL, server, NULL, 0, &again, sizeof again, &err) == 0,
           "a default route through the TUN");
    report(tuntap_del_default_route(dev, TUNTAP_IPV4, &err) == 0, "is deleted");
    report(strcmp(halves.destination, "128.0.0.0/1") == 0, "other packets take it");
    report(strcmp(again.gateway, route.gateway) == 0 && again.index == route.index, "those to the server bypass it");
    report(tuntap_add_bypass(dev, server, 0, 0, 0, &err) == 0 && tuntap_del_bypass(dev, server, 0, 0, &err) == 0 &&
               !says(server, "netstat -rn -f inet"),
           "the bypass is deleted");
    report(tuntap_add_bypass(dev, server, 0, 0, 0, &err) == 0, "another one");
    tuntap_close(dev);
    report(!says(server, "netstat -rn -f inet"), "ends with its handle");
    report(bypasses_without_root(server), "also without root");
}

static void check_privilege(void)
{
    int status = 0;
    tuntap *dev;

    fflush(stdout);
    if (fork() == 0) {
        if (setuid(65534) != 0)
            _exit(2);
        _exit(tuntap_open(NULL, TUNTAP_TUN, &dev, &err) == -EPERM && err.reason == TUNTAP_REASON_PRIVILEGE ? 0 : 1);
    }
    wait(&status);
    report(status == 0, "without privilege a TUN is refused, in words");
}

int main(void)
{
    if (geteuid() != 0) {
        fprintf(stderr, "run it as root\n");
        return 2;
    }
    /* Ten times what it takes: a wait without an end is a failure, too. */
    alarm(300);
    check_tun();
    check_tap();
    check_bypass();
    check_privilege();
    printf("%d failed\n", failures);
    return failures != 0;
}
