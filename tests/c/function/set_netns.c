/* SPDX-License-Identifier: MIT */
#include "netns.h"

static char other_path[64];
static int home, other_netns;

/** Makes another interface with the former name and index of a moved device. */
static void make_decoy(const char *name, unsigned index)
{
    IP("link add %s index %u type veth peer name peer-of-decoy", name, index);
}

static void decoy_is_untouched(const char *name)
{
    IP_HAS("\"mtu\":1500,", "link show %s", name);
    IP_HAS_NOT("\"UP\"", "link show %s", name);
    IP_HAS_NOT("ifalias", "link show %s", name);
    IP_HAS("\"addr_info\":[]", "addr show %s", name);
    CHECK(strcmp(output_of("ip route show table all dev %s", name), "") == 0);
    IP("link delete %s", name);
}

/** All settings and queries act on the device in its network namespace. */
static void settings_act_in_the_namespace_of_the_device(tuntap *dev, const char *name, uint64_t flags, int netns)
{
    char text[TUNTAP_ALIAS_SIZE], renamed[] = "renamed";
    uint32_t number;
    STAYS({
        OK(tuntap_set_mtu(dev, 1400, &err));
        OK(tuntap_set_alias(dev, "an alias", &err));
        OK(tuntap_set_txqueuelen(dev, 77, &err));
        OK(add_addr(dev, "10.9.0.1/24", NULL, 0, &err));
        OK(tuntap_set_name(dev, renamed, &err)); /* Before Linux 6.2 the device must be down. */
        OK(tuntap_up(dev, &err));
        OK(add_route(dev, "10.10.0.0/16", NULL, 0, 0, &err));
        OK(tuntap_get_name(dev, text, sizeof text, &err));
        CHECK(strcmp(text, renamed) == 0);
        OK(tuntap_get_mtu(dev, &number, &err));
        CHECK(number == 1400);
        CHECK(tuntap_list_addrs(dev, NULL, 0, sizeof(tuntap_addr), &err) == 1);
        CHECK(tuntap_list_routes(dev, NULL, 0, sizeof(tuntap_route), &err) == 2);
        OK(tuntap_get_index(dev, &number, &err));
    });
    CHECK(!exists(renamed));
    INSIDE(netns, {
        const char *link = output_of("ip -j -d link show renamed");
        CHECK(strstr(link, "\"mtu\":1400,") && strstr(link, "\"ifalias\":\"an alias\""));
        CHECK(strstr(link, "\"txqlen\":77,") && strstr(link, "\"UP\""));
        CHECK(number == if_nametoindex(renamed));
        IP_HAS("\"local\":\"10.9.0.1\",\"prefixlen\":24", "addr show renamed");
        IP_HAS("\"dst\":\"10.10.0.0/16\"", "route show dev renamed");
    });
    OK(del_route(dev, "10.10.0.0/16", NULL, 0, 0, &err));
    OK(del_addr(dev, "10.9.0.1", NULL, &err));
    OK(tuntap_down(dev, &err));
    CHECK(is_up(dev, &err) == 0);
    OK(tuntap_set_name(dev, name, &err));
    INSIDE(netns, {
        IP_HAS_NOT("\"UP\"", "link show %s", name);
        IP_HAS("\"addr_info\":[]", "addr show %s", name);
    });
    if (flags & TUNTAP_TAP) {
        OK(tuntap_set_mac(dev, (const uint8_t *)"\2\0\0\0\0\x55", &err));
        INSIDE(netns, IP_HAS("\"address\":\"02:00:00:00:00:55\"", "link show %s", name));
    }
}

