/* SPDX-License-Identifier: MIT
 *
 * A snapshot of the system as text, which the supervisor takes without the library: interfaces, addresses, routes and
 * rules with all attributes of rtnetlink; the threads and the descriptors of a child; and for the descriptors of TUN
 * and TAP devices, all that the driver reports. Counters, and what the kernel changes later, are left out. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "scenario.h"

#include <linux/ethtool.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <sys/socket.h>

#define SNAPSHOT_SIZE (64 * 1024)

struct snapshot {
    size_t length;
    unsigned flags;
    char text[SNAPSHOT_SIZE];
};

static void print(struct snapshot *snapshot, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    size_t left = sizeof snapshot->text - snapshot->length;
    int length = vsnprintf(snapshot->text + snapshot->length, left, format, values);
    va_end(values);
    CHECK(length >= 0 && (size_t)length < left);
    snapshot->length += (size_t)length;
}

static void print_bytes(struct snapshot *snapshot, const char *what, unsigned kind, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    print(snapshot, "  %s %u ", what, kind);
    CHECK(snapshot->length + 2 * size + 2 < sizeof snapshot->text);
    char *to = snapshot->text + snapshot->length;
    for (size_t i = 0; i < size; i++) {
        *to++ = digits[((const uint8_t *)bytes)[i] >> 4];
        *to++ = digits[((const uint8_t *)bytes)[i] & 15];
    }
    memcpy(to, "\n", 2);
    snapshot->length += 2 * size + 1;
}

/** How IPv6 generates its addresses. The rest of IFLA_AF_SPEC are counters. */
static void print_address_generation(struct snapshot *snapshot, struct rtattr *families)
{
    int left = (int)RTA_PAYLOAD(families);
    for (struct rtattr *family = RTA_DATA(families); RTA_OK(family, left); family = RTA_NEXT(family, left)) {
        int inside = (int)RTA_PAYLOAD(family);
        for (struct rtattr *it = RTA_DATA(family); family->rta_type == AF_INET6 && RTA_OK(it, inside);
             it = RTA_NEXT(it, inside))
            if (it->rta_type == IFLA_INET6_ADDR_GEN_MODE)
                print_bytes(snapshot, "IFLA_INET6", it->rta_type, RTA_DATA(it), RTA_PAYLOAD(it));
    }
}

/** Counters, and attributes that the kernel changes a moment after a device went up. */
static int is_volatile(unsigned attribute)
{
    switch (attribute) {
    case IFLA_STATS:
    case IFLA_STATS64:
    case IFLA_OPERSTATE:
    case IFLA_QDISC:
    case IFLA_CARRIER_CHANGES:
    case IFLA_CARRIER_UP_COUNT:
    case IFLA_CARRIER_DOWN_COUNT:
    case IFLA_AF_SPEC:
        return 1;
    default:
        return 0;
    }
}

/** The features that ethtool shows as on, such as offloads, of a device in this process's network namespace. */
static void print_features(struct snapshot *snapshot, const char *name)
{
    /* struct ethtool_gfeatures: command, number of blocks, and four words per block. The third word is what is on. */
    unsigned words[2 + 4 * 4] = {ETHTOOL_GFEATURES, 4};
    struct ifreq request = {.ifr_data = (void *)words};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (ioctl(sock, SIOCETHTOOL, &request) == 0)
        print(snapshot, "  features %08x %08x %08x\n", words[4], words[8], words[12]);
    close(sock);
}

static void print_link(struct snapshot *snapshot, struct nlmsghdr *message)
{
    struct ifinfomsg *link = NLMSG_DATA(message);
    int left = (int)IFLA_PAYLOAD(message);
    int own = link->ifi_index != 1;
    unsigned flags = link->ifi_flags & ~(unsigned)IFF_RUNNING;
    int index = own && snapshot->flags & NEW_INDEX ? 0 : link->ifi_index;
    print(snapshot, "link %d, type %u, flags %#x\n", index, link->ifi_type, flags);
    for (struct rtattr *it = IFLA_RTA(link); RTA_OK(it, left); it = RTA_NEXT(it, left)) {
        unsigned kind = it->rta_type & NLA_TYPE_MASK;
        if (kind == IFLA_AF_SPEC)
            print_address_generation(snapshot, it);
        if (!is_volatile(kind) && !(own && snapshot->flags & NEW_MAC && kind == IFLA_ADDRESS))
            print_bytes(snapshot, kind == IFLA_MTU ? "mtu" : "IFLA", kind, RTA_DATA(it), RTA_PAYLOAD(it));
        if (kind == IFLA_IFNAME && own)
            print_features(snapshot, RTA_DATA(it));
    }
}

