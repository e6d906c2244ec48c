/* SPDX-License-Identifier: MIT
 *
 * Networking without root, as slirp4netns does it: a child is root of a new user namespace and a new network namespace.
 * It opens a device there and passes it to its parent, which reads and writes packets and may configure nothing. */
#include "packet.h"

static void send_fd(int sock, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec part = {"", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    CHECK(sendmsg(sock, &message, 0) == 1);
}

static int receive_fd(int sock)
{
    char byte, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fd;
    if (recvmsg(sock, &message, MSG_CMSG_CLOEXEC) != 1)
        return -1;
    CHECK(CMSG_FIRSTHDR(&message));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/** A program in the namespace: sends to 10.3.0.2, which answers. */
static void child(const char *node, int to_parent)
{
    char map[64];
    unsigned user = geteuid();
    tuntap_addr address = {.addr = "10.3.0.1/24"};
    tuntap_config *config;
    tuntap *dev;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        skip("no unprivileged user namespaces here");
    snprintf(map, sizeof map, "0 %u 1", user);
    write_file("/proc/self/uid_map", map);
    ipv4_only();

    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_node(config, node, &err));
    OK(tuntap_config_add_addr(config, &address, sizeof address, 0, &err));
    OK(tuntap_config_set_up(config, 1, &err));
    OK(tuntap_open_config("tap0", TUNTAP_TUN, config, &dev, &err));
    tuntap_config_free(config);
    send_fd(to_parent, tuntap_get_fd(dev, &err));
    tuntap_close(dev);
    close(to_parent);

    int sock = udp_socket("10.3.0.1", PORT);
    udp_send(sock, "10.3.0.2", PORT, "hello", 5);
    udp_receives(sock, "hello", 5);
    close(sock);
}

/** The host 10.3.0.2: sends each packet back. */
static void parent(int fd)
{
    char name[TUNTAP_NAME_SIZE];
    uint8_t packet[1500];
    uint32_t mtu;
    ssize_t length;
    tuntap *dev;
    OK(tuntap_open_fd(fd, 0, &dev, &err));
    OK(tuntap_get_name(dev, name, sizeof name, &err));
    CHECK(strcmp(name, "tap0") == 0);
    FAILS(tuntap_get_mtu(dev, &mtu, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    FAILS(tuntap_set_mtu(dev, 1400, &err), EXDEV, TUNTAP_REASON_NAMESPACE);

    OK(length = tuntap_read_timeout(dev, packet, sizeof packet, 20000, &err));
    is_udp_packet(packet, (size_t)length, "10.3.0.2", "hello", 5);
    length = (ssize_t)udp_packet(packet, "10.3.0.2", "10.3.0.1", PORT, "hello", 5);
    OK(tuntap_write(dev, packet, (size_t)length, &err));
    tuntap_close(dev);
}

int main(void)
{
    const char *node = "/dev/net/tun";
    int pair[2], fd, status = 0;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    if (geteuid() == 0) {
        node = begin_with_users();
        become(4242, 4242);
        CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* Otherwise /proc/self belongs to root. */
    } else if (access(node, R_OK | W_OK) != 0) {
        skip("this user may not read and write /dev/net/tun: run as root, or chmod 0666 it");
    }
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(pair[0]);
        child(node, pair[1]);
        _exit(0);
    }
    close(pair[1]);
    if ((fd = receive_fd(pair[0])) >= 0)
        parent(fd);
    close(pair[0]);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}