static void a_device_moves_there_and_back(uint64_t flags)
{
    tuntap *dev;
    char name[TUNTAP_NAME_SIZE], home_path[64];
    uint32_t index;
    OK(tuntap_open("t0", flags, &dev, &err));
    OK(tuntap_get_index(dev, &index, &err));
    int sock = bring_up("t0", flags);
    packets_flow(sock, dev, flags);
    close(sock);

    STAYS(OK(tuntap_set_netns(dev, other_path, &err)));
    CHECK(!exists("t0"));
    INSIDE(other_netns, {
        CHECK(exists("t0"));
        IP_HAS_NOT("\"UP\"", "link show t0");
        IP_HAS("\"addr_info\":[]", "addr show t0");
    });
    make_decoy("t0", index);
    settings_act_in_the_namespace_of_the_device(dev, "t0", flags, other_netns);
    INSIDE(other_netns, sock = bring_up("t0", flags));
    packets_flow(sock, dev, flags);
    OK(tuntap_get_name(dev, name, sizeof name, &err));
    CHECK(strcmp(name, "t0") == 0);
    /* A move to the present network namespace changes nothing. */
    STAYS(OK(tuntap_set_netns(dev, other_path, &err)));
    packets_flow(sock, dev, flags);
    close(sock);
    decoy_is_untouched("t0");

    snprintf(home_path, sizeof home_path, "/proc/%d/ns/net", (int)getpid());
    STAYS(OK(tuntap_set_netns(dev, home_path, &err)));
    INSIDE(other_netns, CHECK(!exists("t0")));
    CHECK(exists("t0"));
    sock = bring_up("t0", flags);
    packets_flow(sock, dev, flags);
    close(sock);
    OK(tuntap_set_netns(dev, "/proc/thread-self/ns/net", &err));
    CHECK(exists("t0"));
    tuntap_close(dev);
}

static void another_program_moves_the_device(uint64_t flags)
{
    tuntap *dev;
    uint32_t index;
    OK(tuntap_open("t0", flags, &dev, &err));
    OK(tuntap_get_index(dev, &index, &err));
    for (int round = 0; round < 2; round++) {
        IP("link set t0 netns %s", other_path);
        make_decoy("t0", index);
        settings_act_in_the_namespace_of_the_device(dev, "t0", flags, other_netns);
        int sock;
        INSIDE(other_netns, sock = bring_up("t0", flags));
        packets_flow(sock, dev, flags);
        close(sock);
        decoy_is_untouched("t0");
        INSIDE(other_netns, IP("link set t0 netns /proc/%d/fd/%d", (int)getpid(), home));
        OK(tuntap_set_mtu(dev, 1300 + (uint32_t)round, &err));
        IP_HAS(round ? "\"mtu\":1301," : "\"mtu\":1300,", "link show t0");
        OK(tuntap_get_index(dev, &index, &err));
        CHECK(index == if_nametoindex("t0"));
    }
    tuntap_close(dev);
}

/** Each call queries the network namespace of the device again, so any call can be the first after a move. */
static void the_first_call_after_a_move_leaves_the_decoy_alone(void)
{
    tuntap *dev;
    uint32_t index, number;
    for (int call = 0; call < 9; call++) {
        OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
        OK(tuntap_get_index(dev, &index, &err));
        IP("link set t0 netns %s", other_path);
        INSIDE(other_netns, IP("link set t0 mtu 1234 up"));
        make_decoy("t0", index);
        switch (call) {
        case 0: OK(tuntap_set_mtu(dev, 1400, &err)); break;
        case 1: OK(tuntap_up(dev, &err)); break;
        case 2: OK(tuntap_set_addr(dev, "10.9.0.1/24", &err)); break;
        case 3: OK(add_addr(dev, "10.9.0.1/24", NULL, 0, &err)); break;
        case 4: OK(add_route(dev, "10.10.0.0/16", NULL, 0, 0, &err)); break;
        case 5:
            if (!kernel_is(6, 2))
                INSIDE(other_netns, IP("link set t0 down"));
            OK(tuntap_set_name(dev, "t1", &err));
            break;
        case 6: OK(tuntap_set_alias(dev, "x", &err)); break;
        case 7: OK(tuntap_get_mtu(dev, &number, &err)); CHECK(number == 1234); break;
        case 8: OK(tuntap_set_netns(dev, "/proc/self/ns/net", NULL) == -EEXIST ? 0 : -1); break;
        }
        CHECK(exists("t0"));
        decoy_is_untouched("t0");
        tuntap_close(dev);
    }
}

