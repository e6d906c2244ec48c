// SPDX-License-Identifier: MIT
// Handles are moved, not copied. Calls on empty handles fail as in C. Handles can be destroyed in any order.
#include <functional>
#include <map>

#include "test.hpp"

using namespace test;
using libtuntap::device;

template <class Handle>
constexpr bool is_move_only = std::is_nothrow_move_constructible_v<Handle> &&
    std::is_nothrow_move_assignable_v<Handle> && !std::is_copy_constructible_v<Handle> &&
    !std::is_copy_assignable_v<Handle>;
static_assert(is_move_only<device> && is_move_only<libtuntap::config> && is_move_only<libtuntap::reader>);
static_assert(is_move_only<libtuntap::writer> && is_move_only<libtuntap::splitter> && is_move_only<libtuntap::joiner>);
static_assert(is_move_only<libtuntap::monitor> && sizeof(device) == sizeof(tuntap *));
static_assert(!std::is_convertible_v<device, bool> && !std::is_convertible_v<open_flags, std::uint64_t>);
static_assert(std::is_constructible_v<libtuntap::bytes, std::vector<char> &>);
static_assert(!std::is_constructible_v<libtuntap::bytes, const std::vector<char> &>);
static_assert(!std::is_constructible_v<libtuntap::bytes, std::vector<int> &>);
static_assert(!std::is_constructible_v<libtuntap::view<libtuntap::packet>, void *, std::size_t>);

static void handles_move()
{
    device first("t0", open_flags::tun);
    tuntap *const handle = first.get();
    device second(std::move(first));
    CHECK(!first && first.get() == nullptr && second.get() == handle);
    device &same = second;
    second = std::move(same);
    CHECK(second.get() == handle && second.get_name() == "t0");
    device third("t1", open_flags::tun);
    third = std::move(second);
    CHECK(third.get() == handle && !exists("t1") && exists("t0"));
    std::swap(third, second);
    CHECK(second.get() == handle && !third);

    std::map<std::string, device> devices;
    devices.emplace("a", device("t1", open_flags::tun));
    devices["b"] = std::move(second);
    CHECK(exists("t0") && exists("t1"));
    devices.clear();
    CHECK(!exists("t0") && !exists("t1"));
}

static void empty_handles_fail()
{
    device empty;
    std::array<std::uint8_t, 100> buffer{};
    libtuntap::bytes packet(buffer);
    tuntap_error err{};
    CHECK(!empty && empty.read_size() == 0);
    empty.wake();
    empty.shutdown();
    empty.close();
    THROWS(empty.get_name(), EINVAL, reason::argument);
    THROWS(empty.get_fd(), EINVAL, reason::argument);
    THROWS(empty.release(), EINVAL, reason::argument);
    THROWS(empty.list_addrs(), EINVAL, reason::argument);
    THROWS(empty.probe(libtuntap::feature::tun), EINVAL, reason::argument);
    THROWS(libtuntap::reader(empty), EINVAL, reason::argument);
    THROWS(libtuntap::monitor(empty), EINVAL, reason::argument);
    IS_ERROR(empty.read(buffer, &err), err, EINVAL, reason::argument);
    IS_ERROR(libtuntap::reader().next(packet, &err), err, EINVAL, reason::argument);
    CHECK(packet.empty());
    IS_ERROR(libtuntap::writer().flush(&err), err, EINVAL, reason::argument);
    libtuntap::config config, other(std::move(config));
    THROWS(config.set_mtu(1400), EINVAL, reason::argument);
    THROWS(device("t0", open_flags::tun, config), EINVAL, reason::argument);
    CHECK(!exists("t0"));
}

static void c_handles_are_taken_over()
{
    tuntap *handle = nullptr;
    CHECK(tuntap_open("t0", TUNTAP_TUN, &handle, nullptr) == 0);
    device dev(handle);
    CHECK(dev.get() == handle && tuntap_set_mtu(dev.get(), 1300, nullptr) == 0 && dev.get_mtu() == 1300);
}

/** Destroys the handle, a reader, a writer and a monitor in one of the 24 orders. */
static void destroy_in_order(int order)
{
    device dev = ready();
    libtuntap::reader reader(dev);
    libtuntap::writer writer(dev);
    libtuntap::monitor monitor(dev);
    udp_socket sock;
    std::vector<std::function<void()>> left = {
        [&] { dev.close(); }, [&] { reader = {}; }, [&] { writer = {}; }, [&] { monitor.close(); }};
    while (!left.empty()) {
        const int chosen = order % static_cast<int>(left.size());
        order /= static_cast<int>(left.size());
        left[static_cast<std::size_t>(chosen)]();
        left.erase(left.begin() + chosen);
        if (reader) {
            libtuntap::bytes packet;
            sock.send("still there");
            CHECK(reader.next(packet).ok() && data_of(packet) == "still there" && reader.next(packet).ok());
        }
        if (writer)
            CHECK(writer.put(udp_packet("x")).ok() && writer.flush().ok() && sock.receive() == "x");
        CHECK(exists("t0") == (dev || reader || writer));
    }
}

int main()
{
    const auto before = descriptors();
    handles_move();
    empty_handles_fail();
    c_handles_are_taken_over();
    for (int order = 0; order < 24; order++)
        destroy_in_order(order);
    CHECK(descriptors() == before);
}
