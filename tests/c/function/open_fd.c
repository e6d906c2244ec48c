/* SPDX-License-Identifier: MIT */
#include "netns.h"

#include <linux/filter.h>

static int iff_of(uint64_t flags)
{
    return (flags & TUNTAP_TAP ? IFF_TAP : IFF_TUN) | (flags & TUNTAP_PI ? 0 : IFF_NO_PI) |
           (flags & TUNTAP_OFFLOAD ? IFF_VNET_HDR : 0) |
           (flags & TUNTAP_MULTI_QUEUE ? IFF_MULTI_QUEUE : 0) | (flags & TUNTAP_NAPI ? IFF_NAPI : 0);
}

static uint64_t flags_of(tuntap *dev)
{
    uint64_t flags = 0;
    OK(tuntap_get_flags(dev, &flags, &err));
    return flags;
}

/** Its modes are found out, packets flow, and configuring acts on it. */
static void a_descriptor_becomes_a_handle(uint64_t flags)
{
    tuntap *dev;
    char name[TUNTAP_NAME_SIZE];
    int before = descriptors(), fd = join_by_hand("t0", iff_of(flags));
    CHECK(fd >= 0);
    OK(tuntap_open_fd(fd, TUNTAP_NONBLOCK, &dev, &err));
    CHECK(tuntap_get_fd(dev, NULL) == fd);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC && fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK(flags_of(dev) == (flags | TUNTAP_NONBLOCK));
    OK(tuntap_get_name(dev, name, sizeof name, &err));
    CHECK(strcmp(name, "t0") == 0);
    OK(tuntap_set_mtu(dev, 1400, &err));
    IP_HAS("\"mtu\":1400,", "link show t0");
    int sock = take_up("t0", flags);
    packets_flow(sock, dev, flags);
    close(sock);
    tuntap_close(dev);
    CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    CHECK(!exists("t0") && descriptors() == before);
}

/** A copy: the one who lent it has it still. */
static void a_borrowed_one_stays_the_callers(void)
{
    tuntap *dev;
    int before = descriptors(), fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI);
    OK(tuntap_open_fd(fd, TUNTAP_BORROW, &dev, &err));
    CHECK(tuntap_get_fd(dev, NULL) != fd);
    int sock = take_up("t0", TUNTAP_TUN);
    packets_flow(sock, dev, TUNTAP_TUN);
    tuntap_close(dev);
    CHECK(exists("t0") && flags_by_hand(fd) & IFF_TUN);
    OK(tuntap_open_fd(fd, TUNTAP_BORROW, &dev, &err));
    close(fd);
    packets_flow(sock, dev, TUNTAP_TUN);
    close(sock);
    tuntap_close(dev);
    CHECK(!exists("t0") && descriptors() == before);
}

/** As it was, open, and the caller's. */
static void refused(int fd, uint64_t flags, int number, uint32_t why)
{
    tuntap *dev = NULL;
    int status = fcntl(fd, F_GETFL), mode = fcntl(fd, F_GETFD);
    UNCHANGED({
        FAILS(tuntap_open_fd(fd, flags, &dev, &err), number, why);
        FAILS(tuntap_open_fd(fd, flags | TUNTAP_BORROW, &dev, &err), number, why);
    });
    CHECK(!dev && fcntl(fd, F_GETFL) == status && fcntl(fd, F_GETFD) == mode);
}

static void what_is_no_device_is_refused(void)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_VNET_HDR, .ifr_name = "t1"};
    int null = open("/dev/null", O_RDWR), closed = 900, fresh = open("/dev/net/tun", O_RDWR), pipes[2];
    CHECK(pipe(pipes) == 0);
    refused(null, 0, EINVAL, TUNTAP_REASON_KIND);
    MESSAGE_HAS("does not belong to a TUN or TAP device");
    refused(pipes[0], 0, EINVAL, TUNTAP_REASON_KIND);
    refused(closed, 0, EBADF, TUNTAP_REASON_ARGUMENT);
    refused(-1, 0, EBADF, TUNTAP_REASON_ARGUMENT);
    refused(fresh, 0, ENODEV, TUNTAP_REASON_REMOVED);
    MESSAGE_HAS("TUNSETIFF");
    CHECK(ioctl(fresh, TUNSETIFF, &request) == 0);
    refused(fresh, 0, EINVAL, TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("packet information");

    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI);
    refused(fd, TUNTAP_TUN, EINVAL, TUNTAP_REASON_FLAGS);
    refused(fd, TUNTAP_PERSIST, EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_open_fd(fd, 0, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    refused(fd, 0, ENODEV, TUNTAP_REASON_REMOVED);
    close(fd);
    close(fresh);
    close(null);
    close(pipes[0]);
    close(pipes[1]);
}

/** With privilege, configuring acts where the device is, and not on one of the same name that is here. */
static void a_device_elsewhere_is_configured_there(int there)
{
    tuntap *dev, *decoy;
    int fd;
    INSIDE(there, fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI));
    OK(tuntap_open("t0", TUNTAP_TUN, &decoy, &err));
    STAYS(OK(tuntap_open_fd(fd, 0, &dev, &err)));
    UNCHANGED(STAYS(OK(tuntap_set_mtu(dev, 1400, &err))));
    INSIDE(there, IP_HAS("\"mtu\":1400,", "link show t0"));
    tuntap_close(decoy);
    tuntap_close(dev);
}

