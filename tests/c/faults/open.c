/* SPDX-License-Identifier: MIT
 *
 * Makes every system call of an open fail in turn: for each kind of device, with every option, by name and by
 * descriptor, also in another network namespace, for new devices and for devices that another program has configured.
 * The same for a deletion, a list, a probe and a release. */
#include "faults.h"

#define OPEN "open t0|open the device|device node|netlink|event counter|turn off the offloads of t0"

static tuntap *dev, *first;
static tuntap_config *config;
static int descriptor = -1;

static void do_nothing(void)
{
}

static void close_it(long result)
{
    tuntap_close(result == 0 ? dev : NULL);
}

static long open_it(void)
{
    dev = NULL;
    return tuntap_open("t0", current->flags, &dev, &err);
}

static long open_pattern(void)
{
    dev = NULL;
    return tuntap_open("t%d", current->flags, &dev, &err);
}

static void remove_it(long result)
{
    if (result == 0)
        OK(tuntap_set_persist(dev, 0, &err));
    close_it(result);
}

static long open_with(void)
{
    dev = NULL;
    return tuntap_open_config("t0", current->flags, config, &dev, &err);
}

static void full_config(void)
{
    static const uint8_t mac[] = {2, 0, 0, 0, 0, 7};
    OK(tuntap_config_new(&config, &err));
    OK(tuntap_config_set_node(config, "/dev/net/tun", &err));
    OK(tuntap_config_set_mtu(config, 1400, &err));
    if (current->flags & TUNTAP_TAP)
        OK(tuntap_config_set_mac(config, mac, &err));
    OK(tuntap_config_set_alias(config, "all of it", &err));
    OK(tuntap_config_set_txqueuelen(config, 77, &err));
    OK(tuntap_config_set_sndbuf(config, 100000, &err));
    if (current->flags & TUNTAP_OFFLOAD) {
        OK(tuntap_config_set_vnet_hdr_size(config, 20, &err));
        OK(tuntap_config_set_vnet_endian(config, TUNTAP_ENDIAN_LITTLE, &err));
    }
    OK(config_add_addr(config, "10.8.0.1/24", NULL, 0, &err));
    OK(config_add_addr(config, "10.8.0.2/24", NULL, 0, &err));
    OK(config_add_addr(config, "fd00::1/64", NULL, TUNTAP_ADDR_NODAD, &err));
    OK(tuntap_config_set_up(config, 1, &err));
    OK(config_add_route(config, "10.9.0.0/16", "10.8.0.3", 7, 0, &err));
    OK(config_add_route(config, "fd01::/64", NULL, 0, 100, &err));
    OK(tuntap_config_set_owner(config, 0, &err));
    OK(tuntap_config_set_group(config, 0, &err));
}

static void full_config_elsewhere(void)
{
    char path[64];
    full_config();
    snprintf(path, sizeof path, "/proc/self/fd/%d", away_fd);
    OK(tuntap_config_set_netns(config, path, &err));
}

static void run_batch(const char *lines)
{
    FILE *ip = popen("ip -batch - >/dev/null", "w");
    CHECK(ip && fputs(lines, ip) >= 0 && pclose(ip) == 0);
}

/** A device that another program has configured. */
static void make_configured_tap(void)
{
    remove_here();
    run_batch("tuntap add dev t0 mode tap vnet_hdr user 0 group 0\n"
          "link set t0 mtu 1450 address 02:00:00:00:00:01 txqueuelen 55\n"
          "link set t0 alias before\n"
          "link set t0 up\n"
          "address add 10.8.0.2/24 dev t0 label t0:mine\n"
          "address add fd02::1/64 dev t0 nodad\n"
          "route add 10.10.0.0/16 via 10.8.0.9 dev t0\n");
    int fd = join_by_hand("t0", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR), header = 12;
    CHECK(ioctl(fd, TUNSETVNETHDRSZ, &header) == 0 && ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM) == 0);
    close(fd);
}

static void make_configured_tun(void)
{
    remove_here();
    run_batch("tuntap add dev t0 mode tun vnet_hdr\n"
          "link set t0 mtu 1450 up\n");
}

static void make_device(void)
{
    IP("tuntap add dev t0 mode %s", current->flags & TUNTAP_TAP ? "tap" : "tun");
    IP("link set t0 mtu 1450 up");
}

/** The caller's descriptor of a device. */
static void make_descriptor(void)
{
    int kind = current->flags & TUNTAP_TAP ? IFF_TAP : IFF_TUN;
    descriptor = join_by_hand("t0", kind | IFF_NO_PI | (current->flags & TUNTAP_OFFLOAD ? IFF_VNET_HDR : 0));
    CHECK(descriptor >= 0);
}

static void make_descriptor_with_pi(void)
{
    descriptor = join_by_hand("t0", current->flags & TUNTAP_TAP ? IFF_TAP : IFF_TUN);
    CHECK(descriptor >= 0);
}