/** All queues follow the move, whichever handle made it. */
static void all_handles_follow_a_move(uint64_t kind)
{
    tuntap *dev, *queue, *third;
    uint32_t number;
    uint64_t flags = kind | TUNTAP_MULTI_QUEUE;
    OK(tuntap_open("t0", flags, &dev, &err));
    OK(tuntap_open_queue(dev, 0, &queue, &err));
    OK(tuntap_set_netns(queue, other_path, &err));
    OK(tuntap_set_mtu(dev, 1400, &err));
    OK(tuntap_get_mtu(queue, &number, &err));
    CHECK(number == 1400);
    INSIDE(other_netns, IP_HAS("\"mtu\":1400,", "link show t0"));

    STAYS(OK(tuntap_open_queue(dev, 0, &third, &err)));
    INSIDE(other_netns, IP_HAS("\"numqueues\":3", "link show t0"));
    int sock;
    INSIDE(other_netns, sock = bring_up("t0", flags));
    tuntap *each[] = {dev, queue, third};
    for (int i = 0; i < 3; i++) {
        OK(tuntap_detach(each[(i + 1) % 3], &err));
        OK(tuntap_detach(each[(i + 2) % 3], &err));
        packets_flow(sock, each[i], flags);
        OK(tuntap_attach(each[(i + 1) % 3], &err));
        OK(tuntap_attach(each[(i + 2) % 3], &err));
    }
    close(sock);
    OK(tuntap_set_netns(third, "/proc/self/ns/net", &err));
    tuntap_close(third);
    OK(tuntap_set_mtu(dev, 1300, &err));
    IP_HAS("\"mtu\":1300,", "link show t0");
    OK(tuntap_get_mtu(queue, &number, &err));
    CHECK(number == 1300);
    tuntap_close(dev);
    tuntap_close(queue);
}

/** The call fails, and changes neither the device nor the descriptors nor the thread's network namespace. */
#define REFUSED(call_of_err, number, why)                             \
    do {                                                              \
        STAYS(UNCHANGED(FAILS(call_of_err, number, why)));            \
    } while (0)

static void files_that_are_not_network_namespaces_are_refused(void)
{
    tuntap *dev;
    char path[64];
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    int sock = bring_up("t0", TUNTAP_TUN);
    static const char *const none[] = {"/proc/self/ns/mnt", "/proc/self/ns/user", "/dev/null", "/proc/self/status", "/"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        REFUSED(tuntap_set_netns(dev, none[i], &err), EINVAL, TUNTAP_REASON_NAMESPACE);
        CHECK(strstr(err.message, none[i]) && strstr(err.message, "/run/netns/NAME"));
        CHECK(tuntap_set_netns(dev, none[i], NULL) == -EINVAL);
    }
    REFUSED(tuntap_set_netns(dev, "/proc/self/ns/nothing", &err), ENOENT, TUNTAP_REASON_SYSTEM);
    MESSAGE_HAS("/proc/self/ns/nothing");
    REFUSED(tuntap_set_netns(dev, "", &err), ENOENT, TUNTAP_REASON_SYSTEM);
    REFUSED(tuntap_set_netns(dev, "/dev/null/x", &err), ENOTDIR, TUNTAP_REASON_SYSTEM);
    snprintf(path, sizeof path, "/proc/%d/ns/net", 1 << 22);
    REFUSED(tuntap_set_netns(dev, path, &err), ENOENT, TUNTAP_REASON_SYSTEM);
    REFUSED(tuntap_set_netns(dev, NULL, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    REFUSED(tuntap_set_netns(NULL, other_path, &err), EINVAL, TUNTAP_REASON_ARGUMENT);
    packets_flow(sock, dev, TUNTAP_TUN);
    close(sock);
    tuntap_close(dev);
}

static void the_name_must_be_unused_in_the_other_namespace(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TAP, &dev, &err));
    INSIDE(other_netns, IP("link add t0 type veth peer name t1"));
    int sock = bring_up("t0", TUNTAP_TAP);
    int up;
    OK(tuntap_get_up(dev, &up, &err));
    REFUSED(tuntap_set_netns(dev, other_path, &err), EEXIST, TUNTAP_REASON_BUSY);
    MESSAGE_HAS("t0");
    packets_flow(sock, dev, TUNTAP_TAP);
    close(sock);
    INSIDE(other_netns, IP("link delete t0"));
    OK(tuntap_set_netns(dev, other_path, &err));
    CHECK(!exists("t0"));
    tuntap_close(dev);
    INSIDE(other_netns, CHECK(!exists("t0")));
}

