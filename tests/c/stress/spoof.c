/* SPDX-License-Identifier: MIT
 *
 * A process without privilege outside its own user namespace sends forged kernel messages to each rtnetlink socket in
 * its network namespace, and to the multicast groups. A handle and a monitor of root accept messages only from the
 * kernel, also during a flood. */
#include "event.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

enum { CALLS = 200, FORGED_MTU = 666, FORGED_INDEX = 4242 };

/** A forged message, and behind it the end of an answer. */
struct forgery {
    uint8_t bytes[256];
    size_t length;
};

static void attribute(struct forgery *forgery, unsigned short type, const void *value, size_t size)
{
    struct rtattr head = {.rta_len = (unsigned short)RTA_LENGTH(size), .rta_type = type};
    memcpy(forgery->bytes + forgery->length, &head, sizeof head);
    memcpy(forgery->bytes + forgery->length + RTA_LENGTH(0), value, size);
    forgery->length += RTA_SPACE(size);
}

static struct forgery forge(unsigned short type, int index, unsigned sequence, unsigned port)
{
    struct forgery forgery = {.length = NLMSG_SPACE(sizeof(struct ifinfomsg))};
    struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP};
    uint32_t mtu = FORGED_MTU;
    attribute(&forgery, IFLA_IFNAME, "t0", 3);
    attribute(&forgery, IFLA_MTU, &mtu, sizeof mtu);
    struct nlmsghdr header = {(unsigned)forgery.length, type, 0, sequence, port};
    memcpy(forgery.bytes, &header, sizeof header);
    memcpy(forgery.bytes + NLMSG_HDRLEN, &link, sizeof link);
    struct nlmsghdr end = {NLMSG_LENGTH(sizeof(struct nlmsgerr)), NLMSG_ERROR, 0, sequence, port};
    memcpy(forgery.bytes + forgery.length, &end, sizeof end);
    forgery.length += end.nlmsg_len;
    return forgery;
}

/** Finds the rtnetlink sockets in this network namespace. Returns their number. */
static size_t find_ports(unsigned *ports, size_t most)
{
    char line[300];
    unsigned protocol, port;
    size_t count = 0;
    FILE *list = fopen("/proc/thread-self/net/netlink", "r");
    CHECK(list);
    while (fgets(line, sizeof line, list))
        if (sscanf(line, "%*s %u %u", &protocol, &port) == 2 && protocol == NETLINK_ROUTE && port && count < most)
            ports[count++] = port;
    fclose(list);
    return count;
}

/** Sends a forged message. Returns 0 or the errno. */
static int send_forgery(int sock, unsigned port, unsigned groups, const struct forgery *forgery)
{
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};
    ssize_t sent = sendto(sock, forgery->bytes, forgery->length, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
    return sent < 0 ? errno : 0;
}

/** Sends `answers` forged answers to each other socket. All are refused. Returns the number of other sockets. */
static size_t attack(int sock, unsigned own, unsigned answers)
{
    unsigned ports[64];
    size_t count = find_ports(ports, 64), others = 0;
    for (size_t i = 0; i < count; i++) {
        others += ports[i] != own;
        for (unsigned sequence = 1; sequence <= answers && ports[i] != own; sequence++) {
            struct forgery forgery = forge(RTM_NEWLINK, FORGED_INDEX, sequence, ports[i]);
            CHECK(send_forgery(sock, ports[i], 0, &forgery) == ECONNREFUSED);
        }
    }
    return others;
}

/** Sends forged changes to a multicast group, which needs CAP_NET_ADMIN in the own user namespace. */
static void announce_changes(int sock)
{
    int index = (int)if_nametoindex("t0");
    struct forgery changed = forge(RTM_NEWLINK, index, 0, 0), gone = forge(RTM_DELLINK, index, 0, 0);
    CHECK(index);
    CHECK(send_forgery(sock, 0, 1 << (RTNLGRP_LINK - 1), &changed) == 0);
    CHECK(send_forgery(sock, 0, 1 << (RTNLGRP_LINK - 1), &gone) == 0);
}

/** Each command is one byte. The attacker answers when it is done, and for the flood when it has started. */
static void attacker(int commands, int answers, pid_t parent)
{
    char send_command = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    drop_privileges();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* Becoming another user has cleared it. */
    if (getppid() != parent || unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        _exit(77);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    struct sockaddr_nl own = {.nl_family = AF_NETLINK};
    socklen_t size = sizeof own;
    int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    CHECK(sock >= 0 && bind(sock, (struct sockaddr *)&own, sizeof own) == 0);
    CHECK(getsockname(sock, (struct sockaddr *)&own, &size) == 0);
    CHECK(write(answers, "r", 1) == 1);
    while (read(commands, &send_command, 1) == 1) {
        if (send_command == 'a') {
            CHECK(attack(sock, own.nl_pid, 100) >= 2);
            announce_changes(sock);
        }
        CHECK(write(answers, "d", 1) == 1);
        if (send_command == 'f')
            for (;;)
                attack(sock, own.nl_pid, 2);
    }
    _exit(0);
}

static tuntap *open_in_namespace(pid_t child)
{
    char path[64];
    tuntap *dev;
    tuntap_config *config;
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)child);
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_netns(config, path, &err));
    OK(tuntap_config_set_mtu(config, 1400, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err));
    tuntap_config_free(config);
    return dev;
}

static void the_handle_reports_the_true_values(tuntap *dev, uint32_t index)
{
    uint32_t mtu = 0, now = 0;
    OK(tuntap_get_mtu(dev, &mtu, &err));
    OK(tuntap_get_index(dev, &now, &err));
    CHECK(mtu == 1400 && now == index);
    CHECK(is_up(dev, &err) == 0);
}

static void send_command(int commands, int answers, char what)
{
    char answer;
    CHECK(write(commands, &what, 1) == 1 && read(answers, &answer, 1) == 1);
}

int main(void)
{
    int commands[2], answers[2], status;
    char answer;
    uint32_t index;
    tuntap_monitor *monitor;
    begin();
    CHECK(pipe(commands) == 0 && pipe(answers) == 0);
    pid_t parent = getpid(), child = fork();
    CHECK(child >= 0);
    if (child == 0)
        attacker(commands[0], answers[1], parent);
    close(answers[1]);
    close(commands[0]);
    if (read(answers[0], &answer, 1) != 1)
        skip("no unprivileged user namespaces here");

    tuntap *dev = open_in_namespace(child);
    OK(tuntap_get_index(dev, &index, &err));
    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    take_present_state(monitor);
    the_handle_reports_the_true_values(dev, index);

    send_command(commands[1], answers[0], 'a');
    the_handle_reports_the_true_values(dev, index);
    NO_EVENT(monitor);
    OK(tuntap_set_mtu(dev, FORGED_MTU, &err));
    NEXT(monitor, MTU);
    CHECK(event.mtu == FORGED_MTU && event.index == index);
    OK(tuntap_set_mtu(dev, 1400, &err));
    NEXT(monitor, MTU);

    send_command(commands[1], answers[0], 'f');
    for (int call = 0; call < CALLS; call++)
        the_handle_reports_the_true_values(dev, index);
    NO_EVENT(monitor);
    tuntap_monitor_close(monitor);
    tuntap_close(dev);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    close(commands[1]);
    close(answers[0]);
    return 0;
}
