/* SPDX-License-Identifier: MIT
 *
 * Privilege separation: a privileged process opens the device and passes its descriptor over a Unix socket to an
 * unprivileged process, which handles the packets.
 *
 *     sudo ./privsep vpn0 10.8.0.1/24 65534       65534 is the user ID of the worker: see id -u
 *     ping 10.8.0.2                               (in another shell) is answered by this user
 *
 * An attacker who controls the worker can only read and write packets: the worker can neither open another device nor
 * configure this one. Ctrl-C ends it. */
#define _DEFAULT_SOURCE
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <tuntap.h>
#include <unistd.h>

#include "ip.h"

static int failed(const char *who, const char *why)
{
    fprintf(stderr, "privsep, %s: %s\n", who, why);
    return -1;
}

/* A message of one byte that carries the descriptor. */
struct passage {
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec part;
    struct msghdr message;
};

static void prepare(struct passage *passage)
{
    memset(passage, 0, sizeof *passage);
    passage->part.iov_base = &passage->byte;
    passage->part.iov_len = 1;
    passage->message.msg_iov = &passage->part;
    passage->message.msg_iovlen = 1;
    passage->message.msg_control = passage->control;
    passage->message.msg_controllen = sizeof passage->control;
}

static int send_descriptor(int socket, int fd)
{
    struct passage passage;
    prepare(&passage);
    struct cmsghdr *header = CMSG_FIRSTHDR(&passage.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(socket, &passage.message, 0) == 1 ? 0 : -1;
}

static int receive_descriptor(int socket)
{
    struct passage passage;
    int fd = -1;
    prepare(&passage);
    /* tuntap_open_fd makes it close-on-exec; this program executes nothing before. */
    if (recvmsg(socket, &passage.message, 0) != 1)
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&passage.message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

/* The unprivileged process: it needs only the descriptor. */
static int work(int socket, unsigned user)
{
    static uint8_t packet[65536];
    char name[TUNTAP_NAME_SIZE];
    tuntap *dev;
    tuntap_error err;

    if (setgroups(0, NULL) != 0 || setgid(user) != 0 || setuid(user) != 0)
        return failed("worker", "cannot give up its rights");
    int fd = receive_descriptor(socket);
    if (fd < 0)
        return failed("worker", "no descriptor came");
    if (tuntap_open_fd(fd, 0, &dev, &err) < 0)
        return failed("worker", err.message);
    if (tuntap_get_name(dev, name, sizeof name, &err) < 0)
        return failed("worker", err.message);

    printf("user %u answers for %s\n", (unsigned)getuid(), name);
    for (;;) {
        ssize_t length = tuntap_read(dev, packet, sizeof packet, &err);
        if (length < 0)
            break;
        print_packet(packet, length);
        if (!answer_ping(packet, length))
            continue;
        if (tuntap_write(dev, packet, length, &err) < 0)
            break;
        print_packet(packet, length);
    }
    failed("worker", err.message);
    tuntap_close(dev);
    return -1;
}

/* The privileged process: it creates the device, passes the descriptor on, and does nothing else. */
static int open_and_pass(int socket, const char *name, const char *addr)
{
    tuntap_config *config;
    tuntap *dev = NULL;
    tuntap_error err;
    tuntap_addr given = {.flags = 0};
    int result = -1;

    if (snprintf(given.addr, sizeof given.addr, "%s", addr) >= (int)sizeof given.addr)
        return failed("opener", "the address is too long");
    if (tuntap_config_new(&config, &err) < 0)
        return failed("opener", err.message);
    if (tuntap_config_add_addr(config, &given, sizeof given, 0, &err) < 0 ||
        tuntap_config_set_up(config, 1, &err) < 0 ||
        tuntap_open_config(name, TUNTAP_TUN | TUNTAP_EXCLUSIVE, config, &dev, &err) < 0)
        failed("opener", err.message);
    else if (send_descriptor(socket, tuntap_get_fd(dev, NULL)) < 0)
        failed("opener", "cannot pass the descriptor");
    else
        result = 0;
    tuntap_close(dev); /* the worker's descriptor keeps the device alive */
    tuntap_config_free(config);
    return result;
}

int main(int argc, char **argv)
{
    int sockets[2], status;
    char *end;
    if (argc != 4) {
        fprintf(stderr, "usage: privsep NAME ADDR/PREFIX USERID\n");
        return 1;
    }
    unsigned long user = strtoul(argv[3], &end, 10);
    if (*argv[3] == 0 || *end != 0 || user == 0 || user >= UINT32_MAX) {
        failed("opener", "the user is a number, as `id -u` prints it, and not root");
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* write each line at once, also to a pipe */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) != 0)
        return 1;

    /* Fork first, so that the worker inherits nothing from the opener. */
    pid_t worker = fork();
    if (worker < 0)
        return 1;
    if (worker == 0) {
        close(sockets[0]);
        return work(sockets[1], user) < 0 ? 1 : 0;
    }
    close(sockets[1]);
    signal(SIGPIPE, SIG_IGN); /* a missing worker is an error of sendmsg */
    int result = open_and_pass(sockets[0], argv[1], argv[2]);
    close(sockets[0]);
    if (waitpid(worker, &status, 0) != worker || status != 0)
        result = -1;
    return result < 0 ? 1 : 0;
}
