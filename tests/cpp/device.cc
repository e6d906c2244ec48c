// SPDX-License-Identifier: MIT
// Devices, their properties, options, addresses, routes and queues, as ip(8) sees them.
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <unistd.h>

#include "test.hpp"

using namespace test;
using libtuntap::device;

static void devices_open_and_close()
{
    device first("", open_flags::tun);
    CHECK(first.get_name() == "tun0" && exists("tun0"));
    const std::string pattern = "vpn%d-and-more";
    device second(std::string_view(pattern).substr(0, 5), open_flags::tap | open_flags::nonblock);
    CHECK(second.get_name() == "vpn0" && exists("vpn0"));
    CHECK(second.get_flags() == (open_flags::tap | open_flags::nonblock));
    CHECK(any(second.get_flags() & open_flags::tap) && !any(second.get_flags() & ~open_flags::tap & open_flags::tun));
    CHECK(ip_has("\"ifindex\":" + std::to_string(second.get_index()), "link show vpn0"));
    second.set_nonblock(false);
    CHECK(second.get_flags() == open_flags::tap);

    const auto devices = libtuntap::list();
    CHECK(devices.size() == 2 && std::string(devices[1].name) == "vpn0");
    CHECK(open_flags{devices[1].flags} == open_flags::tap);
    second.close();
    CHECK(!second && !exists("vpn0"));

    device kept("kept", open_flags::tun);
    kept.set_persist(true);
    kept.close();
    CHECK(exists("kept"));
    libtuntap::delete_device("kept");
    CHECK(!exists("kept"));
    CHECK(libtuntap::probe(libtuntap::feature::tun) && libtuntap::has(libtuntap::feature::tun));
    CHECK(first.probe(libtuntap::feature::tun) && !first.probe(libtuntap::feature::tap));
    CHECK(libtuntap::version() == std::string(tuntap_version()));
    CHECK(libtuntap::version_number() == TUNTAP_VERSION_NUMBER);
}

static void interface_settings()
{
    device dev("t0", open_flags::tap);
    const libtuntap::mac mac{2, 0, 0, 0, 0, 5};
    dev.set_mac(mac);
    CHECK(dev.get_mac() == mac && ip_has("\"address\":\"02:00:00:00:00:05\"", "link show t0"));
    dev.set_mtu(1400);
    CHECK(dev.get_mtu() == 1400 && ip_has("\"mtu\":1400", "link show t0"));
    CHECK(dev.get_mtu_range() == std::pair(68U, 65521U));
    CHECK(ip_has("\"min_mtu\":68,\"max_mtu\":65521", "link show t0"));
    dev.set_alias("for C++");
    CHECK(dev.get_alias() == "for C++" && ip_has("\"ifalias\":\"for C++\"", "link show t0"));
    dev.set_txqueuelen(77);
    CHECK(dev.get_txqueuelen() == 77 && ip_has("\"txqlen\":77", "link show t0"));
    dev.set_sndbuf(65536);
    CHECK(dev.get_sndbuf() == 65536);
    dev.set_name("renamed");
    CHECK(dev.get_name() == "renamed" && exists("renamed") && !exists("t0"));
    CHECK(!dev.get_up());
    dev.up();
    CHECK(dev.get_up() && ip_has("\"UP\"", "link show renamed"));
    dev.set_carrier(false);
    CHECK(!dev.get_carrier() && ip_has("NO-CARRIER", "link show renamed"));
    dev.set_carrier(true);
    CHECK(dev.get_carrier() && !ip_has("NO-CARRIER", "link show renamed"));
    dev.down();
    CHECK(!ip_has("\"UP\"", "link show renamed"));
    dev.set_owner(getuid());
    dev.set_group(getgid());
    CHECK(dev.get_owner() == getuid() && dev.get_group() == getgid());
    CHECK(ip_has("\"user\":\"", "link show renamed") && ip_has("\"group\":\"", "link show renamed"));
    CHECK(dev.get_stats().rx_packets == 0);

    const libtuntap::mac macs[] = {mac, {2, 0, 0, 0, 0, 6}};
    dev.set_filter_mac(macs);
    dev.set_filter_mac(std::vector<libtuntap::mac>(), libtuntap::filter_flags::all_multicast);
    dev.set_filter_mac({});
    const sock_filter drop[] = {{BPF_RET | BPF_K, 0, 0, 0}};
    dev.set_filter_bpf(drop, std::size(drop));
    dev.set_filter_bpf(nullptr, 0);
    dev.set_filter_ebpf(-1);
    THROWS(dev.set_steering_ebpf(12345), EBADF, reason::argument);
}