/** TUNTAP_BORROW: the caller closes its descriptor. */
static void close_both(long result)
{
    close_it(result);
    close(descriptor);
}

static long open_descriptor(void)
{
    dev = NULL;
    return tuntap_open_fd(descriptor, 0, &dev, &err);
}

static long borrow_descriptor(void)
{
    dev = NULL;
    return tuntap_open_fd(descriptor, TUNTAP_BORROW, &dev, &err);
}

static void close_descriptor(long result)
{
    close_it(result);
    if (result != 0)
        close(descriptor);
}

static void open_first_queue(void)
{
    OK(tuntap_open("t0", current->flags, &first, &err));
}

static void open_first_queue_elsewhere(void)
{
    open_first_queue();
    OK(tuntap_set_netns_fd(first, away_fd, &err));
}

static long open_queue(void)
{
    dev = NULL;
    return tuntap_open_queue(first, 0, &dev, &err);
}

static long delete_it(void)
{
    return tuntap_delete("t0", 0, &err);
}

/** In the supervisor: makes a new device for each step. */
static void make_idle_tun(void)
{
    remove_here();
    run_batch("tuntap add dev t0 mode tun pi\n");
}

static void make_idle_tap(void)
{
    remove_here();
    run_batch("tuntap add dev t0 mode tap multi_queue vnet_hdr user 0\n");
}

static tuntap_info listed[4];

static long list_them(void)
{
    return tuntap_list(listed, 4, sizeof *listed, &err);
}

static uint32_t feature;

static long probe_it(void)
{
    int supported;
    return tuntap_probe(first, feature, &supported, &err);
}

static void choose_uso(void)
{
    feature = TUNTAP_FEATURE_USO;
}

static void choose_ipv6(void)
{
    feature = TUNTAP_FEATURE_IPV6;
}

static void open_and_choose_uso(void)
{
    choose_uso();
    open_first_queue();
}

static void open_and_choose_carrier(void)
{
    feature = TUNTAP_FEATURE_CARRIER;
    open_first_queue();
}

static void open_handle(void)
{
    OK(tuntap_open("t0", current->flags, &dev, &err));
}

static long release_it(void)
{
    descriptor = -1;
    return tuntap_release(dev, &descriptor, &err);
}

static void close_released(long result)
{
    if (result != 0)
        tuntap_close(dev);
    else
        close(descriptor);
}

#define DELETE "delete t0|device node|netlink"
#define PROBE "query the features of|device node|netlink|modes of t0|offloads of t0"
#define TAKE_OVER "take over a descriptor|take over descriptor|netlink|event counter"
#define OFFLOADS OPEN "|turn on the offloads of t0"

#define BY_NAME(title, bits) \
    {.name = title, .words = (bits) & TUNTAP_OFFLOAD ? OFFLOADS : OPEN, .begin = do_nothing, .call = open_it, \
     .restore = close_it, .flags = bits, .ignored = NEW_INDEX | NEW_MAC}
#define BY_DESCRIPTOR(title, make, bits) \
    {.name = title, .words = TAKE_OVER, .begin = do_nothing, .prepare = make, .call = open_descriptor, \
     .restore = close_descriptor, .flags = bits, .ignored = NEW_INDEX | NEW_MAC}

