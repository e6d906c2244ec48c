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

/** The library finds out the modes, packets flow, and settings act on the device. */
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
    int sock = bring_up("t0", flags);
    packets_flow(sock, dev, flags);
    close(sock);
    tuntap_close(dev);
    CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    CHECK(!exists("t0") && descriptors() == before);
}

/** The library uses a copy, so the caller's descriptor stays open. */
static void a_borrowed_descriptor_stays_open(void)
{
    tuntap *dev;
    int before = descriptors(), fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI);
    OK(tuntap_open_fd(fd, TUNTAP_BORROW, &dev, &err));
    CHECK(tuntap_get_fd(dev, NULL) != fd);
    int sock = bring_up("t0", TUNTAP_TUN);
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

/** The descriptor is refused. It stays open and unchanged. */
static void is_refused(int fd, uint64_t flags, int number, uint32_t why)
{
    tuntap *dev = NULL;
    int status = fcntl(fd, F_GETFL), mode = fcntl(fd, F_GETFD);
    UNCHANGED({
        FAILS(tuntap_open_fd(fd, flags, &dev, &err), number, why);
        FAILS(tuntap_open_fd(fd, flags | TUNTAP_BORROW, &dev, &err), number, why);
    });
    CHECK(!dev && fcntl(fd, F_GETFL) == status && fcntl(fd, F_GETFD) == mode);
}

static void descriptors_of_no_device_are_refused(void)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_VNET_HDR, .ifr_name = "t1"};
    int null = open("/dev/null", O_RDWR), closed = 900, fresh = open("/dev/net/tun", O_RDWR), pipes[2];
    CHECK(pipe(pipes) == 0);
    is_refused(null, 0, EINVAL, TUNTAP_REASON_KIND);
    MESSAGE_HAS("does not belong to a TUN or TAP device");
    is_refused(pipes[0], 0, EINVAL, TUNTAP_REASON_KIND);
    is_refused(closed, 0, EBADF, TUNTAP_REASON_ARGUMENT);
    is_refused(-1, 0, EBADF, TUNTAP_REASON_ARGUMENT);
    is_refused(fresh, 0, ENODEV, TUNTAP_REASON_REMOVED);
    MESSAGE_HAS("TUNSETIFF");
    CHECK(ioctl(fresh, TUNSETIFF, &request) == 0);
    is_refused(fresh, 0, EINVAL, TUNTAP_REASON_MISMATCH);
    MESSAGE_HAS("packet information");

    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI);
    is_refused(fd, TUNTAP_TUN, EINVAL, TUNTAP_REASON_FLAGS);
    is_refused(fd, TUNTAP_PERSIST, EINVAL, TUNTAP_REASON_FLAGS);
    FAILS(tuntap_open_fd(fd, 0, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    IP("link delete t0");
    is_refused(fd, 0, ENODEV, TUNTAP_REASON_REMOVED);
    close(fd);
    close(fresh);
    close(null);
    close(pipes[0]);
    close(pipes[1]);
}

/** The kernel attaches a descriptor to a device that can be read only or written only. */
static void descriptors_in_one_direction_are_refused(void)
{
    static const int modes[] = {O_RDONLY, O_WRONLY};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct ifreq request = {.ifr_flags = i ? IFF_TAP | IFF_NO_PI : IFF_TUN, .ifr_name = "t0"};
        int fd = open("/dev/net/tun", modes[i]);
        CHECK(fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0);
        is_refused(fd, 0, EBADF, TUNTAP_REASON_ARGUMENT);
        MESSAGE_HAS("not open for reading and writing");
        close(fd);
    }
}

/** With privilege, settings act on the device in its network namespace, and not on a namesake in this one. */
static void a_device_in_another_namespace_is_configured_there(int other_netns)
{
    tuntap *dev, *namesake;
    int fd;
    INSIDE(other_netns, fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI));
    OK(tuntap_open("t0", TUNTAP_TUN, &namesake, &err));
    STAYS(OK(tuntap_open_fd(fd, 0, &dev, &err)));
    UNCHANGED(STAYS(OK(tuntap_set_mtu(dev, 1400, &err))));
    INSIDE(other_netns, IP_HAS("\"mtu\":1400,", "link show t0"));
    tuntap_close(namesake);
    tuntap_close(dev);
}

/** Without privilege, packets still flow, and the library finds out whether the device has packet information. */
static void a_device_in_another_namespace_carries_packets(uint64_t flags, int up)
{
    int sock = -1, fd = join_by_hand("t0", iff_of(flags)), status;
    CHECK(fd >= 0);
    if (up)
        sock = bring_up("t0", flags);
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

/** The counters of t0 in /proc/net/dev. The fourth counts received packets that were dropped. */
static void read_counters(unsigned long long counters[16])
{
    const char *line = strstr(output_of("cat /proc/net/dev"), "t0:");
    CHECK(line);
    line += 3;
    for (int i = 0; i < 16; i++)
        counters[i] = strtoull(line, (char **)&line, 10);
}

/** Sends a datagram. Returns how many frames the descriptor reads. */
static int count_frames(int fd)
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

/** Taking over removes no filter and sends no packet. Only for a TUN it adds 1 to the counter of dropped packets. */
static void taking_over_does_not_change_the_device(uint64_t flags, int filtered)
{
    static struct sock_filter drop[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    static char shown[16384];
    unsigned long long before[16], after[16];
    int fd = join_by_hand("t0", iff_of(flags));
    CHECK(fd >= 0 && fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    if (filtered)
        filter_by_hand(fd, drop, 1);
    close(bring_up("t0", flags));
    CHECK(count_frames(fd) == !filtered);
    read_counters(before);
    snprintf(shown, sizeof shown, "%s", output_of("ip -j -d addr show t0"));
    take_over_elsewhere(fd, flags);
    CHECK(strcmp(shown, output_of("ip -j -d addr show t0")) == 0);
    read_counters(after);
    if ((flags & ~(uint64_t)TUNTAP_MULTI_QUEUE) == TUNTAP_TUN)
        before[3]++;
    CHECK(memcmp(before, after, sizeof before) == 0);
    CHECK(count_frames(fd) == !filtered);
    close(fd);
}

/** Without the privilege to query the namespace of its device, a handle neither changes a namesake nor reports the
 * modes of the namesake. */
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
    int other_netns = new_netns();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        a_descriptor_becomes_a_handle(modes[i]);
        a_descriptor_becomes_a_handle(modes[i] | TUNTAP_MULTI_QUEUE | TUNTAP_NAPI);
        a_device_in_another_namespace_carries_packets(modes[i], 0);
        a_device_in_another_namespace_carries_packets(modes[i], 1);
        taking_over_does_not_change_the_device(modes[i], 0);
        taking_over_does_not_change_the_device(modes[i] | TUNTAP_MULTI_QUEUE, 0);
        if (modes[i] & TUNTAP_TAP)
            taking_over_does_not_change_the_device(modes[i], 1);
    }
    a_borrowed_descriptor_stays_open();
    descriptors_of_no_device_are_refused();
    descriptors_in_one_direction_are_refused();
    a_device_in_another_namespace_is_configured_there(other_netns);
    a_namesake_is_left_alone();
    close(other_netns);
    return 0;
}