static void addresses_and_routes()
{
    device dev("t0", open_flags::tun);
    dev.set_addr("10.8.0.1/24");
    CHECK(dev.get_addr() == "10.8.0.1" && dev.get_netmask() == "255.255.255.0");
    dev.set_netmask("255.255.0.0");
    CHECK(ip_has("\"local\":\"10.8.0.1\",\"prefixlen\":16", "address show t0"));
    dev.set_dstaddr("10.8.0.2");
    CHECK(dev.get_dstaddr() == "10.8.0.2" && ip_has("\"address\":\"10.8.0.2\"", "address show t0"));

    dev.add_addr(libtuntap::make_addr("10.9.0.1", "10.9.0.9"));
    CHECK(ip_has("\"local\":\"10.9.0.1\",\"address\":\"10.9.0.9\",\"prefixlen\":32", "address show t0"));
    auto v6 = libtuntap::make_addr("fd00::1/64");
    v6.flags = number(libtuntap::addr_flags::nodad | libtuntap::addr_flags::noprefixroute);
    dev.add_addr(v6);
    CHECK(ip_has("\"local\":\"fd00::1\",\"prefixlen\":64", "address show t0"));
    v6.valid = 1000;
    THROWS(dev.add_addr(v6), EEXIST, reason::busy);
    dev.add_addr(v6, libtuntap::add_flags::replace);
    CHECK(output_of("ip -6 -o address show dev t0 to fd00::1").find("valid_lft forever") == std::string::npos);
    const auto addrs = dev.list_addrs();
    CHECK(addrs.size() == 3 && std::string(addrs[1].addr) == "10.9.0.1/32" && std::string(addrs[1].peer) == "10.9.0.9");
    CHECK(libtuntap::family{addrs[2].family} == libtuntap::family::ipv6);
    CHECK(any(libtuntap::addr_flags{addrs[2].flags} & libtuntap::addr_flags::noprefixroute));
    dev.del_addr(addrs[1]);
    CHECK(!ip_has("10.9.0.1", "address show t0") && dev.list_addrs().size() == 2);

    dev.up();
    const std::size_t before = dev.list_routes().size();
    auto route = libtuntap::make_route("10.20.0.0/16");
    route.metric = 7;
    dev.add_route(route);
    CHECK(ip_has("\"dst\":\"10.20.0.0/16\",\"dev\":\"t0\"", "route show"));
    route.mtu = 1300;
    dev.add_route(route, libtuntap::add_flags::replace);
    CHECK(ip_has("\"mtu\":1300", "route show 10.20.0.0/16"));
    auto on_link = libtuntap::make_route("10.21.0.0/16", "192.0.2.1");
    on_link.flags = number(libtuntap::route_flags::onlink);
    dev.add_route(on_link);
    CHECK(ip_has("\"gateway\":\"192.0.2.1\"", "route show 10.21.0.0/16"));
    CHECK(dev.list_routes().size() == before + 2);
    for (const auto &found : dev.list_routes())
        if (found.metric == 7)
            dev.del_route(found);
    CHECK(!ip_has("10.20.0.0/16", "route show") && dev.list_routes().size() == before + 1);

    // More entries than the first buffer of the list holds.
    for (int i = 1; i <= 100; i++)
        ip("address add 10.30.0." + std::to_string(i) + "/32 dev t0");
    CHECK(dev.list_addrs().size() == 103); /* with the link-local address of IPv6 */
}

/** Makes an interface up0 with a default route, like an Internet uplink. */
static void add_uplink()
{
    ip("link add up0 type veth peer name far0");
    ip("link set far0 up");
    ip("link set up0 up");
    ip("address add 192.0.2.2/24 dev up0");
    ip("route add default via 192.0.2.1 dev up0");
}

/** Whether the kernel sends a packet with these properties through this interface. */
static bool is_sent_through(const std::string &packet, const std::string &interface_settings)
{
    return ip_has("\"dev\":\"" + interface_settings + "\"", "route get " + packet);
}

