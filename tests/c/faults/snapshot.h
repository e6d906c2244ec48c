/* SPDX-License-Identifier: MIT
 *
 * A picture of what there is, as text, taken by another process and without the library: interfaces, addresses and
 * routes as rtnetlink has them, attribute by attribute; and the threads and the descriptors of a child, those of
 * TUN and TAP devices with all that the driver reports of them. What the kernel counts up or does later is left out. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "scenario.h"

#include <linux/ethtool.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <sys/socket.h>

#define PICTURE_SIZE (64 * 1024)

struct picture {
    size_t length;
    unsigned flags;
    char text[PICTURE_SIZE];
};

static void say(struct picture *picture, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    size_t left = sizeof picture->text - picture->length;
    int length = vsnprintf(picture->text + picture->length, left, format, values);
    va_end(values);
    CHECK(length >= 0 && (size_t)length < left);
    picture->length += (size_t)length;
}

static void say_bytes(struct picture *picture, const char *what, unsigned kind, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    say(picture, "  %s %u ", what, kind);
    CHECK(picture->length + 2 * size + 2 < sizeof picture->text);
    char *to = picture->text + picture->length;
    for (size_t i = 0; i < size; i++) {
        *to++ = digits[((const uint8_t *)bytes)[i] >> 4];
        *to++ = digits[((const uint8_t *)bytes)[i] & 15];
    }
    memcpy(to, "\n", 2);
    picture->length += 2 * size + 1;
}

/** How IPv6 makes its own addresses: of IFLA_AF_SPEC, the rest of which counts. */
static void say_address_generation(struct picture *picture, struct rtattr *families)
{
    int left = (int)RTA_PAYLOAD(families);
    for (struct rtattr *family = RTA_DATA(families); RTA_OK(family, left); family = RTA_NEXT(family, left)) {
        int inside = (int)RTA_PAYLOAD(family);
        for (struct rtattr *it = RTA_DATA(family); family->rta_type == AF_INET6 && RTA_OK(it, inside);
             it = RTA_NEXT(it, inside))
            if (it->rta_type == IFLA_INET6_ADDR_GEN_MODE)
                say_bytes(picture, "IFLA_INET6", it->rta_type, RTA_DATA(it), RTA_PAYLOAD(it));
    }
}

/** The kernel takes a device that went up into service later, which changes these. */
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

/** Which of the offloads and other features are on, of a device in this process's network namespace. */
static void say_features(struct picture *picture, const char *name)
{
    /* struct ethtool_gfeatures: command, number of blocks, and four words a block, of which the third is what is on. */
    unsigned words[2 + 4 * 4] = {ETHTOOL_GFEATURES, 4};
    struct ifreq request = {.ifr_data = (void *)words};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (ioctl(sock, SIOCETHTOOL, &request) == 0)
        say(picture, "  features %08x %08x %08x\n", words[4], words[8], words[12]);
    close(sock);
}

static void say_link(struct picture *picture, struct nlmsghdr *message)
{
    struct ifinfomsg *link = NLMSG_DATA(message);
    int left = (int)IFLA_PAYLOAD(message);
    int own = link->ifi_index != 1;
    unsigned flags = link->ifi_flags & ~(unsigned)IFF_RUNNING;
    int index = own && picture->flags & NEW_INDEX ? 0 : link->ifi_index;
    say(picture, "link %d, type %u, flags %#x\n", index, link->ifi_type, flags);
    for (struct rtattr *it = IFLA_RTA(link); RTA_OK(it, left); it = RTA_NEXT(it, left)) {
        unsigned kind = it->rta_type & NLA_TYPE_MASK;
        if (kind == IFLA_AF_SPEC)
            say_address_generation(picture, it);
        if (!is_volatile(kind) && !(own && picture->flags & NEW_MAC && kind == IFLA_ADDRESS))
            say_bytes(picture, kind == IFLA_MTU ? "mtu" : "IFLA", kind, RTA_DATA(it), RTA_PAYLOAD(it));
        if (kind == IFLA_IFNAME && own)
            say_features(picture, RTA_DATA(it));
    }
}

static void say_address(struct picture *picture, struct nlmsghdr *message)
{
    struct ifaddrmsg *address = NLMSG_DATA(message);
    int left = (int)IFA_PAYLOAD(message);
    say(picture, "address, family %u, prefix %u, scope %u\n", address->ifa_family, address->ifa_prefixlen,
        address->ifa_scope);
    for (struct rtattr *it = IFA_RTA(address); RTA_OK(it, left); it = RTA_NEXT(it, left)) {
        unsigned flags;
        if (it->rta_type == IFA_FLAGS) {
            memcpy(&flags, RTA_DATA(it), sizeof flags);
            flags &= ~(unsigned)IFA_F_TENTATIVE;
            say_bytes(picture, "IFA", it->rta_type, &flags, sizeof flags);
        } else if (it->rta_type != IFA_CACHEINFO) {
            say_bytes(picture, "IFA", it->rta_type, RTA_DATA(it), RTA_PAYLOAD(it));
        }
    }
}