static void print_address(struct snapshot *snapshot, struct nlmsghdr *message)
{
    struct ifaddrmsg *address = NLMSG_DATA(message);
    int left = (int)IFA_PAYLOAD(message);
    print(snapshot, "address, family %u, prefix %u, scope %u\n", address->ifa_family, address->ifa_prefixlen,
        address->ifa_scope);
    for (struct rtattr *it = IFA_RTA(address); RTA_OK(it, left); it = RTA_NEXT(it, left)) {
        unsigned flags;
        if (it->rta_type == IFA_FLAGS) {
            memcpy(&flags, RTA_DATA(it), sizeof flags);
            flags &= ~(unsigned)IFA_F_TENTATIVE;
            print_bytes(snapshot, "IFA", it->rta_type, &flags, sizeof flags);
        } else if (it->rta_type != IFA_CACHEINFO) {
            print_bytes(snapshot, "IFA", it->rta_type, RTA_DATA(it), RTA_PAYLOAD(it));
        }
    }
}

/** Leaves out the local routes of IPv6: they come and go with the addresses, a moment later. */
static void print_route(struct snapshot *snapshot, struct nlmsghdr *message)
{
    struct rtmsg *route = NLMSG_DATA(message);
    int left = (int)RTM_PAYLOAD(message);
    if (route->rtm_family == AF_INET6 && route->rtm_type != RTN_UNICAST)
        return;
    print(snapshot, "route, family %u, prefix %u, tos %u, table %u, protocol %u, scope %u, type %u\n",
        route->rtm_family, route->rtm_dst_len, route->rtm_tos, route->rtm_table, route->rtm_protocol,
        route->rtm_scope, route->rtm_type);
    for (struct rtattr *it = RTM_RTA(route); RTA_OK(it, left); it = RTA_NEXT(it, left))
        if (it->rta_type != RTA_CACHEINFO && it->rta_type != RTA_OIF)
            print_bytes(snapshot, "RTA", it->rta_type, RTA_DATA(it), RTA_PAYLOAD(it));
}

static void print_rule(struct snapshot *snapshot, struct nlmsghdr *message)
{
    struct fib_rule_hdr *rule = NLMSG_DATA(message);
    int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof *rule));
    print(snapshot, "rule, family %u, prefix %u, table %u, action %u\n", rule->family, rule->dst_len, rule->table,
        rule->action);
    struct rtattr *it = (void *)((char *)rule + sizeof *rule);
    for (; RTA_OK(it, left); it = RTA_NEXT(it, left))
        print_bytes(snapshot, "FRA", it->rta_type, RTA_DATA(it), RTA_PAYLOAD(it));
}

