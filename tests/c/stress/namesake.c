/* SPDX-License-Identifier: MIT
 *
 * The handle's device is in another network namespace, and a namesake here has its name and its index. Calls that
 * cannot prove that they reach the handle's device fail with -EXDEV, and the namesake does not change. The same holds
 * on a kernel without TUNGETDEVNETNS (before Linux 5.4), which a seccomp filter simulates. */
#include "netns.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

static int other_netns;
static char other_path[64];
static const char *node;

/** From here on TUNGETDEVNETNS fails, as on an old kernel. */
static void forget_tungetdevnetns(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(1)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TUNGETDEVNETNS, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        skip("no seccomp filters here");
}

/** Runs the action in a child process, which is killed if this process exits. */
static void in_a_child(void (*action)(void))
{
    int status;
    pid_t parent = getpid(), child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            action();
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        exit(77);
    CHECK(WEXITSTATUS(status) == 0);
}

/** The handle cannot find its device. Calls neither query nor change another one. */
static void device_cannot_be_reached(tuntap *dev)
{
    uint32_t number = 77;
    char text[64] = "before";
    tuntap *queue = NULL;
    tuntap_monitor *monitor = NULL;
    tuntap_addr addrs[4];
    UNCHANGED({
        FAILS(tuntap_get_mtu(dev, &number, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        MESSAGE_HAS("CAP_NET_ADMIN");
        MESSAGE_HAS("Linux 5.4");
        FAILS(tuntap_get_index(dev, &number, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(is_up(dev, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_get_addr(dev, text, sizeof text, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_list_addrs(dev, addrs, 4, sizeof *addrs, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_list_routes(dev, NULL, 0, sizeof(tuntap_route), &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_set_mtu(dev, 1400, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_up(dev, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_set_addr(dev, "10.8.0.1/24", &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_set_netns(dev, "/proc/self/ns/net", &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_open_queue(dev, 0, &queue, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
        FAILS(tuntap_monitor_open(dev, 0, &monitor, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    });
    CHECK(number == 77 && strcmp(text, "before") == 0 && !queue && !monitor);
}

/** Calls that use only the descriptor need not know where the device is. */
static void the_descriptor_works(tuntap *dev, const char *wanted)
{
    char name[TUNTAP_NAME_SIZE];
    uint8_t buf[100];
    uint64_t flags;
    OK(tuntap_get_name(dev, name, sizeof name, &err));
    CHECK(strcmp(name, wanted) == 0);
    OK(tuntap_get_flags(dev, &flags, &err));
    CHECK(flags & TUNTAP_TUN);
    FAILS(tuntap_read_timeout(dev, buf, sizeof buf, 0, &err), ETIMEDOUT, TUNTAP_REASON_TIMEOUT);
}

/** Makes a namesake with an address, as similar to the handle's device as possible. Returns its handle. */
static tuntap *make_namesake(uint64_t flags)
{
    tuntap *namesake;
    OK(tuntap_open("t0", flags, &namesake, &err));
    IP("link set t0 mtu 777");
    IP("address add 10.66.6.6/24 dev t0");
    return namesake;
}

static int taken_over;

static void take_over_descriptor(void)
{
    tuntap *dev;
    OK(tuntap_open_fd(taken_over, TUNTAP_BORROW, &dev, &err));
    device_cannot_be_reached(dev);
    the_descriptor_works(dev, "t0");
    tuntap_close(dev);
}

static void take_over_unprivileged(void)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    tuntap *namesake = make_namesake(TUNTAP_TUN | TUNTAP_MULTI_QUEUE);
    become(1234, 1234);
    take_over_descriptor();
    tuntap_close(namesake);
}

static void take_over_on_an_old_kernel(void)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    tuntap *namesake = make_namesake(TUNTAP_TUN | TUNTAP_MULTI_QUEUE);
    forget_tungetdevnetns();
    take_over_descriptor();
    tuntap_close(namesake);
}

static void a_borrowed_descriptor_does_not_reach_a_namesake(void)
{
    taken_over = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE);
    CHECK(taken_over >= 0);
    in_a_child(take_over_unprivileged);
    in_a_child(take_over_on_an_old_kernel);
    close(taken_over);
}

/** Moves the device to another network namespace, makes a namesake with its index, and moves the device back. */
static void a_moved_device_is_not_confused_with_a_namesake(tuntap *dev)
{
    char path[64];
    unsigned index = if_nametoindex("t0");
    CHECK(index);
    IP("link set t0 netns %s", other_path);
    device_cannot_be_reached(dev);
    IP("link add name t0 index %u type veth peer name far0", index);
    CHECK(if_nametoindex("t0") == index);
    device_cannot_be_reached(dev);
    IP("link delete t0");
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE);
    device_cannot_be_reached(dev);
    the_descriptor_works(dev, "t0");
    close(fd);
    int home = own_netns();
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), home);
    INSIDE(other_netns, IP("link set t0 netns %s", path));
    close(home);
    device_cannot_be_reached(dev);
    IP("link delete t0");
    uint32_t mtu;
    FAILS(tuntap_get_mtu(dev, &mtu, &err), ENODEV, TUNTAP_REASON_REMOVED);
}

/** While the device does not move, all calls work. */
static void an_opened_device_on_an_old_kernel(void)
{
    tuntap *dev, *queue;
    tuntap_monitor *monitor;
    char text[64];
    uint32_t mtu;
    forget_tungetdevnetns();
    OK(tuntap_open("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &dev, &err));
    OK(tuntap_set_mtu(dev, 1400, &err));
    IP_HAS("\"mtu\":1400,", "link show t0");
    OK(add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(tuntap_get_addr(dev, text, sizeof text, &err));
    CHECK(strcmp(text, "10.8.0.1") == 0);
    OK(tuntap_up(dev, &err));
    OK(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
    IP_HAS("10.9.0.0/16", "route show dev t0");
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    tuntap_close(queue);
    OK(tuntap_monitor_open(dev, 0, &monitor, &err));
    tuntap_monitor_close(monitor);

    /* The device can be renamed, and many others can be created and deleted. */
    for (int i = 0; i < 300; i++) {
        int other = join_by_hand("other", IFF_TUN | IFF_NO_PI);
        CHECK(other >= 0);
        close(other);
    }
    IP("link set t0 down");
    IP("link set t0 name t1");
    OK(tuntap_get_mtu(dev, &mtu, &err));
    CHECK(mtu == 1400);
    IP("link set t1 name t0");
    a_moved_device_is_not_confused_with_a_namesake(dev);
    tuntap_close(dev);
}

/** Another user moves the device of a process without CAP_NET_ADMIN. This thread switches between root, which moves the
 * device, and an unprivileged user. */
static void without_privilege(tuntap *(*open_as_user)(void))
{
    tuntap *dev;
    uint32_t mtu;
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE);
    CHECK(fd >= 0 && ioctl(fd, TUNSETPERSIST, 1) == 0 && ioctl(fd, TUNSETOWNER, 1234) == 0);
    close(fd);
    dev = open_as_user();
    IP("link set t0 mtu 1400");
    CHECK(seteuid(1234) == 0);
    OK(tuntap_get_mtu(dev, &mtu, &err));
    CHECK(mtu == 1400);
    CHECK(seteuid(0) == 0);
    unsigned index = if_nametoindex("t0");
    IP("link set t0 netns %s", other_path);
    IP("link add name t0 index %u type veth peer name far0", index);
    CHECK(seteuid(1234) == 0);
    device_cannot_be_reached(dev);
    the_descriptor_works(dev, "t0");
    CHECK(seteuid(0) == 0);

    /* With the privilege, the handle follows the device again. */
    OK(tuntap_set_mtu(dev, 1300, &err));
    INSIDE(other_netns, IP_HAS("\"mtu\":1300,", "link show t0"));
    IP_HAS("\"mtu\":1500,", "link show t0");
    IP("link delete t0");
    INSIDE(other_netns, IP("link delete t0"));
    tuntap_close(dev);
}

static tuntap *open_by_node(void)
{
    tuntap *dev;
    tuntap_config *config;
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_node(config, node, &err));
    OK(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, config, &dev, &err));
    tuntap_config_free(config);
    return dev;
}

static tuntap *open_as_unprivileged_user(void)
{
    CHECK(seteuid(1234) == 0);
    tuntap *dev = open_by_node();
    CHECK(seteuid(0) == 0);
    return dev;
}

static void opened_by_an_unprivileged_user(void)
{
    without_privilege(open_as_unprivileged_user);
}

static void opened_before_giving_privilege_up(void)
{
    without_privilege(open_by_node);
}

int main(void)
{
    node = begin_with_users();
    needs_other_users();
    ipv4_only();
    other_netns = new_netns();
    snprintf(other_path, sizeof other_path, "/proc/%d/fd/%d", (int)getpid(), other_netns);
    a_borrowed_descriptor_does_not_reach_a_namesake();
    in_a_child(an_opened_device_on_an_old_kernel);
    in_a_child(opened_by_an_unprivileged_user);
    in_a_child(opened_before_giving_privilege_up);
    close(other_netns);
    return 0;
}