static void a_removed_device_is_reported(void)
{
    tuntap *dev;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    IP("link delete t0");
    FAILS(tuntap_set_netns(dev, other_path, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);

    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_set_netns(dev, other_path, &err));
    INSIDE(other_netns, IP("link delete t0"));
    FAILS(tuntap_set_netns(dev, "/proc/self/ns/net", &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_set_mtu(dev, 1400, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

/** The kernel deletes the virtual devices of a network namespace with it, even if a handle is open. */
static void deleting_the_namespace_deletes_the_device(void)
{
    tuntap *dev;
    char buf[100], path[64];
    int gone = new_netns();
    snprintf(path, sizeof path, "/proc/self/fd/%d", gone);
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_set_netns(dev, path, &err));
    close(gone);
    FAILS(tuntap_read(dev, buf, sizeof buf, &err), ENODEV, TUNTAP_REASON_REMOVED);
    FAILS(tuntap_set_mtu(dev, 1400, &err), ENODEV, TUNTAP_REASON_REMOVED);
    tuntap_close(dev);
}

/** Drops privileges permanently, so this runs last. */
static void without_privilege_no_device_moves_and_a_moved_one_only_carries_packets(void)
{
    tuntap *dev, *moved, *queue = NULL;
    char name[TUNTAP_NAME_SIZE];
    uint32_t number = 77;
    uint64_t flags;
    OK(tuntap_open("t0", TUNTAP_TUN, &dev, &err));
    OK(tuntap_open("t1", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, &moved, &err));
    IP("link set t1 netns %s", other_path);
    int sock;
    INSIDE(other_netns, sock = bring_up("t1", TUNTAP_TAP));
    drop_privileges();
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);

    FAILS(tuntap_set_netns(dev, other_path, &err), EPERM, TUNTAP_REASON_PRIVILEGE);
    MESSAGE_HAS("CAP_NET_ADMIN");
    CHECK(exists("t0"));
    FAILS(tuntap_set_netns(dev, "/proc/1/ns/net", &err), EACCES, TUNTAP_REASON_PRIVILEGE);
    OK(tuntap_set_netns(dev, "/proc/self/ns/net", &err));

    packets_flow(sock, moved, TUNTAP_TAP);
    FAILS(tuntap_get_mtu(moved, &number, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    MESSAGE_HAS("CAP_NET_ADMIN");
    CHECK(number == 77);
    FAILS(tuntap_set_mtu(moved, 1500, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    FAILS(tuntap_up(moved, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    FAILS(is_up(moved, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    FAILS(tuntap_set_addr(moved, "10.8.0.1/24", &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    FAILS(tuntap_set_netns(moved, "/proc/self/ns/net", &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    FAILS(tuntap_open_queue(moved, 0, &queue, &err), EXDEV, TUNTAP_REASON_NAMESPACE);
    CHECK(!queue);
    OK(tuntap_get_name(moved, name, sizeof name, &err));
    CHECK(strcmp(name, "t1") == 0);
    OK(tuntap_get_flags(moved, &flags, &err));
    CHECK(flags == (TUNTAP_TAP | TUNTAP_MULTI_QUEUE));
    OK(tuntap_detach(moved, &err));
    OK(tuntap_attach(moved, &err));
    packets_flow(sock, moved, TUNTAP_TAP);
    close(sock);
    tuntap_close(dev);
    tuntap_close(moved);
}

int main(void)
{
    begin();
    ipv4_only();
    home = own_netns();
    other_netns = new_netns();
    snprintf(other_path, sizeof other_path, "/proc/%d/fd/%d", (int)getpid(), other_netns);
    static const uint64_t kinds[] = {TUNTAP_TUN, TUNTAP_TAP, TUNTAP_TUN | TUNTAP_PI, TUNTAP_TAP | TUNTAP_PI};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        a_device_moves_there_and_back(kinds[i]);
        another_program_moves_the_device(kinds[i]);
    }
    the_first_call_after_a_move_leaves_the_decoy_alone();
    all_handles_follow_a_move(TUNTAP_TUN);
    all_handles_follow_a_move(TUNTAP_TAP);
    files_that_are_not_network_namespaces_are_refused();
    the_name_must_be_unused_in_the_other_namespace();
    a_removed_device_is_reported();
    deleting_the_namespace_deletes_the_device();
    without_privilege_no_device_moves_and_a_moved_one_only_carries_packets();
    close(home);
    close(other_netns);
    return 0;
}