/** The routes of IPv6 to the host itself come and go with its addresses, a moment later. */
static void say_route(struct picture *picture, struct nlmsghdr *message)
{
    struct rtmsg *route = NLMSG_DATA(message);
    int left = (int)RTM_PAYLOAD(message);
    if (route->rtm_family == AF_INET6 && route->rtm_type != RTN_UNICAST)
        return;
    say(picture, "route, family %u, prefix %u, tos %u, table %u, protocol %u, scope %u, type %u\n", route->rtm_family,
        route->rtm_dst_len, route->rtm_tos, route->rtm_table, route->rtm_protocol, route->rtm_scope, route->rtm_type);
    for (struct rtattr *it = RTM_RTA(route); RTA_OK(it, left); it = RTA_NEXT(it, left))
        if (it->rta_type != RTA_CACHEINFO && it->rta_type != RTA_OIF)
            say_bytes(picture, "RTA", it->rta_type, RTA_DATA(it), RTA_PAYLOAD(it));
}

static void say_rule(struct picture *picture, struct nlmsghdr *message)
{
    struct fib_rule_hdr *rule = NLMSG_DATA(message);
    int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof *rule));
    say(picture, "rule, family %u, prefix %u, table %u, action %u\n", rule->family, rule->dst_len, rule->table,
        rule->action);
    struct rtattr *it = (void *)((char *)rule + sizeof *rule);
    for (; RTA_OK(it, left); it = RTA_NEXT(it, left))
        say_bytes(picture, "FRA", it->rta_type, RTA_DATA(it), RTA_PAYLOAD(it));
}

/** What the kernel lists of one kind and family. */
static void say_list(struct picture *picture, int sock, int kind, int family,
                     void (*say_one)(struct picture *, struct nlmsghdr *))
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
            say_one(picture, it);
        }
    }
}

static int netlink_socket(void)
{
    int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    CHECK(sock >= 0);
    return sock;
}

/** What is in the network namespace of the socket. */
static void say_network(struct picture *picture, int sock)
{
    say_list(picture, sock, RTM_GETLINK, AF_UNSPEC, say_link);
    say_list(picture, sock, RTM_GETADDR, AF_UNSPEC, say_address);
    say_list(picture, sock, RTM_GETROUTE, AF_INET, say_route);
    say_list(picture, sock, RTM_GETROUTE, AF_INET6, say_route);
    say_list(picture, sock, RTM_GETRULE, AF_INET, say_rule);
    say_list(picture, sock, RTM_GETRULE, AF_INET6, say_rule);
}

/** What the driver reports of a queue of the child. */
static void say_queue(struct picture *picture, pid_t child, int number)
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
        say(picture, ", queue of %s, flags %#x, sndbuf %d, header %d, little %d, netns %lu", request.ifr_name,
            (unsigned short)request.ifr_flags, sndbuf, header, little, (unsigned long)which.st_ino);
    }
    close(fd);
}

static void say_descriptor(struct picture *picture, pid_t child, int fd)
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
    say(picture, "descriptor of %s, flags %#x", to, flags);
    if (strcmp(to, "/dev/net/tun") == 0)
        say_queue(picture, child, fd);
    say(picture, "\n");
}

static int by_text(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/** In an order of their own, without their numbers: of those it does not matter which is which. */
static void say_descriptors(struct picture *picture, pid_t child)
{
    static struct picture lines;
    char *line[64];
    size_t count = 0;
    lines.length = 0;
    for (int fd = 0; fd < 64; fd++) {
        line[count] = lines.text + lines.length;
        say_descriptor(&lines, child, fd);
        if (line[count] != lines.text + lines.length)
            count++;
    }
    for (size_t i = 0; i < count; i++)
        line[i][strcspn(line[i], "\n")] = 0;
    qsort(line, count, sizeof *line, by_text);
    for (size_t i = 0; i < count; i++)
        say(picture, "%s\n", line[i]);
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

/** The kernel lists a thread for a moment after it was joined. */
static void say_threads(struct picture *picture, pid_t child)
{
    int count = threads_of(child);
    for (int tries = 0; count > 1 && tries < 50; tries++) {
        usleep(1000);
        count = threads_of(child);
    }
    say(picture, "%d threads\n", count);
}

/** What a persistent device keeps for its next user, who must have the same modes. */
static void say_idle(struct picture *picture, const char *name, int modes)
{
    int header = 0, little = 0, fd = if_nametoindex(name) ? join_by_hand(name, modes) : -1;
    if (fd < 0)
        return;
    CHECK(ioctl(fd, TUNGETVNETHDRSZ, &header) == 0 && ioctl(fd, TUNGETVNETLE, &little) == 0);
    say(picture, "kept for the next: header %d, little %d\n", header, little);
    close(fd);
}

/** The whole picture: both network namespaces, and the child. */
static void take_picture(struct picture *picture, unsigned flags, pid_t child, int here, int away)
{
    picture->length = 0;
    picture->flags = flags;
    say_network(picture, here);
    say(picture, "elsewhere:\n");
    say_network(picture, away);
    say_threads(picture, child);
    say_descriptors(picture, child);
    say(picture, "%s\n", shared->state);
}

/** The first line in which they differ, or NULL. */
static const char *difference(const struct picture *one, const struct picture *other)
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
