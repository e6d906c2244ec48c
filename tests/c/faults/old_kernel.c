/* SPDX-License-Identifier: MIT
 *
 * A seccomp filter refuses what an older kernel lacks, with the same errno. A call then works in another way, or fails
 * with -EOPNOTSUPP and TUNTAP_REASON_KERNEL and changes nothing. No call succeeds without having done its work. */
#include "../netns.h"
#include "../steering.h"

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stddef.h>

#define USO (TUNTAP_F_USO4 | TUNTAP_F_USO6)
#define TSO (TUNTAP_F_CSUM | TUNTAP_F_TSO4 | TUNTAP_F_TSO6)
/** <linux/if_tun.h> of Linux 6.2. */
#define USO_BITS 0x60
/** <linux/if_tun.h> of Linux 6.17. */
#define TUNNEL_BITS 0x180

/** A system call that is refused. */
struct lack {
    int number;
    unsigned request;
    /** The bits of the third argument that are refused. 0 refuses any argument. */
    unsigned bits;
    int error;
};

static struct sock_filter filter[128];
static size_t length;

static void put(struct sock_filter instruction)
{
    CHECK(length < sizeof filter / sizeof *filter);
    filter[length++] = instruction;
}

static void refuse(const struct lack *lack)
{
    uint8_t skip_rest = (uint8_t)(1 + 2 * (lack->request != 0) + 2 * (lack->bits != 0));
    put((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    put((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)lack->number, 0, skip_rest));
    if (lack->request) {
        /* The second argument of an ioctl, and the third of setsockopt. */
        size_t place = ARGUMENT(lack->number == SYS_setsockopt ? 2 : 1);
        put((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)place));
        put((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, lack->request, 0, (uint8_t)(skip_rest - 2)));
    }
    if (lack->bits) {
        put((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(2)));
        put((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, lack->bits, 0, 1));
    }
    put((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)lack->error));
}

/** From here on, the filter makes the kernel look like an older one to this process. */
static void install_filter(const struct lack *lacks, size_t count)
{
    length = 0;
    for (size_t i = 0; i < count; i++)
        refuse(&lacks[i]);
    put((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    struct sock_fprog program = {(unsigned short)length, filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        skip("no seccomp filters here");
}

/** Whether an action was skipped. It has printed the reason. */
static int skipped;

/** Runs the action in a child with this filter, in its own network namespace. */
#define ON(lacks, action) on_old(#action, lacks, sizeof lacks / sizeof *lacks, action)

static void on_old(const char *name, const struct lack *lacks, size_t count, void (*action)(void))
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        CHECK(unshare(CLONE_NEWNET) == 0);
        install_filter(lacks, count);
        action();
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skipped = 1;
    else if (status != 0)
        fail(__FILE__, __LINE__, name, "failed");
}

static const struct lack BEFORE_6_17[] = {{SYS_ioctl, TUNSETOFFLOAD, TUNNEL_BITS, EINVAL}};
static const struct lack BEFORE_6_2[] = {{SYS_ioctl, TUNSETOFFLOAD, USO_BITS | TUNNEL_BITS, EINVAL}};
static const struct lack BEFORE_5_4[] = {{SYS_ioctl, TUNGETDEVNETNS, 0, EINVAL}};
static const struct lack IN_A_SANDBOX[] = {{SYS_ioctl, TUNGETDEVNETNS, 0, ENOTTY}};
static const struct lack BEFORE_5_0[] = {{SYS_ioctl, TUNSETCARRIER, 0, EINVAL}};
static const struct lack BEFORE_4_20[] = {{SYS_setsockopt, NETLINK_GET_STRICT_CHK, 0, ENOPROTOOPT}};
static const struct lack BEFORE_4_16[] = {{SYS_ioctl, TUNSETSTEERINGEBPF, 0, EINVAL},
                                          {SYS_ioctl, TUNSETFILTEREBPF, 0, EINVAL}};
static const struct lack WITHOUT_PROGRAMS[] = {{SYS_ioctl, TUNSETSTEERINGEBPF, 0, ENOTTY},
                                               {SYS_ioctl, TUNSETFILTEREBPF, 0, ENOTTY}};
/* The C library works without these system calls, so the library must too. */
static const struct lack NEW_CALLS[] = {{SYS_clone3, 0, 0, ENOSYS}, {SYS_statx, 0, 0, ENOSYS}};
static const struct lack LINUX_4_19[] = {
    {SYS_ioctl, TUNSETOFFLOAD, USO_BITS | TUNNEL_BITS, EINVAL}, {SYS_ioctl, TUNGETDEVNETNS, 0, EINVAL},
    {SYS_ioctl, TUNSETCARRIER, 0, EINVAL}, {SYS_setsockopt, NETLINK_GET_STRICT_CHK, 0, ENOPROTOOPT},
    {SYS_clone3, 0, 0, ENOSYS}, {SYS_statx, 0, 0, ENOSYS},
};

static tuntap *dev;

/** Offloads of TCP still work, and USO is refused with a message. */
static void without_uso(void)
{
    uint64_t offloads;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err));
    OK(tuntap_get_offloads(dev, &offloads, &err));
    CHECK((offloads & (TSO | USO)) == TSO);
    FAILS(tuntap_set_offloads(dev, TSO | USO, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    OK(tuntap_set_offloads(dev, TUNTAP_F_CSUM, &err));
    OK(tuntap_get_offloads(dev, &offloads, &err));
    CHECK((offloads & (TSO | USO)) == TUNTAP_F_CSUM);
    tuntap_close(dev);
}

/** The virtio header has the size of such a kernel, and all other offloads are on. */
static void without_tunnels(void)
{
    uint64_t offloads;
    size_t size;
    int driver;
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_OFFLOAD, &dev, &err));
    OK(tuntap_get_offloads(dev, &offloads, &err));
    CHECK((offloads & TSO) == TSO && !(offloads & TUNNEL_BITS));
    OK(tuntap_get_vnet_hdr_size(dev, &size, &err));
    CHECK(ioctl(tuntap_get_fd(dev, NULL), TUNGETVNETHDRSZ, &driver) == 0 && driver == 10 && size == 10);
    tuntap_close(dev);
}