static void default_routes()
{
    using libtuntap::add_flags, libtuntap::family;
    add_uplink();
    device dev("t0", open_flags::tun);
    dev.add_addr(libtuntap::make_addr("10.8.0.2/24"));
    THROWS(dev.add_default_route(), ENETDOWN, reason::down);
    dev.up();
    dev.add_bypass("198.51.100.7");
    dev.add_bypass("", 0x30, 0xf0);
    dev.add_default_route();
    CHECK(is_sent_through("203.0.113.1", "t0") && is_sent_through("2001:db8::1", "t0"));
    CHECK(is_sent_through("198.51.100.7", "up0") && is_sent_through("203.0.113.1 mark 0x35", "up0") &&
          is_sent_through("192.0.2.9", "up0"));
    dev.add_default_route(family::ipv4, "10.8.0.1", add_flags::override);
    CHECK(ip_has("\"gateway\":\"10.8.0.1\"", "route get 203.0.113.1") && is_sent_through("192.0.2.9", "t0"));

    auto found_route = dev.find_route("198.51.100.7");
    CHECK(std::string(found_route.gateway) == "192.0.2.1" && std::string(found_route.source) == "192.0.2.2");
    CHECK(ip_has("\"ifindex\":" + std::to_string(found_route.index), "link show up0"));
    found_route = libtuntap::find_route("203.0.113.1", "10.8.0.2");
    CHECK(found_route.index == dev.get_index() && std::string(found_route.gateway) == "10.8.0.1");
    CHECK(libtuntap::find_route("203.0.113.1", "", 0x30).index != dev.get_index());
    THROWS(libtuntap::find_route("nowhere"), EINVAL, reason::address);
    THROWS(device().find_route("203.0.113.1"), EINVAL, reason::argument);

    dev.del_bypass("", 0x30, 0xf0);
    CHECK(is_sent_through("203.0.113.1 mark 0x35", "t0"));
    dev.del_bypass("198.51.100.7");
    CHECK(is_sent_through("198.51.100.7", "t0"));
    THROWS(dev.del_bypass("198.51.100.7"), ENOENT, reason::unset);
    THROWS(dev.add_bypass(""), EINVAL, reason::argument);
    dev.del_default_route(family::ipv6);
    CHECK(!is_sent_through("2001:db8::1", "t0") && is_sent_through("203.0.113.1", "t0"));
    dev.del_default_route();
    CHECK(is_sent_through("203.0.113.1", "up0") && !ip_has("\"priority\":3000", "rule show"));

    dev.set_persist(true);
    dev.add_default_route(family::ipv4, {}, add_flags::keep);
    dev.add_bypass("198.51.100.7", 0, 0, add_flags::keep);
    dev.close();
    CHECK(is_sent_through("203.0.113.1", "t0") && is_sent_through("198.51.100.7", "up0"));
    ip("link delete t0");
    CHECK(is_sent_through("203.0.113.1", "up0"));
    ip("link delete up0");
}

static void master_and_ipv6()
{
    using libtuntap::ipv6_setting;
    ip("link add br0 type bridge");
    device dev("t0", open_flags::tap);
    THROWS(dev.get_master(), ENOENT, reason::unset);
    dev.set_master("br0");
    CHECK(dev.get_master() == "br0" && ip_has("\"master\":\"br0\"", "link show t0"));
    dev.set_master("");
    CHECK(!ip_has("\"master\"", "link show t0"));
    THROWS(dev.set_master("nothing"), ENODEV, reason::absent);
    ip("link delete br0");

    const auto has = [](const std::string &setting, const std::string &value) {
        return output_of("cat /proc/sys/net/ipv6/conf/t0/" + setting) == value + "\n";
    };
    dev.set_ipv6(ipv6_setting::accept_ra, 2);
    CHECK(dev.get_ipv6(ipv6_setting::accept_ra) == 2 && has("accept_ra", "2"));
    dev.set_ipv6(ipv6_setting::addr_gen_mode, 1);
    CHECK(dev.get_ipv6(ipv6_setting::addr_gen_mode) == 1 && has("addr_gen_mode", "1"));
    dev.set_ipv6(ipv6_setting::disable, 1);
    CHECK(dev.get_ipv6(ipv6_setting::disable) == 1 && has("disable_ipv6", "1"));
    THROWS(dev.set_ipv6(ipv6_setting::disable, 2), EINVAL, reason::range);
}