static const struct scenario SCENARIOS[] = {
    BY_NAME("open, TUN", TUNTAP_TUN),
    BY_NAME("open, TAP", TUNTAP_TAP),
    BY_NAME("open, TUN with PI and queues", TUNTAP_TUN | TUNTAP_PI | TUNTAP_MULTI_QUEUE),
    BY_NAME("open, TAP with offload", TUNTAP_TAP | TUNTAP_OFFLOAD),
    BY_NAME("open, TUN with offload and queues", TUNTAP_TUN | TUNTAP_OFFLOAD | TUNTAP_MULTI_QUEUE),
    BY_NAME("open, TAP exclusive and non-blocking", TUNTAP_TAP | TUNTAP_EXCLUSIVE | TUNTAP_NONBLOCK),
    BY_NAME("open, TUN with NAPI", TUNTAP_TUN | TUNTAP_NAPI),
    {.name = "open, by a pattern", .words = OPEN "|open t%d", .begin = do_nothing, .call = open_pattern,
     .restore = close_it, .flags = TUNTAP_TUN, .ignored = NEW_INDEX},
    {.name = "open, persistent", .words = OPEN "|persistence of t0", .begin = do_nothing, .call = open_it,
     .restore = remove_it, .flags = TUNTAP_TUN | TUNTAP_PERSIST, .ignored = NEW_INDEX},
    {.name = "open, existing TUN", .words = OPEN, .begin = make_device, .call = open_it, .restore = close_it,
     .flags = TUNTAP_TUN | TUNTAP_EXISTING},
    {.name = "open, TAP that exists", .words = OPEN, .begin = make_device, .call = open_it, .restore = close_it,
     .flags = TUNTAP_TAP},
    {.name = "open, existing TUN with offload", .words = OFFLOADS, .begin = do_nothing,
     .idle = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, .set_up = make_configured_tun, .call = open_it, .restore = close_it,
     .flags = TUNTAP_TUN | TUNTAP_EXISTING | TUNTAP_OFFLOAD, .ignored = NEW_INDEX},
    {.name = "open_config, all of a TAP", .words = OFFLOADS "|option ", .begin = full_config, .call = open_with,
     .restore = close_it, .flags = TUNTAP_TAP | TUNTAP_OFFLOAD, .ignored = NEW_INDEX},
    {.name = "open_config, all of a persistent TUN", .words = OPEN "|option |persistence of t0", .begin = full_config,
     .call = open_with, .restore = remove_it, .flags = TUNTAP_TUN | TUNTAP_PI | TUNTAP_PERSIST, .ignored = NEW_INDEX},
    {.name = "open_config, all of it elsewhere", .words = OPEN "|option |network namespace",
     .begin = full_config_elsewhere, .call = open_with, .restore = close_it, .flags = TUNTAP_TAP, .ignored = NEW_INDEX},
    {.name = "open_config, all of a TAP that exists", .words = OFFLOADS "|option ", .begin = full_config,
     .idle = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, .set_up = make_configured_tap, .call = open_with, .restore = close_it,
     .flags = TUNTAP_TAP | TUNTAP_OFFLOAD, .ignored = NEW_INDEX},
    BY_DESCRIPTOR("open_fd, TUN", make_descriptor, TUNTAP_TUN),
    BY_DESCRIPTOR("open_fd, TAP", make_descriptor, TUNTAP_TAP),
    BY_DESCRIPTOR("open_fd, TUN with PI", make_descriptor_with_pi, TUNTAP_TUN),
    BY_DESCRIPTOR("open_fd, TAP with PI", make_descriptor_with_pi, TUNTAP_TAP),
    BY_DESCRIPTOR("open_fd, TUN with offload", make_descriptor, TUNTAP_TUN | TUNTAP_OFFLOAD),
    {.name = "open_fd, borrowed", .words = TAKE_OVER, .begin = do_nothing, .prepare = make_descriptor,
     .call = borrow_descriptor, .restore = close_both, .flags = TUNTAP_TUN, .ignored = NEW_INDEX},
    {.name = "open_queue, TUN", .words = OPEN, .begin = open_first_queue, .call = open_queue, .restore = close_it,
     .flags = TUNTAP_TUN | TUNTAP_MULTI_QUEUE},
    {.name = "open_queue, TAP with offload", .words = OFFLOADS, .begin = open_first_queue, .call = open_queue,
     .restore = close_it, .flags = TUNTAP_TAP | TUNTAP_MULTI_QUEUE | TUNTAP_OFFLOAD},
    {.name = "open_queue, elsewhere", .words = OPEN "|network namespace", .begin = open_first_queue_elsewhere,
     .call = open_queue, .restore = close_it, .flags = TUNTAP_TUN | TUNTAP_MULTI_QUEUE},
    {.name = "delete, TUN", .words = DELETE, .begin = do_nothing, .set_up = make_idle_tun, .call = delete_it,
     .flags = TUNTAP_TUN, .ignored = NEW_INDEX},
    {.name = "delete, TAP with queues", .words = DELETE, .begin = do_nothing, .set_up = make_idle_tap,
     .call = delete_it, .flags = TUNTAP_TAP, .ignored = NEW_INDEX | NEW_MAC},
    {.name = "list", .words = "list the TUN and TAP devices|netlink", .begin = open_first_queue, .call = list_them,
     .flags = TUNTAP_TUN},
    {.name = "probe", .words = PROBE, .begin = choose_uso, .call = probe_it},
    {.name = "probe, IPv6", .words = PROBE, .begin = choose_ipv6, .call = probe_it},
    {.name = "probe, a device for USO", .words = PROBE, .begin = open_and_choose_uso, .call = probe_it,
     .flags = TUNTAP_TAP | TUNTAP_OFFLOAD},
    {.name = "probe, a device for the carrier", .words = PROBE, .begin = open_and_choose_carrier, .call = probe_it,
     .flags = TUNTAP_TUN},
    {.name = "release", .words = "release", .begin = do_nothing, .prepare = open_handle, .call = release_it,
     .restore = close_released, .flags = TUNTAP_TUN, .ignored = NEW_INDEX},
};

int main(int argc, char **argv)
{
    return run(SCENARIOS, sizeof SCENARIOS / sizeof *SCENARIOS, argc > 1 ? argv[1] : NULL);
}