static void without_carrier(void)
{
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    OK(tuntap_up(dev, &err));
    FAILS(tuntap_set_carrier(dev, 0, &err), EOPNOTSUPP, TUNTAP_REASON_KERNEL);
    MESSAGE_HAS("Linux ");
    IP_HAS("LOWER_UP", "link show t0");
    tuntap_close(dev);
}

static void without_programs(void)
{
    int program = program_returning(0, BPF_PROG_TYPE_SOCKET_FILTER);
    OK(tuntap_open("t0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, &dev, &err));
    CHECK(tuntap_set_steering_ebpf(dev, program, &err) < 0 && err.reason != 0);
    MESSAGE_HAS("steering program of t0");
    CHECK(tuntap_set_filter_ebpf(dev, program, &err) < 0 && err.reason != 0);
    MESSAGE_HAS("filter program of t0");
    tuntap_close(dev);
    close(program);
}

/** Only addresses and routes of the device are listed, changed and deleted, although the kernel lists those of all
 * devices. */
static void configure(void)
{
    tuntap_addr addrs[4];
    tuntap_route routes[8];
    IP("tuntap add dev t1 mode tun");
    IP("link set t1 up");
    IP("address add 10.20.0.1/24 dev t1");
    IP("route add 10.21.0.0/16 dev t1");
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_set_mtu(dev, 1400, &err));
    IP_HAS("\"mtu\":1400", "link show t0");
    OK(tuntap_up(dev, &err));
    OK(tuntap_set_addr(dev, "10.8.0.1/24", &err));
    OK(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
    IP_HAS("\"dst\":\"10.9.0.0/16\"", "route show dev t0");
    long count = tuntap_list_addrs(dev, addrs, 4, sizeof *addrs, &err);
    CHECK(count >= 1 && strcmp(addrs[0].addr, "10.8.0.1/24") == 0);
    count = tuntap_list_routes(dev, routes, 8, sizeof *routes, &err);
    CHECK(count >= 2);
    for (long i = 0; i < count && i < 8; i++)
        CHECK(strncmp(routes[i].destination, "10.2", 4) != 0);
    FAILS(del_route(dev, "10.21.0.0/16", NULL, 0, 0, &err), ENOENT, TUNTAP_REASON_UNSET);
    OK(tuntap_set_addr(dev, "10.8.0.5/24", &err));
    IP_HAS("\"local\":\"10.20.0.1\"", "address show t1");
    IP_HAS("\"dst\":\"10.21.0.0/16\"", "route show dev t1");
    tuntap_close(dev);
    IP("link delete t1");
}

/** A device that was opened in another network namespace, and one that was moved there. */
static void elsewhere(void)
{
    char path[64];
    tuntap_config *config;
    tuntap_event event;
    tuntap_monitor *monitor;
    int away = new_netns();
    snprintf(path, sizeof path, "/proc/self/fd/%d", away);
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_netns(config, path, &err));
    OK(tuntap_config_set_mtu(config, 1400, &err));
    STAYS(OK(tuntap_open_config("t0", TUNTAP_TUN, config, &dev, &err)));
    CHECK(!exists("t0"));
    INSIDE(away, IP_HAS("\"mtu\":1400", "link show t0"));
    OK(tuntap_monitor_open(NULL, 0, &monitor, &err));
    OK(tuntap_monitor_next(monitor, &event, sizeof event, 1000, &err));
    tuntap_monitor_close(monitor);
    tuntap_close(dev);
    tuntap_config_free(config);
    close(away);
}

/** Another device with the same name and modes, in this network namespace. */
static int make_namesake(void)
{
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI);
    CHECK(fd >= 0);
    return fd;
}

