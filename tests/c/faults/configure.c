/* SPDX-License-Identifier: MIT
 *
 * Makes every system call fail in turn in every function that configures or queries a device, also a device in another
 * network namespace. */
#include "calls.h"

#include "../steering.h"

#include <linux/if_packet.h>

static tuntap *dev, *queue;
static int socket_to, program;
static char answer_text[256];
static uint64_t answer_number;
static uint32_t number32;

static const uint8_t MAC[] = {2, 0, 0, 0, 0, 1}, OTHER_MAC[] = {2, 0, 0, 0, 0, 2};

/* The devices of the scenarios. */

static void make(uint64_t flags)
{
    OK(tuntap_open("t0", flags, &dev, &err));
    if (flags & TUNTAP_TAP)
        OK(tuntap_set_mac(dev, MAC, &err));
}

static void a_tap(void)
{
    make(TUNTAP_TAP | TUNTAP_OFFLOAD);
    OK(tuntap_set_offloads(dev, TUNTAP_F_CSUM | TUNTAP_F_TSO4, &err));
    OK(tuntap_set_owner(dev, 5, &err));
    OK(tuntap_set_group(dev, 5, &err));
    OK(tuntap_set_alias(dev, "before", &err));
}

/** Up, with addresses and routes. */
static void a_tun(void)
{
    make(TUNTAP_TUN);
    OK(tuntap_up(dev, &err));
    OK(add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(add_addr(dev, "10.8.0.9/24", NULL, 0, &err));
    OK(add_addr(dev, "10.20.0.1/16", NULL, 0, &err));
    OK(add_addr(dev, "fd00::1/64", NULL, TUNTAP_ADDR_NODAD, &err));
    OK(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
    OK(add_route(dev, "fd09::/64", NULL, 0, 0, &err));
}

static void a_tun_with_a_peer(void)
{
    make(TUNTAP_TUN);
    OK(add_addr(dev, "10.8.0.1/24", "10.8.0.2", 0, &err));
}

static void a_port(void)
{
    if (!if_nametoindex("lo0"))
        IP("link add lo0 type bridge");
    a_tap();
    OK(tuntap_set_master(dev, "lo0", &err));
}

static void two_queues(void)
{
    make(TUNTAP_TAP | TUNTAP_MULTI_QUEUE);
    OK(tuntap_open_queue(dev, 0, &queue, &err));
}

static void a_tun_elsewhere(void)
{
    make(TUNTAP_TUN);
    OK(tuntap_set_netns_fd(dev, away_fd, &err));
    OK(tuntap_up(dev, &err));
    OK(add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(add_route(dev, "10.9.0.0/16", NULL, 0, 0, &err));
}

/** An Ethernet frame with an unknown protocol. */
static const uint8_t FRAME[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5};

/** Whether the frame is in the queue. Empties the queue. */
static int has_frame(tuntap *from)
{
    uint8_t buf[2000];
    int found = 0;
    while (read(tuntap_get_fd(from, NULL), buf, sizeof buf) > 0)
        found |= memcmp(buf, FRAME, sizeof FRAME) == 0;
    return found;
}

static void send_frame(void)
{
    CHECK(send(socket_to, FRAME, sizeof FRAME, 0) == sizeof FRAME);
}

static void a_socket(void)
{
    OK(tuntap_up(dev, &err));
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("t0")};
    socket_to = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    CHECK(bind(socket_to, (struct sockaddr *)&address, sizeof address) == 0);
}

/** Two queues, and a program that chooses the queue where the frame does not go without it. */
static void two_queues_with_packets(void)
{
    two_queues();
    OK(tuntap_set_nonblock(dev, 1, &err));
    OK(tuntap_set_nonblock(queue, 1, &err));
    a_socket();
    send_frame();
    program = program_returning(has_frame(dev), BPF_PROG_TYPE_SOCKET_FILTER);
}

static void report_queue(char *text, size_t size)
{
    send_frame();
    snprintf(text, size, "the frame is in queue %d", has_frame(dev) ? 0 : has_frame(queue) ? 1 : -1);
}

/** A TAP, a socket to send frames through it, and a program that drops them. */
static void a_tap_with_packets(void)
{
    make(TUNTAP_TAP | TUNTAP_NONBLOCK);
    a_socket();
    program = program_returning(0, BPF_PROG_TYPE_SOCKET_FILTER);
}

/** Whether a frame comes out of the device. */
static void report_passing(char *text, size_t size)
{
    send_frame();
    snprintf(text, size, "a frame %s", has_frame(dev) ? "passes" : "does not pass");
}

static void report_answer(char *text, size_t size)
{
    snprintf(text, size, "answer %llu \"%s\"", (unsigned long long)answer_number, answer_text);
}

static void clear_answer(void)
{
    memset(answer_text, 0, sizeof answer_text);
    answer_number = number32 = 0;
}

CALL(persist, tuntap_set_persist(dev, 1, &err))
UNDO(restore_persist, tuntap_set_persist(dev, 0, &err))
CALL(owner, tuntap_set_owner(dev, 7, &err))
UNDO(restore_owner, tuntap_set_owner(dev, 5, &err))
CALL(group, tuntap_set_group(dev, 7, &err))
UNDO(restore_group, tuntap_set_group(dev, 5, &err))
CALL(up, tuntap_up(dev, &err))
UNDO(undo_up, tuntap_down(dev, &err))
PREPARE(prepare_up, tuntap_up(dev, &err))
CALL(down, tuntap_down(dev, &err))
UNDO(undo_down, tuntap_down(dev, &err))
CALL(mtu, tuntap_set_mtu(dev, 1400, &err))
UNDO(restore_mtu, tuntap_set_mtu(dev, 1500, &err))
CALL(mac, tuntap_set_mac(dev, OTHER_MAC, &err))
UNDO(restore_mac, tuntap_set_mac(dev, MAC, &err))
CALL(name, tuntap_set_name(dev, "t1", &err))
UNDO(restore_name, tuntap_set_name(dev, "t0", &err))
CALL(alias, tuntap_set_alias(dev, "after", &err))
UNDO(restore_alias, tuntap_set_alias(dev, "before", &err))
CALL(carrier, tuntap_set_carrier(dev, 0, &err))
UNDO(restore_carrier, tuntap_set_carrier(dev, 1, &err))
CALL(txqueuelen, tuntap_set_txqueuelen(dev, 77, &err))
UNDO(restore_txqueuelen, tuntap_set_txqueuelen(dev, 1000, &err))
CALL(sndbuf, tuntap_set_sndbuf(dev, 100000, &err))
UNDO(restore_sndbuf, tuntap_set_sndbuf(dev, 2147483647, &err))
CALL(offloads, tuntap_set_offloads(dev, TUNTAP_F_CSUM, &err))
UNDO(restore_offloads, tuntap_set_offloads(dev, TUNTAP_F_CSUM | TUNTAP_F_TSO4, &err))
CALL(nonblock, tuntap_set_nonblock(dev, 1, &err))
UNDO(restore_nonblock, tuntap_set_nonblock(dev, 0, &err))
CALL(attach, tuntap_attach(queue, &err))
PREPARE(prepare_detached, tuntap_detach(queue, &err))
UNDO(undo_attach, tuntap_attach(queue, &err))
CALL(detach, tuntap_detach(queue, &err))
UNDO(undo_detach, tuntap_attach(queue, &err))
CALL(move, tuntap_set_netns_fd(dev, away_fd, &err))

static tuntap_config *config;

static void a_config(void)
{
    OK(tuntap_config_new(&config, &err));
}

PREPARE(prepare_netns, tuntap_config_set_netns_fd(config, away_fd, &err))

CALL(config_netns, tuntap_config_set_netns(config, "/proc/self/ns/net", &err))
CALL(config_netns_fd, tuntap_config_set_netns_fd(config, away_fd, &err))
CALL(config_node, tuntap_config_set_node(config, "/dev/net/tun", &err))

CALL(steering, tuntap_set_steering_ebpf(dev, program, &err))
UNDO(no_steering, tuntap_set_steering_ebpf(dev, -1, &err))
CALL(filter_ebpf, tuntap_set_filter_ebpf(dev, program, &err))
UNDO(no_filter_ebpf, tuntap_set_filter_ebpf(dev, -1, &err))
static const struct sock_filter DROP_ALL[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
CALL(filter, tuntap_set_filter_bpf(dev, DROP_ALL, 1, &err))
UNDO(no_filter, tuntap_set_filter_bpf(dev, NULL, 0, &err))
PREPARE(prepare_filter, tuntap_set_filter_bpf(dev, DROP_ALL, 1, &err))
CALL(remove_filter, tuntap_set_filter_bpf(dev, NULL, 0, &err))
UNDO(undo_remove_filter, tuntap_set_filter_bpf(dev, NULL, 0, &err))
CALL(tx_filter, tuntap_set_filter_mac(dev, MAC, 1, 0, &err))
UNDO(no_tx_filter, tuntap_set_filter_mac(dev, NULL, 0, 0, &err))

CALL(add4, add_addr(dev, "10.8.1.1/24", NULL, 0, &err))
UNDO(undo_add4, del_addr(dev, "10.8.1.1/24", NULL, &err))
CALL(add6, add_addr(dev, "fd01::1/64", NULL, TUNTAP_ADDR_NODAD, &err))
UNDO(undo_add6, del_addr(dev, "fd01::1/64", NULL, &err))
PREPARE(prepare_addr4, add_addr(dev, "10.8.1.1/24", NULL, 0, &err))
CALL(del4, del_addr(dev, "10.8.1.1/24", NULL, &err))
PREPARE(prepare_addr6, add_addr(dev, "fd01::1/64", NULL, TUNTAP_ADDR_NODAD, &err))
CALL(del6, del_addr(dev, "fd01::1/64", NULL, &err))
CALL(set_addr, tuntap_set_addr(dev, "10.8.3.1/20", &err))
CALL(set_dstaddr, tuntap_set_dstaddr(dev, "10.8.0.3", &err))
CALL(set_netmask, tuntap_set_netmask(dev, "255.255.0.0", &err))

CALL(route4, add_route(dev, "10.11.0.0/16", NULL, 7, 100, &err))
UNDO(undo_route4, del_route(dev, "10.11.0.0/16", NULL, 7, 100, &err))
PREPARE(prepare_route4, add_route(dev, "10.11.0.0/16", NULL, 7, 100, &err))
CALL(del_route4, del_route(dev, "10.11.0.0/16", NULL, 7, 100, &err))
CALL(route6, add_route(dev, "fd11::/64", NULL, 0, 0, &err))
UNDO(undo_route6, del_route(dev, "fd11::/64", NULL, 0, 0, &err))
PREPARE(prepare_route6, add_route(dev, "fd11::/64", NULL, 0, 0, &err))
CALL(del_route6, del_route(dev, "fd11::/64", NULL, 0, 0, &err))

CALL(default_route, tuntap_add_default_route(dev, 0, NULL, 0, &err))
UNDO(no_default_route, tuntap_del_default_route(dev, 0, &err))
PREPARE(prepare_default_route, tuntap_add_default_route(dev, 0, NULL, 0, &err))
CALL(keep_default, tuntap_add_default_route(dev, 0, NULL, TUNTAP_KEEP, &err))
CALL(override, tuntap_add_default_route(dev, TUNTAP_IPV4, NULL, TUNTAP_OVERRIDE, &err))
CALL(del_default_route, tuntap_del_default_route(dev, TUNTAP_IPV4, &err))
CALL(bypass, tuntap_add_bypass(dev, NULL, 7, 0, 0, &err))
UNDO(no_bypass, tuntap_del_bypass(dev, NULL, 7, 0, &err))
PREPARE(prepare_bypass, tuntap_add_bypass(dev, "203.0.113.1", 0, 0, 0, &err))
CALL(del_bypass, tuntap_del_bypass(dev, "203.0.113.1", 0, 0, &err))
CALL(addr_gen_mode, tuntap_set_ipv6(dev, TUNTAP_IPV6_ADDR_GEN_MODE, 0, &err))
UNDO(restore_addr_gen_mode, tuntap_set_ipv6(dev, TUNTAP_IPV6_ADDR_GEN_MODE, 1, &err))
CALL(accept_ra, tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, 2, &err))
UNDO(restore_accept_ra, tuntap_set_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, 1, &err))

static int replace_addr(const char *addr, uint32_t valid, const char *label)
{
    tuntap_addr given = *addr_of(addr, NULL, 0);
    given.valid = valid;
    strcpy(given.label, label);
    return tuntap_add_addr(dev, &given, sizeof given, TUNTAP_REPLACE, &err);
}

static int replace_route(uint32_t mtu)
{
    tuntap_route given = *route_of("10.9.0.0/16", NULL, 0, 0);
    given.mtu = mtu;
    return tuntap_add_route(dev, &given, sizeof given, TUNTAP_REPLACE, &err);
}

CALL(change_lifetime, replace_addr("10.8.0.1/24", 4000000000, ""))
UNDO(restore_lifetime, replace_addr("10.8.0.1/24", 0, ""))
CALL(change_label, replace_addr("10.8.0.9/24", 0, "t0:new"))
CALL(change_route, replace_route(1300))
UNDO(restore_route, replace_route(0))

/** In the supervisor: removes all addresses, as at the beginning. */
static void flush_addresses(void)
{
    if (if_nametoindex("t0"))
        IP("-4 address flush dev t0");
}

static void prepare_addrs(void)
{
    OK(add_addr(dev, "10.8.0.1/24", NULL, 0, &err));
    OK(add_addr(dev, "10.8.0.9/24", NULL, 0, &err));
    OK(add_addr(dev, "10.20.0.1/16", NULL, 0, &err));
}

static void move_back(UNUSED long result)
{
    int home = own_netns();
    OK(tuntap_set_netns_fd(dev, home, &err));
    close(home);
}

/* Queries: a call writes its answer only if it succeeds. */

static tuntap_addr addrs[8];
static tuntap_route routes[8];

static long answered(long result)
{
    if (result >= 0)
        answer_number = number32;
    return result;
}

static long count_addrs(void)
{
    ssize_t count = tuntap_list_addrs(dev, addrs, 8, sizeof *addrs, &err);
    for (ssize_t i = 0; i < count; i++)
        strcat(answer_text, addrs[i].addr);
    return count;
}

static long count_routes(void)
{
    ssize_t count = tuntap_list_routes(dev, routes, 8, sizeof *routes, &err);
    for (ssize_t i = 0; i < count; i++)
        strcat(answer_text, routes[i].destination);
    return count;
}

static long find_route(void)
{
    tuntap_route route;
    long result = tuntap_find_route(dev, "10.9.0.1", NULL, 0, &route, sizeof route, &err);
    if (result == 0)
        strcat(answer_text, route.destination);
    return result;
}

static long get_stats(void)
{
    tuntap_stats stats = {.rx_packets = 99};
    long result = tuntap_get_stats(dev, &stats, sizeof stats, &err);
    answer_number = result == 0 ? 1 : stats.rx_packets == 99 ? 0 : 2;
    return result;
}

CALL(get_name, tuntap_get_name(dev, answer_text, sizeof answer_text, &err))
CALL(get_index, answered(tuntap_get_index(dev, &number32, &err)))
CALL(get_flags, tuntap_get_flags(dev, &answer_number, &err))
CALL(get_owner, answered(tuntap_get_owner(dev, &number32, &err)))
CALL(get_group, answered(tuntap_get_group(dev, &number32, &err)))
CALL(get_mtu, answered(tuntap_get_mtu(dev, &number32, &err)))
CALL(get_mac, tuntap_get_mac(dev, (uint8_t *)answer_text, &err))
CALL(get_alias, tuntap_get_alias(dev, answer_text, sizeof answer_text, &err))
CALL(get_txqueuelen, answered(tuntap_get_txqueuelen(dev, &number32, &err)))
CALL(get_sndbuf, answered(tuntap_get_sndbuf(dev, &number32, &err)))
CALL(get_offloads, tuntap_get_offloads(dev, &answer_number, &err))
CALL(get_up, answered(tuntap_get_up(dev, (int *)&number32, &err)))
CALL(get_mtu_range, answered(tuntap_get_mtu_range(dev, &number32, &(uint32_t){0}, &err)))
CALL(get_carrier, answered(tuntap_get_carrier(dev, (int *)&number32, &err)))
CALL(get_master, tuntap_get_master(dev, answer_text, sizeof answer_text, &err))
CALL(get_ipv6, answered(tuntap_get_ipv6(dev, TUNTAP_IPV6_ACCEPT_RA, &number32, &err)))
CALL(get_addr, tuntap_get_addr(dev, answer_text, sizeof answer_text, &err))
CALL(get_dstaddr, tuntap_get_dstaddr(dev, answer_text, sizeof answer_text, &err))
CALL(get_netmask, tuntap_get_netmask(dev, answer_text, sizeof answer_text, &err))

#define CHANGE(title, say, make_it, make_ready, do_it, undo) \
    {.name = title, .words = say, .begin = make_it, .prepare = make_ready, .call = do_it, .restore = undo}
#define QUERY(title, say, make_it, do_it) \
    {.name = title, .words = say, .begin = make_it, .prepare = clear_answer, .call = do_it, .report = report_answer}
#define FILTER(title, say, make_ready, do_it, undo, wait)                                                       \
    {.name = title, .words = say, .begin = a_tap_with_packets, .prepare = make_ready, .call = do_it, .restore = undo, \
     .report = report_passing, .pause = wait}
#define NETLINK_SOCKET "open a netlink socket|query the features of the kernel"
#define DEFAULT_ROUTE \
    "default route through t0|replace the route 0.0.0.0/0|replace the route ::/0|" \
    "delete the route 0.0.0.0/0|" NETLINK_SOCKET
#define REMOVED_ADDR " from t0|restore the address"
#define REPLACE_ADDR(title, say, do_it) \
    {.name = title, .words = say, .begin = a_bare_tun, .set_up = flush_addresses, .prepare = prepare_addrs, \
     .call = do_it}

static void a_bare_tun(void)
{
    make(TUNTAP_TUN);
    OK(tuntap_up(dev, &err));
}

static const struct scenario SCENARIOS[] = {
    CHANGE("set_persist", "persistence of t0", a_tap, NULL, persist, restore_persist),
    CHANGE("set_owner", "owner of t0", a_tap, NULL, owner, restore_owner),
    CHANGE("set_group", "group of t0", a_tap, NULL, group, restore_group),
    CHANGE("up", "bring t0 up", a_tap, NULL, up, undo_up),
    CHANGE("down", "take t0 down", a_tap, prepare_up, down, undo_down),
    CHANGE("set_mtu", "MTU of t0 to 1400", a_tap, NULL, mtu, restore_mtu),
    CHANGE("set_mac", "MAC address of t0 to 02:00:00:00:00:02", a_tap, NULL, mac, restore_mac),
    CHANGE("set_name", "rename t0 to t1|rename the device to t1", a_tap, NULL, name, restore_name),
    CHANGE("set_alias", "alias of t0", a_tap, NULL, alias, restore_alias),
    CHANGE("set_carrier", "carrier of t0", a_tap, NULL, carrier, restore_carrier),
    CHANGE("set_txqueuelen", "transmit queue length of t0", a_tap, NULL, txqueuelen, restore_txqueuelen),
    CHANGE("set_sndbuf", "send buffer of t0", a_tap, NULL, sndbuf, restore_sndbuf),
    CHANGE("set_offloads", "offloads of t0", a_tap, NULL, offloads, restore_offloads),
    CHANGE("set_nonblock", "t0", a_tap, NULL, nonblock, restore_nonblock),
    CHANGE("attach", "attach a queue of t0", two_queues, prepare_detached, attach, undo_attach),
    CHANGE("detach", "detach a queue of t0", two_queues, NULL, detach, undo_detach),
    CHANGE("set_netns_fd", "move t0|as a network namespace|reach t0", a_tap, NULL, move, move_back),
    {.name = "set_steering_ebpf", .words = "steering program of t0", .begin = two_queues_with_packets,
     .call = steering, .restore = no_steering, .report = report_queue},
    FILTER("set_filter_ebpf", "filter program of t0", NULL, filter_ebpf, no_filter_ebpf, 0),
    FILTER("set_filter", "classic filter of t0", NULL, filter, no_filter, 20),
    FILTER("set_filter, of none", "classic filter of t0", prepare_filter, remove_filter, undo_remove_filter, 20),
    FILTER("set_tx_filter", "address filter of t0", NULL, tx_filter, no_tx_filter, 0),

    CHANGE("add_addr, IPv4", "add the address 10.8.1.1/24 to t0", a_tun, NULL, add4, undo_add4),
    CHANGE("add_addr, IPv4, in place", "the address 10.8.0.1/24", a_tun, NULL, change_lifetime, restore_lifetime),
    REPLACE_ADDR("add_addr, IPv4, by another", "add the address 10.8.0.9/24 to t0|" REMOVED_ADDR, change_label),
    CHANGE("add_addr, IPv6", "add the address fd01::1/64 to t0", a_tun, NULL, add6, undo_add6),
    CHANGE("del_addr, IPv4", "remove the address 10.8.1.1/24 from t0", a_tun, prepare_addr4, del4, NULL),
    CHANGE("del_addr, IPv6", "remove the address fd01::1/64 from t0", a_tun, prepare_addr6, del6, NULL),
    REPLACE_ADDR("set_addr", "add the address 10.8.3.1/20 to t0|" REMOVED_ADDR, set_addr),
    REPLACE_ADDR("set_dstaddr", "add the address|" REMOVED_ADDR, set_dstaddr),
    REPLACE_ADDR("set_netmask", "add the address|" REMOVED_ADDR, set_netmask),
    CHANGE("add_route, IPv4", "add the route 10.11.0.0/16", a_tun, NULL, route4, undo_route4),
    CHANGE("add_route, IPv4, in place", "the route 10.9.0.0/16", a_tun, NULL, change_route, restore_route),
    CHANGE("add_route, IPv6", "add the route fd11::/64", a_tun, NULL, route6, undo_route6),
    CHANGE("del_route, IPv4", "delete the route 10.11.0.0/16", a_tun, prepare_route4, del_route4, NULL),
    CHANGE("del_route, IPv6", "delete the route fd11::/64", a_tun, prepare_route6, del_route6, NULL),

    CHANGE("add_default_route", DEFAULT_ROUTE, a_tun, NULL, default_route, no_default_route),
    CHANGE("add_default_route, to keep", DEFAULT_ROUTE, a_tun, prepare_default_route, keep_default, no_default_route),
    CHANGE("add_default_route, to override", DEFAULT_ROUTE, a_tun, prepare_default_route, override, no_default_route),
    CHANGE("del_default_route", DEFAULT_ROUTE, a_tun, prepare_default_route, del_default_route, NULL),
    CHANGE("add_bypass", "add a bypass of t0|" NETLINK_SOCKET, a_tun, NULL, bypass, no_bypass),
    CHANGE("del_bypass", "delete a bypass of t0|" NETLINK_SOCKET, a_tun, prepare_bypass, del_bypass, NULL),
    CHANGE("set_ipv6, addr_gen_mode", "addr_gen_mode of t0", a_tap, NULL, addr_gen_mode, restore_addr_gen_mode),
    CHANGE("set_ipv6, accept_ra", "accept_ra of t0", a_tap, NULL, accept_ra, restore_accept_ra),

    CHANGE("config_set_netns", "network namespace /proc/self/ns/net", a_config, prepare_netns, config_netns, NULL),
    CHANGE("config_set_netns_fd", "as a network namespace", a_config, prepare_netns, config_netns_fd, NULL),
    CHANGE("config_set_node", "/dev/net/tun", a_config, NULL, config_node, NULL),

    QUERY("get_name", "name of", a_tap, get_name),
    QUERY("get_index", "t0", a_tap, get_index),
    QUERY("get_flags", "modes of t0", a_tap, get_flags),
    QUERY("get_owner", "owner of t0", a_tap, get_owner),
    QUERY("get_group", "group of t0", a_tap, get_group),
    QUERY("get_up", "t0", a_tap, get_up),
    QUERY("get_mtu_range", "t0", a_tap, get_mtu_range),
    QUERY("get_mtu", "MTU of t0", a_tap, get_mtu),
    QUERY("get_mac", "MAC address of t0", a_tap, get_mac),
    QUERY("get_alias", "alias of t0", a_tap, get_alias),
    QUERY("get_carrier", "carrier of t0", a_tap, get_carrier),
    QUERY("get_txqueuelen", "transmit queue length of t0", a_tap, get_txqueuelen),
    QUERY("get_sndbuf", "send buffer of t0", a_tap, get_sndbuf),
    QUERY("get_stats", "t0", a_tap, get_stats),
    QUERY("get_offloads", "offloads of t0", a_tap, get_offloads),
    QUERY("get_master", "an interface in the network namespace of t0", a_port, get_master),
    QUERY("get_ipv6", "IPv6 settings of t0", a_tap, get_ipv6),
    QUERY("find_route", "find a route in the network namespace of t0|find the route to 10.9.0.1", a_tun, find_route),
    QUERY("get_addr", "addresses of t0", a_tun, get_addr),
    QUERY("get_dstaddr", "addresses of t0", a_tun_with_a_peer, get_dstaddr),
    QUERY("get_netmask", "addresses of t0", a_tun, get_netmask),
    QUERY("list_addrs", "addresses of t0", a_tun, count_addrs),
    QUERY("list_routes", "routes through t0", a_tun, count_routes),

    CHANGE("elsewhere, set_mtu", "MTU of t0 to 1400", a_tun_elsewhere, NULL, mtu, restore_mtu),
    CHANGE("elsewhere, add_addr", "add the address 10.8.1.1/24 to t0", a_tun_elsewhere, NULL, add4, undo_add4),
    CHANGE("elsewhere, add_route", "add the route 10.11.0.0/16", a_tun_elsewhere, NULL, route4, undo_route4),
    CHANGE("elsewhere, set_carrier", "carrier of t0", a_tun_elsewhere, NULL, carrier, restore_carrier),
    QUERY("elsewhere, list_addrs", "addresses of t0", a_tun_elsewhere, count_addrs),
    QUERY("elsewhere, get_mtu", "MTU of t0", a_tun_elsewhere, get_mtu),
};

int main(int argc, char **argv)
{
    if (geteuid() != 0)
        skip("needs root, for devices of other users");
    return run(SCENARIOS, sizeof SCENARIOS / sizeof *SCENARIOS, argc > 1 ? argv[1] : NULL);
}
