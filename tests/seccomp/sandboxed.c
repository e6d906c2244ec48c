/* SPDX-License-Identifier: MIT
 *
 * Calls every function of the library in a process that may make only the documented system calls. Its parent, without
 * a filter, prepares what it needs and does what it asks for. The process prints each call before it makes it:
 * tests/seccomp.sh compares that list with the exported functions.
 *
 * Usage: sandboxed ROW [CALL]: allows the system calls of a row of the document, after a device was opened without a
 * filter. "all" allows those of all rows. CALL is a system call that is forbidden too. */
#include "packets.h"

static void without_device(void)
{
    DO(tuntap_version());
    DO(tuntap_version_number());
    DO(tuntap_has(TUNTAP_FEATURE_OFFLOAD));
    DO(tuntap_strreason(TUNTAP_REASON_BUSY));
}

static void open_device(void)
{
    tuntap_config *config;
    CALL(tuntap_config_new(&config, &err));
    CALL(tuntap_config_set_owner(config, 0, &err));
    CALL(tuntap_config_set_group(config, 0, &err));
    CALL(tuntap_config_set_node(config, "net/tun", &err));
    CALL(tuntap_config_set_mtu(config, 1400, &err));
    CALL(tuntap_config_set_alias(config, "in a sandbox", &err));
    CALL(tuntap_config_set_txqueuelen(config, 700, &err));
    CALL(tuntap_config_set_sndbuf(config, 100000, &err));
    CALL(tuntap_config_add_addr(config, addr_of("10.8.0.1/24", NULL, 0), sizeof(tuntap_addr), 0, &err));
    CALL(tuntap_config_add_route(config, route_of("10.9.0.0/16", NULL, 0, 0), sizeof(tuntap_route), 0, &err));
    CALL(tuntap_config_set_up(config, 1, &err));
    CALL(tuntap_open_config("t0", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, config, &dev, &err));
    DO(tuntap_config_free(config));
}

static void open_offloading(void)
{
    tuntap_config *config;
    OK(tuntap_config_new(&config, &err));
    CALL(tuntap_config_set_vnet_hdr_size(config, 12, &err));
    CALL(tuntap_config_set_vnet_endian(config, TUNTAP_ENDIAN_LITTLE, &err));
    OK(tuntap_open_config("s0", TUNTAP_TUN | TUNTAP_OFFLOAD, config, &offloading, &err));
    tuntap_config_free(config);
    CALL(tuntap_get_vnet_hdr_size(offloading, &(size_t){0}, &err));
}

/** Makes a queue without the library. */
static int make_queue_by_hand(const char *name, int flags)
{
    struct ifreq request = {.ifr_flags = (short)flags};
    strcpy(request.ifr_name, name);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0);
    return fd;
}