/** If the library cannot follow a moved device, calls fail, and a namesake is not changed. */
static void moved(void)
{
    uint32_t mtu;
    int away = new_netns();
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_set_netns_fd(dev, away, &err));
    int namesake = make_namesake();
    FAILS(tuntap_set_mtu(dev, 1400, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    MESSAGE_HAS("reach t0 by rtnetlink");
    MESSAGE_HAS("5.4");
    FAILS(tuntap_get_mtu(dev, &mtu, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    IP_HAS("\"mtu\":1500", "link show t0");
    INSIDE(away, IP_HAS("\"mtu\":1500", "link show t0"));
    tuntap_close(dev);
    INSIDE(away, CHECK(!exists("t0")));
    close(namesake);
    close(away);
}

/** Takes over the descriptor of a device in another network namespace, while this one has a namesake. */
static void taken_over(void)
{
    int home = own_netns();
    CHECK(unshare(CLONE_NEWNET) == 0);
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI), away = own_netns();
    CHECK(setns(home, CLONE_NEWNET) == 0 && fd >= 0);
    int namesake = make_namesake();
    int result = tuntap_open_fd(fd, TUNTAP_BORROW, &dev, &err);
    if (result == 0) {
        CHECK(tuntap_set_mtu(dev, 1400, &err) < 0 && err.code == -EXDEV && err.reason == TUNTAP_REASON_NAMESPACE);
        tuntap_close(dev);
    }
    IP_HAS("\"mtu\":1500", "link show t0");
    INSIDE(away, IP_HAS("\"mtu\":1500", "link show t0"));
    close(namesake);
    close(fd);
    close(away);
    close(home);
}

int main(void)
{
    begin();
    ON(BEFORE_6_17, without_tunnels);
    ON(BEFORE_6_2, without_uso);
    ON(BEFORE_6_2, without_tunnels);
    ON(BEFORE_6_2, configure);
    ON(BEFORE_5_4, configure);
    ON(BEFORE_5_4, moved);
    ON(BEFORE_5_4, taken_over);
    ON(IN_A_SANDBOX, configure);
    ON(IN_A_SANDBOX, moved);
    ON(IN_A_SANDBOX, taken_over);
    ON(BEFORE_5_0, without_carrier);
    ON(BEFORE_4_20, configure);
    ON(BEFORE_4_16, without_programs);
    ON(WITHOUT_PROGRAMS, without_programs);
    ON(NEW_CALLS, configure);
    ON(NEW_CALLS, elsewhere);
    ON(LINUX_4_19, configure);
    ON(LINUX_4_19, elsewhere);
    ON(LINUX_4_19, moved);
    ON(LINUX_4_19, taken_over);
    ON(LINUX_4_19, without_uso);
    ON(LINUX_4_19, without_carrier);
    return skipped ? 77 : 0;
}