/** All objects of one type and family that the kernel lists. */
static void print_list(struct snapshot *snapshot, int sock, int kind, int family,
                     void (*print_one)(struct snapshot *, struct nlmsghdr *))
{
    static char answer_buffer[65536];
    struct {
        struct nlmsghdr header;
        struct ifinfomsg body;
        struct rtattr mask;
        unsigned value;
    } request = {
        .header = {sizeof request, (uint16_t)kind, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .body = {.ifi_family = (uint8_t)family},
        .mask = {RTA_LENGTH(4), IFLA_EXT_MASK},
        .value = RTEXT_FILTER_SKIP_STATS,
    };
    if (kind != RTM_GETLINK)
        request.header.nlmsg_len = NLMSG_LENGTH(kind == RTM_GETADDR ? sizeof(struct ifaddrmsg) : sizeof(struct rtmsg));
    CHECK(send(sock, &request, request.header.nlmsg_len, 0) == (ssize_t)request.header.nlmsg_len);
    for (;;) {
        ssize_t length = recv(sock, answer_buffer, sizeof answer_buffer, 0);
        CHECK(length > 0);
        unsigned left = (unsigned)length;
        for (struct nlmsghdr *it = (void *)answer_buffer; NLMSG_OK(it, left); it = NLMSG_NEXT(it, left)) {
            CHECK(it->nlmsg_type != NLMSG_ERROR);
            if (it->nlmsg_type == NLMSG_DONE)
                return;
            print_one(snapshot, it);
        }
    }
}

static int netlink_socket(void)
{
    int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    CHECK(sock >= 0);
    return sock;
}

/** Everything in the network namespace of the socket. */
static void print_network(struct snapshot *snapshot, int sock)
{
    print_list(snapshot, sock, RTM_GETLINK, AF_UNSPEC, print_link);
    print_list(snapshot, sock, RTM_GETADDR, AF_UNSPEC, print_address);
    print_list(snapshot, sock, RTM_GETROUTE, AF_INET, print_route);
    print_list(snapshot, sock, RTM_GETROUTE, AF_INET6, print_route);
    print_list(snapshot, sock, RTM_GETRULE, AF_INET, print_rule);
    print_list(snapshot, sock, RTM_GETRULE, AF_INET6, print_rule);
}

/** All that the driver reports about a queue of the child. */
static void print_queue(struct snapshot *snapshot, pid_t child, int number)
{
    struct ifreq request = {.ifr_flags = 0};
    int sndbuf = 0, header = 0, little = 0;
    int fd = descriptor_of(child, number);
    CHECK(fd >= 0);
    if (ioctl(fd, TUNGETIFF, &request) == 0 && ioctl(fd, TUNGETSNDBUF, &sndbuf) == 0 &&
        ioctl(fd, TUNGETVNETHDRSZ, &header) == 0 && ioctl(fd, TUNGETVNETLE, &little) == 0) {
        int netns = ioctl(fd, TUNGETDEVNETNS);
        struct stat which = {.st_ino = 0};
        fstat(netns, &which);
        close(netns);
        print(snapshot, ", queue of %s, flags %#x, sndbuf %d, header %d, little %d, netns %lu", request.ifr_name,
            (unsigned short)request.ifr_flags, sndbuf, header, little, (unsigned long)which.st_ino);
    }
    close(fd);
}

static void print_descriptor(struct snapshot *snapshot, pid_t child, int fd)
{
    char path[64], to[256];
    unsigned flags = 0;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", child, fd);
    ssize_t length = readlink(path, to, sizeof to - 1);
    if (length < 0)
        return;
    to[length] = 0;
    to[strncmp(to, "socket:", 7) == 0 ? 7 : length] = 0;
    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", child, fd);
    FILE *info = fopen(path, "re");
    CHECK(info && fscanf(info, "pos: %*s flags: %o", &flags) == 1);
    fclose(info);
    print(snapshot, "descriptor of %s, flags %#x", to, flags);
    if (strcmp(to, "/dev/net/tun") == 0)
        print_queue(snapshot, child, fd);
    print(snapshot, "\n");
}

static int by_text(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/** All descriptors, sorted by their text and without their numbers: the numbers may differ. */
static void print_descriptors(struct snapshot *snapshot, pid_t child)
{
    static struct snapshot lines;
    char *line[64];
    size_t count = 0;
    lines.length = 0;
    for (int fd = 0; fd < 64; fd++) {
        line[count] = lines.text + lines.length;
        print_descriptor(&lines, child, fd);
        if (line[count] != lines.text + lines.length)
            count++;
    }
    for (size_t i = 0; i < count; i++)
        line[i][strcspn(line[i], "\n")] = 0;
    qsort(line, count, sizeof *line, by_text);
    for (size_t i = 0; i < count; i++)
        print(snapshot, "%s\n", line[i]);
}

static int threads_of(pid_t child)
{
    char path[64];
    int count = -2;
    snprintf(path, sizeof path, "/proc/%d/task", child);
    DIR *directory = opendir(path);
    CHECK(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/** The number of threads. The kernel still lists a thread for a moment after it was joined. */
static void print_threads(struct snapshot *snapshot, pid_t child)
{
    int count = threads_of(child);
    for (int tries = 0; count > 1 && tries < 50; tries++) {
        usleep(1000);
        count = threads_of(child);
    }
    print(snapshot, "%d threads\n", count);
}

/** What a persistent device keeps for its next user, who must request the same modes. */
static void print_idle(struct snapshot *snapshot, const char *name, int modes)
{
    int header = 0, little = 0, fd = if_nametoindex(name) ? join_by_hand(name, modes) : -1;
    if (fd < 0)
        return;
    CHECK(ioctl(fd, TUNGETVNETHDRSZ, &header) == 0 && ioctl(fd, TUNGETVNETLE, &little) == 0);
    print(snapshot, "kept for the next: header %d, little %d\n", header, little);
    close(fd);
}

/** The whole snapshot: both network namespaces, and the child. */
static void take_snapshot(struct snapshot *snapshot, unsigned flags, pid_t child, int here, int away)
{
    snapshot->length = 0;
    snapshot->flags = flags;
    print_network(snapshot, here);
    print(snapshot, "elsewhere:\n");
    print_network(snapshot, away);
    print_threads(snapshot, child);
    print_descriptors(snapshot, child);
    print(snapshot, "%s\n", shared->state);
}

/** The first line in which two snapshots differ, or NULL. */
static const char *difference(const struct snapshot *one, const struct snapshot *other)
{
    static char text[512];
    const char *a = one->text, *b = other->text;
    if (strcmp(a, b) == 0)
        return NULL;
    while (*a && *b) {
        size_t first = strcspn(a, "\n"), second = strcspn(b, "\n");
        if (first != second || strncmp(a, b, first) != 0)
            break;
        a += first + (a[first] != 0);
        b += second + (b[second] != 0);
    }
    snprintf(text, sizeof text, "\"%.*s\", not \"%.*s\"", (int)strcspn(b, "\n") > 200 ? 200 : (int)strcspn(b, "\n"), b,
             (int)strcspn(a, "\n") > 200 ? 200 : (int)strcspn(a, "\n"), a);
    return text;
}

#endif