/** Without, packets flow all the same, with packet information found out rightly. */
static void a_device_elsewhere_carries_packets(uint64_t flags, int up)
{
    int sock = -1, fd = join_by_hand("t0", iff_of(flags)), status;
    CHECK(fd >= 0);
    if (up)
        sock = take_up("t0", flags);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        tuntap *dev;
        char name[TUNTAP_NAME_SIZE];
        uint32_t mtu;
        CHECK(unshare(CLONE_NEWNET) == 0);
        drop_privileges();
        OK(tuntap_open_fd(fd, 0, &dev, &err));
        CHECK(flags_of(dev) == flags);
        OK(tuntap_get_name(dev, name, sizeof name, &err));
        CHECK(strcmp(name, "t0") == 0);
        FAILS(tuntap_get_mtu(dev, &mtu, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_set_mtu(dev, 1400, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        MESSAGE_HAS("CAP_NET_ADMIN");
        if (up)
            packets_flow(sock, dev, flags);
        tuntap_close(dev);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (up)
        close(sock);
    IP_HAS("\"mtu\":1500,", "link show t0");
    close(fd);
}

/** The numbers that the kernel counts of t0, as /proc/net/dev has them: the fourth is of packets dropped on their way in. */
static void read_counters(unsigned long long counters[16])
{
    const char *line = strstr(output_of("cat /proc/net/dev"), "t0:");
    CHECK(line);
    line += 3;
    for (int i = 0; i < 16; i++)
        counters[i] = strtoull(line, (char **)&line, 10);
}

/** Frames that come out of the descriptor, of one that is sent. */
static int frames_out(int fd)
{
    uint8_t buf[2000];
    int frames = 0;
    int sock = udp_socket("10.8.0.1", 0);
    udp_send(sock, "10.8.0.2", PORT, "hello", 5);
    close(sock);
    while (read(fd, buf, sizeof buf) > 0)
        frames++;
    return frames;
}

static void take_over_elsewhere(int fd, uint64_t flags)
{
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        tuntap *dev;
        CHECK(unshare(CLONE_NEWNET) == 0);
        drop_privileges();
        OK(tuntap_open_fd(fd, TUNTAP_BORROW, &dev, &err));
        CHECK(flags_of(dev) == flags);
        tuntap_close(dev);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/** No filter is removed, and no packet written: whoever has it sees nothing of it but one drop, of one kind of device. */
static void taking_over_changes_nothing(uint64_t flags, int filtered)
{
    static struct sock_filter drop[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    static char shown[16384];
    unsigned long long before[16], after[16];
    int fd = join_by_hand("t0", iff_of(flags));
    CHECK(fd >= 0 && fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    if (filtered)
        filter_by_hand(fd, drop, 1);
    close(take_up("t0", flags));
    CHECK(frames_out(fd) == !filtered);
    read_counters(before);
    snprintf(shown, sizeof shown, "%s", output_of("ip -j -d addr show t0"));
    take_over_elsewhere(fd, flags);
    CHECK(strcmp(shown, output_of("ip -j -d addr show t0")) == 0);
    read_counters(after);
    if ((flags & ~(uint64_t)TUNTAP_MULTI_QUEUE) == TUNTAP_TUN)
        before[3]++;
    CHECK(memcmp(before, after, sizeof before) == 0);
    CHECK(frames_out(fd) == !filtered);
    close(fd);
}

/** Without the right to query where the device is, a handle does not change another device of its name, nor take its
 * modes for its own. */
static void a_namesake_is_left_alone(void)
{
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI), status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        tuntap *dev, *namesake;
        CHECK(unshare(CLONE_NEWNET) == 0);
        OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_PI, &namesake, &err));
        drop_privileges();
        OK(tuntap_open_fd(fd, 0, &dev, &err));
        CHECK(flags_of(dev) == TUNTAP_TUN);
        CHECK(tuntap_set_mtu(dev, 1400, &err) < 0);
        IP_HAS("\"mtu\":1500,", "link show t0");
        tuntap_close(namesake);
        tuntap_close(dev);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(fd);
}

int main(void)
{
    static const uint64_t modes[] = {
        TUNTAP_TUN, TUNTAP_TAP, TUNTAP_TUN | TUNTAP_PI, TUNTAP_TAP | TUNTAP_PI,
        TUNTAP_TUN | TUNTAP_OFFLOAD, TUNTAP_TAP | TUNTAP_OFFLOAD,
    };
    begin();
    ipv4_only();
    int there = new_netns();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        a_descriptor_becomes_a_handle(modes[i]);
        a_descriptor_becomes_a_handle(modes[i] | TUNTAP_MULTI_QUEUE | TUNTAP_NAPI);
        a_device_elsewhere_carries_packets(modes[i], 0);
        a_device_elsewhere_carries_packets(modes[i], 1);
        taking_over_changes_nothing(modes[i], 0);
        taking_over_changes_nothing(modes[i] | TUNTAP_MULTI_QUEUE, 0);
        if (modes[i] & TUNTAP_TAP)
            taking_over_changes_nothing(modes[i], 1);
    }
    a_borrowed_one_stays_the_callers();
    what_is_no_device_is_refused();
    a_device_elsewhere_is_configured_there(there);
    a_namesake_is_left_alone();
    close(there);
    return 0;
}
