/* SPDX-License-Identifier: MIT
 *
 * Another device has the name of the handle's own, and its index too, while the own is in another network namespace:
 * what cannot show that it reaches the own one is -EXDEV, and the other stays as it is. Also on a kernel without
 * TUNGETDEVNETNS (before Linux 5.4), which seccomp plays. */
#include "netns.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

static int there;
static char there_path[64];
static const char *node;

/** TUNGETDEVNETNS is not known; for ever. */
static void become_old(void)
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

/** Does it in a process of its own, which dies with this one. */
static void apart(void (*action)(void))
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

/** The device is where the handle cannot find it: another one is neither queried nor changed. */
static void it_cannot_be_reached(tuntap *dev)
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

/** What goes through the descriptor does not need to know where the device is. */
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

/** A namesake with addresses, as like the own device as can be; its handle. */
static tuntap *a_namesake(uint64_t flags)
{
    tuntap *namesake;
    OK(tuntap_open("t0", flags, &namesake, &err));
    IP("link set t0 mtu 777");
    IP("address add 10.66.6.6/24 dev t0");
    return namesake;
}

static int taken_over;

static void a_receiver(void)
{
    tuntap *dev;
    OK(tuntap_open_fd(taken_over, TUNTAP_BORROW, &dev, &err));
    it_cannot_be_reached(dev);
    the_descriptor_works(dev, "t0");
    tuntap_close(dev);
}

static void an_unprivileged_receiver(void)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    tuntap *namesake = a_namesake(TUNTAP_TUN | TUNTAP_MULTI_QUEUE);
    become(1234, 1234);
    a_receiver();
    tuntap_close(namesake);
}

static void a_receiver_on_an_old_kernel(void)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    tuntap *namesake = a_namesake(TUNTAP_TUN | TUNTAP_MULTI_QUEUE);
    become_old();
    a_receiver();
    tuntap_close(namesake);
}

static void a_descriptor_that_is_taken_over(void)
{
    taken_over = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE);
    CHECK(taken_over >= 0);
    apart(an_unprivileged_receiver);
    apart(a_receiver_on_an_old_kernel);
    close(taken_over);
}

/** Takes the device away, puts a namesake with its index there, and brings it back. */
static void away_and_back(tuntap *dev)
{
    char path[64];
    unsigned index = if_nametoindex("t0");
    CHECK(index);
    IP("link set t0 netns %s", there_path);
    it_cannot_be_reached(dev);
    IP("link add name t0 index %u type veth peer name far0", index);
    CHECK(if_nametoindex("t0") == index);
    it_cannot_be_reached(dev);
    IP("link delete t0");
    int fd = join_by_hand("t0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE);
    it_cannot_be_reached(dev);
    the_descriptor_works(dev, "t0");
    close(fd);
    int home = own_netns();
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), home);
    INSIDE(there, IP("link set t0 netns %s", path));
    close(home);
    it_cannot_be_reached(dev);
    IP("link delete t0");
    uint32_t mtu;
    FAILS(tuntap_get_mtu(dev, &mtu, &err), ENODEV, TUNTAP_REASON_REMOVED);
}

/** As long as it stays, nothing is missing. */
static void an_opened_one_on_an_old_kernel(void)
{
    tuntap *dev, *queue;
    tuntap_monitor *monitor;
    char text[64];
    uint32_t mtu;
    become_old();
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

    /* Renamed, and while many others come and go. */
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
    away_and_back(dev);
    tuntap_close(dev);
}

/** Where the process lacks CAP_NET_ADMIN, now or since a moment, others move the device: so the rest of this process is
 * root's, and this thread alone is a user's. */
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
    IP("link set t0 netns %s", there_path);
    IP("link add name t0 index %u type veth peer name far0", index);
    CHECK(seteuid(1234) == 0);
    it_cannot_be_reached(dev);
    the_descriptor_works(dev, "t0");
    CHECK(seteuid(0) == 0);

    /* Who has it again follows the device. */
    OK(tuntap_set_mtu(dev, 1300, &err));
    INSIDE(there, IP_HAS("\"mtu\":1300,", "link show t0"));
    IP_HAS("\"mtu\":1500,", "link show t0");
    IP("link delete t0");
    INSIDE(there, IP("link delete t0"));
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

static tuntap *opened_by_a_user(void)
{
    CHECK(seteuid(1234) == 0);
    tuntap *dev = open_by_node();
    CHECK(seteuid(0) == 0);
    return dev;
}

static void a_user(void)
{
    without_privilege(opened_by_a_user);
}

static void one_that_gave_its_privilege_up(void)
{
    without_privilege(open_by_node);
}

int main(void)
{
    node = begin_with_users();
    needs_other_users();
    ipv4_only();
    there = new_netns();
    snprintf(there_path, sizeof there_path, "/proc/%d/fd/%d", (int)getpid(), there);
    a_descriptor_that_is_taken_over();
    apart(an_opened_one_on_an_old_kernel);
    apart(a_user);
    apart(one_that_gave_its_privilege_up);
    close(there);
    return 0;
}