static void list_and_delete(void)
{
    tuntap_info infos[8];
    tuntap *persistent;
    int supported;
    OK(tuntap_open("d0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE | TUNTAP_PERSIST, &persistent, &err));
    tuntap_close(persistent);
    CALL(tuntap_list(infos, 8, sizeof infos[0], &err));
    CALL(tuntap_delete("d0", 0, &err));
    for (uint32_t feature = 1; feature <= TUNTAP_FEATURE_IPV6_SETTINGS; feature++) {
        OK(tuntap_probe(NULL, feature, &supported, &err));
        CALL(tuntap_probe(dev, feature, &supported, &err));
    }
}

static void release(void)
{
    tuntap *other;
    int fd;
    OK(tuntap_open("r0", TUNTAP_TUN, &other, &err));
    CALL(tuntap_release(other, &fd, &err));
    close(fd);
}

static void open_foreign_descriptors(void)
{
    tuntap *other;
    CALL(tuntap_open_fd(make_queue_by_hand("o0", IFF_TUN | IFF_NO_PI), 0, &other, &err));
    tuntap_close(other);
}

/** The library finds out the filter and the modes of a device, and sets them for further queues. */
static void open_with_filter(void)
{
    tuntap *first, *second, *queue;
    OK(tuntap_open("p0", TUNTAP_TAP | TUNTAP_PI | TUNTAP_MULTI_QUEUE, &first, &err));
    OK(tuntap_set_filter_bpf(first, all_packets_pass, 1, &err));
    OK(tuntap_open_queue(first, 0, &queue, &err));
    OK(tuntap_open("p0", TUNTAP_TAP | TUNTAP_PI | TUNTAP_MULTI_QUEUE, &second, &err));
    tuntap_close(second);
    struct sock_fprog theirs = {.len = 1, .filter = (struct sock_filter *)all_packets_pass};
    OK(tuntap_open_fd(make_queue_by_hand("p0", IFF_TAP | IFF_MULTI_QUEUE), 0, &second, &err));
    tuntap_close(second);
    tuntap_close(queue);
    tuntap_close(first);
    OK(tuntap_open("p1", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, &first, &err));
    OK(tuntap_open_queue(first, 0, &queue, &err));
    OK(tuntap_detach(queue, &err));
    CHECK(ioctl(tuntap_get_fd(first, NULL), TUNATTACHFILTER, &theirs) == 0);
    OK(tuntap_attach(queue, &err));
    tuntap_close(queue);
    tuntap_close(first);
}

static void namespaces(void)
{
    const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    tuntap_config *config;
    tuntap *other;
    OK(tuntap_config_new(&config, &err));
    CALL(tuntap_config_set_netns(config, elsewhere_path, &err));
    CALL(tuntap_config_set_netns_fd(config, elsewhere, &err));
    CALL(tuntap_config_set_mac(config, mac, &err));
    OK(tuntap_open_config("e0", TUNTAP_TAP, config, &other, &err));
    OK(tuntap_set_mtu(other, 1300, &err));
    tuntap_close(other);
    tuntap_config_free(config);
    CALL(tuntap_open("e1", TUNTAP_TAP, &other, &err));
    CALL(tuntap_set_netns(other, elsewhere_path, &err));
    CALL(tuntap_set_netns_fd(other, elsewhere, &err));
    DO(tuntap_close(other));
}

static void device(void)
{
    uint64_t flags;
    uint32_t number, somebody = in_user_namespace ? 0 : 1;
    tuntap_stats stats;
    CALL(tuntap_get_name(dev, text, sizeof text, &err));
    CALL(tuntap_get_index(dev, &number, &err));
    DO(tuntap_get_fd(dev, NULL));
    CALL(tuntap_get_flags(dev, &flags, &err));
    CALL(tuntap_set_persist(dev, 1, &err));
    OK(tuntap_set_persist(dev, 0, &err));
    CALL(tuntap_get_owner(dev, &number, &err));
    CALL(tuntap_set_owner(dev, somebody, &err));
    CALL(tuntap_get_group(dev, &number, &err));
    CALL(tuntap_set_group(dev, somebody, &err));
    CALL(tuntap_set_nonblock(dev, 1, &err));
    OK(tuntap_set_nonblock(dev, 0, &err));
    CALL(tuntap_get_stats(dev, &stats, sizeof stats, &err));
}

static void link_settings(void)
{
    uint32_t number;
    CALL(tuntap_down(dev, &err));
    CALL(tuntap_set_name(dev, "t1", &err));
    CALL(tuntap_up(dev, &err));
    CALL(tuntap_get_up(dev, &(int){0}, &err));
    CALL(tuntap_get_mtu(dev, &number, &err));
    CALL(tuntap_get_mtu_range(dev, &number, &number, &err));
    CALL(tuntap_set_mtu(dev, 1380, &err));
    CALL(tuntap_get_alias(dev, text, sizeof text, &err));
    CALL(tuntap_set_alias(dev, "renamed", &err));
    CALL(tuntap_get_carrier(dev, &(int){0}, &err));
    CALL(tuntap_set_carrier(dev, 0, &err));
    OK(tuntap_set_carrier(dev, 1, &err));
    CALL(tuntap_get_txqueuelen(dev, &number, &err));
    CALL(tuntap_set_txqueuelen(dev, 600, &err));
    CALL(tuntap_get_sndbuf(dev, &number, &err));
    CALL(tuntap_set_sndbuf(dev, 200000, &err));
    CALL(tuntap_get_offloads(dev, &(uint64_t){0}, &err));
}

static void addresses_and_routes(void)
{
    tuntap_addr addrs[8];
    tuntap_route routes[8];
    CALL(tuntap_set_addr(dev, "10.8.0.1/24", &err));
    CALL(tuntap_get_addr(dev, text, sizeof text, &err));
    CALL(tuntap_add_addr(dev, addr_of("10.8.1.1", "10.8.1.2", 0), sizeof(tuntap_addr), 0, &err));
    CALL(tuntap_list_addrs(dev, addrs, 8, sizeof addrs[0], &err));
    CALL(tuntap_del_addr(dev, addr_of("10.8.1.1", "10.8.1.2", 0), sizeof(tuntap_addr), &err));
    CALL(tuntap_set_netmask(dev, "255.255.0.0", &err));
    CALL(tuntap_get_netmask(dev, text, sizeof text, &err));
    CALL(tuntap_set_dstaddr(dev, "10.8.0.2", &err));
    CALL(tuntap_get_dstaddr(dev, text, sizeof text, &err));
    CALL(tuntap_add_route(dev, route_of("10.10.0.0/16", NULL, 0, 0), sizeof(tuntap_route), 0, &err));
    CALL(tuntap_list_routes(dev, routes, 8, sizeof routes[0], &err));
    CALL(tuntap_del_route(dev, route_of("10.10.0.0/16", NULL, 0, 0), sizeof(tuntap_route), &err));
    CALL(tuntap_find_route(dev, "10.8.0.2", NULL, 0, routes, sizeof routes[0], &err));
}

static void default_routes(void)
{
    CALL(tuntap_add_bypass(dev, "192.0.2.1", 7, 0, 0, &err));
    CALL(tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, TUNTAP_OVERRIDE, &err));
    CALL(tuntap_del_default_route(dev, 0, &err));
    CALL(tuntap_del_bypass(dev, "192.0.2.1", 7, 0, &err));
}

static void master_and_ipv6(void)
{
    uint32_t value;
    CALL(tuntap_set_master(tap, "br0", &err));
    CALL(tuntap_get_master(tap, text, sizeof text, &err));
    CALL(tuntap_get_ipv6(tap, TUNTAP_IPV6_DISABLE, &value, &err));
    CALL(tuntap_set_ipv6(tap, TUNTAP_IPV6_ACCEPT_RA, 0, &err));
}

static void queues(void)
{
    tuntap *queue;
    CALL(tuntap_open_queue(dev, 0, &queue, &err));
    CALL(tuntap_detach(queue, &err));
    CALL(tuntap_attach(queue, &err));
    tuntap_close(queue);
}

static void filters(void)
{
    uint8_t mac[6] = {2, 0, 0, 0, 0, 8};
    CALL(tuntap_get_mac(tap, mac, &err));
    CALL(tuntap_set_mac(tap, mac, &err));
    CALL(tuntap_list_addrs(tap, NULL, 0, sizeof(tuntap_addr), &err));
    CALL(tuntap_set_filter_bpf(tap, all_packets_pass, 1, &err));
    CALL(tuntap_set_filter_mac(tap, mac, 1, 0, &err));
    if (steering >= 0)
        CALL(tuntap_set_steering_ebpf(tap, steering, &err));
    if (counting >= 0)
        CALL(tuntap_set_filter_ebpf(tap, counting, &err));
}

static void monitors(void)
{
    tuntap_monitor *monitor;
    tuntap_event event;
    CALL(tuntap_monitor_open(dev, 0, &monitor, &err));
    DO(tuntap_monitor_get_fd(monitor, NULL));
    DO(tuntap_strevent(TUNTAP_EVENT_UP));
    CALL(tuntap_monitor_next(monitor, &event, sizeof event, 10000, &err));
    while (tuntap_monitor_next(monitor, &event, sizeof event, 10, &err) == 0)
        ; /* Until it waits because there is no event. */
    ask_for(CHANGE);
    OK(tuntap_monitor_next(monitor, &event, sizeof event, 10000, &err));
    DO(tuntap_monitor_shutdown(monitor));
    DO(tuntap_monitor_close(monitor));
    OK(tuntap_monitor_open(NULL, TUNTAP_MONITOR_ROUTES | TUNTAP_MONITOR_DEFAULT_ROUTE, &monitor, &err));
    tuntap_monitor_close(monitor);
}

static void opening(void)
{
    without_device();
    open_device();
    open_offloading();
    OK(tuntap_set_addr(offloading, "10.7.0.1/24", &err));
    OK(tuntap_up(offloading, &err));
    OK(tuntap_open("f0", TUNTAP_TAP | TUNTAP_MULTI_QUEUE, &tap, &err));
    list_and_delete();
    release();
    open_foreign_descriptors();
    open_with_filter();
    queues();
}

static void configuring(void)
{
    device();
    addresses_and_routes();
    default_routes();
    link_settings();
    filters();
    master_and_ipv6();
    CALL(tuntap_set_offloads(offloading, TUNTAP_F_CSUM, &err));
}

/** On an old kernel the library watches whether the device moves: see simulate_old_kernel(). */
static void on_old_kernel(void)
{
    tuntap *first, *queue;
    OK(tuntap_open("p1", TUNTAP_TUN | TUNTAP_MULTI_QUEUE, &first, &err));
    OK(tuntap_set_mtu(first, 1300, &err));
    OK(tuntap_set_addr(first, "10.8.0.1/24", &err));
    OK(tuntap_open_queue(first, 0, &queue, &err));
    tuntap_close(queue);
    tuntap_close(first);
}

static const struct {
    const char *name;
    unsigned purpose;
    void (*run)(void);
} parts[] = {
    {"opening", OPENING, opening},
    {"packets", PACKETS, all_packets},
    {"monitors", MONITORS, monitors},
    {"namespaces", OPENING | CONFIGURING | NAMESPACES, namespaces},
    {"configuring", CONFIGURING, configuring},
};

static void run_sandboxed(const char *name, const char *without)
{
    size_t count = sizeof parts / sizeof parts[0];
    if (strcmp(name, "all") == 0) {
        enter_sandbox(ANYTHING, without);
        for (size_t i = 0; i < count; i++)
            parts[i].run();
        return;
    }
    if (strcmp(name, "oldkernels") == 0) {
        enter_sandbox(OPENING | CONFIGURING | OLDKERNELS, without);
        on_old_kernel();
        return;
    }
    if (strcmp(name, "opening") != 0)
        opening();
    for (size_t i = 0; i < count; i++)
        if (strcmp(parts[i].name, name) == 0) {
            enter_sandbox(parts[i].purpose, without);
            parts[i].run();
            return;
        }
    fail(__FILE__, __LINE__, "no such purpose", name);
}

/** Does what the child asks for, until the child exits. */
static void serve(void)
{
    char request;
    int receiver = udp_socket("0.0.0.0", PORT); /* Without this socket the kernel would answer with ICMP. */
    while (read(to_parent[0], &request, 1) == 1) {
        if (request == CHANGE) {
            IP("link set t0 mtu 1370");
        } else {
            int sock = udp_socket("0.0.0.0", 0);
            udp_send(sock, request == PACKET_OF_T0 ? "10.8.0.2" : "10.7.0.2", PORT, "out", 3);
            close(sock);
        }
        CHECK(write(from_parent[1], "d", 1) == 1);
    }
    close(receiver);
}

int main(int count, char **arguments)
{
    int status;
    const char *what = count > 1 ? arguments[1] : "all";
    begin();
    ipv4_only();
    elsewhere = new_netns();
    snprintf(elsewhere_path, sizeof elsewhere_path, "/proc/self/fd/%d", elsewhere);
    /* The run "all" needs eBPF programs. The runs for single rows work without them. */
    int (*program)(int, unsigned) = strcmp(what, "all") == 0 ? program_returning : program_if_permitted;
    steering = program(0, BPF_PROG_TYPE_SOCKET_FILTER);
    counting = program(-1, BPF_PROG_TYPE_SOCKET_FILTER);
    IP("link add br0 type bridge");
    CHECK(chdir("/dev") == 0);
    CHECK(pipe(to_parent) == 0 && pipe(from_parent) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        close(to_parent[0]);
        run_sandboxed(what, count > 2 ? arguments[2] : "");
        _exit(0);
    }
    close(to_parent[1]);
    serve();
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
        fprintf(stderr, "the last call made a system call that is not documented: strace -f %s shows which\n",
                arguments[0]);
        return 3;
    }
    return status != 0;
}