static void config_options()
{
    const libtuntap::mac mac{2, 0, 0, 0, 0, 7};
    libtuntap::config config;
    config.set_mtu(1300).set_mac(mac).set_alias("an alias").set_txqueuelen(33).set_sndbuf(70000).set_up(true);
    config.set_owner(getuid()).set_group(getgid()).set_node("/dev/net/tun").set_node(nullptr);
    config.add_addr(libtuntap::make_addr("10.8.0.1/24")).add_route(libtuntap::make_route("10.9.0.0/16"));
    config.set_vnet_hdr_size(12).set_vnet_endian(libtuntap::endian::little);
    device dev("t0", open_flags::tap | open_flags::offload, config);
    CHECK(ip_has("\"mtu\":1300", "link show t0") && ip_has("\"ifalias\":\"an alias\"", "link show t0"));
    CHECK(ip_has("\"address\":\"02:00:00:00:00:07\"", "link show t0") && ip_has("\"txqlen\":33", "link show t0"));
    CHECK(ip_has("\"local\":\"10.8.0.1\"", "address show t0") && ip_has("10.9.0.0/16", "route show dev t0"));
    CHECK(dev.get_sndbuf() == 70000 && dev.get_vnet_hdr_size() == 12 && dev.get_owner() == getuid());
    dev.set_offloads(libtuntap::offloads::csum | libtuntap::offloads::tso4);
    CHECK(dev.get_offloads() == (libtuntap::offloads::csum | libtuntap::offloads::tso4));

    libtuntap::config wrong;
    wrong.set_up(true).add_route(libtuntap::make_route("10.10.0.0/16", "192.0.2.1"));
    THROWS(device("t1", open_flags::tun, wrong), ENETUNREACH, reason::system);
    CHECK(!exists("t1"));
}

/** The number of a network namespace, such as "net:[4026531840]". */
static std::string netns_of(const std::string &path)
{
    return output_of("readlink /proc/" + std::to_string(getpid()) + path);
}

static void network_namespaces()
{
    device dev("t0", open_flags::tun);
    const int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(home >= 0 && unshare(CLONE_NEWNET) == 0);
    CHECK(!exists("t0"));
    dev.set_netns("/proc/self/ns/net");
    CHECK(exists("t0"));
    dev.set_netns_fd(home);
    CHECK(!exists("t0"));

    libtuntap::config config;
    config.set_netns_fd(home);
    device elsewhere("t2", open_flags::tun, config);
    CHECK(!exists("t2"));
    config.set_netns(nullptr);
    device here("t2", open_flags::tun, config);
    CHECK(exists("t2"));
    config.set_netns("/proc/self/fd/" + std::to_string(home));
    device again("t3", open_flags::tun, config);
    CHECK(!exists("t3"));

    const auto mine = netns_of("/ns/net");
    CHECK(setns(home, CLONE_NEWNET) == 0 && netns_of("/ns/net") != mine);
    CHECK(exists("t0") && exists("t2") && exists("t3"));
    close(home);
}

static void queues()
{
    device first("t0", open_flags::tun | open_flags::multi_queue);
    device second = first.open_queue(open_flags::nonblock);
    CHECK(any(second.get_flags() & open_flags::nonblock) && !any(first.get_flags() & open_flags::nonblock));
    CHECK(ip_has("\"numqueues\":2", "link show t0") && ip_has("\"numdisabled\":0", "link show t0"));
    second.detach();
    CHECK(ip_has("\"numqueues\":1", "link show t0") && ip_has("\"numdisabled\":1", "link show t0"));
    second.attach();
    CHECK(ip_has("\"numqueues\":2", "link show t0"));
    second.set_steering_ebpf(-1);
}

static void descriptors_are_released_and_taken_over()
{
    device dev("t0", open_flags::tun);
    const int fd = dev.get_fd();
    CHECK(dev.release() == fd && !dev && exists("t0"));
    device borrowed = device::open_fd(fd, open_flags::borrow);
    CHECK(borrowed.get_fd() != fd && borrowed.get_name() == "t0");
    borrowed.close();
    CHECK(exists("t0"));
    dev = device::open_fd(fd);
    CHECK(dev.get_fd() == fd);
    dev.close();
    CHECK(!exists("t0"));
}

int main()
{
    devices_open_and_close();
    interface_settings();
    addresses_and_routes();
    default_routes();
    master_and_ipv6();
    config_options();
    network_namespaces();
    queues();
    descriptors_are_released_and_taken_over();
}
