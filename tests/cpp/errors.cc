// SPDX-License-Identifier: MIT
// Exceptions have the errno, the reason and the message of the library. Results have the errno.
#include <cstring>
#include <optional>

#include "test.hpp"

using namespace test;
using libtuntap::device;

static_assert(std::is_base_of_v<std::system_error, libtuntap::error>);
static_assert(std::is_nothrow_copy_constructible_v<libtuntap::error>);

static void an_exception_has_the_whole_error()
{
    ip("link add t0 type bridge");
    tuntap *handle = nullptr;
    tuntap_error err{};
    CHECK(tuntap_open("t0", TUNTAP_TUN, &handle, &err) == -EINVAL);
    std::optional<libtuntap::error> caught;
    try {
        device("t0", open_flags::tun);
    } catch (const std::system_error &failure) {
        CHECK(failure.code() == std::errc::invalid_argument && failure.code().category() == std::generic_category());
        caught = dynamic_cast<const libtuntap::error &>(failure);
    }
    CHECK(caught && caught->what() == std::string(err.message) && caught->reason() == reason::kind);
    CHECK(caught->get().code == -EINVAL && caught->get().reason == TUNTAP_REASON_KIND);
    CHECK(std::string(err.message).find("t0") != std::string::npos);
    CHECK(to_string(reason::kind) == std::string(tuntap_strreason(TUNTAP_REASON_KIND)));
    ip("link delete t0");
}

static void each_error_is_thrown()
{
    THROWS(device("t0", open_flags{}), EINVAL, reason::flags);
    THROWS(device("t/0", open_flags::tun), EINVAL, reason::name);
    THROWS(device("none", open_flags::tun | open_flags::existing), ENODEV, reason::absent);
    THROWS(libtuntap::delete_device("none"), ENODEV, reason::absent);
    device dev("t0", open_flags::tun);
    THROWS(dev.get_addr(), ENOENT, reason::unset);
    THROWS(dev.set_mtu(1), EINVAL, reason::range);
    THROWS(dev.add_addr(libtuntap::make_addr("10.8.0.1/33")), EINVAL, reason::address);
    THROWS(dev.add_route(libtuntap::make_route("10.8.0.0/16")), ENETDOWN, reason::down);
    THROWS(dev.set_mac({2, 0, 0, 0, 0, 1}), EOPNOTSUPP, reason::kind);
    CHECK(dev.list_addrs().empty() && dev.get_mtu() == 1500);
}

static void texts_are_never_truncated()
{
    using namespace std::string_view_literals;
    device dev("t0", open_flags::tun);
    THROWS(dev.set_alias("one\0two"sv), EINVAL, reason::argument);
    THROWS(device("t1\0x"sv, open_flags::tun), EINVAL, reason::argument);
    THROWS(dev.add_addr(libtuntap::make_addr("10.8.0.1\0/24"sv)), EINVAL, reason::argument);
    const std::string full(TUNTAP_ADDR_SIZE, '1'), longer(TUNTAP_ADDR_SIZE + 1, '1');
    THROWS(dev.add_addr(libtuntap::make_addr(full)), EINVAL, reason::address);
    THROWS(dev.add_addr(libtuntap::make_addr("10.8.0.1", longer)), EINVAL, reason::address);
    THROWS(dev.add_route(libtuntap::make_route(longer)), EINVAL, reason::address);
    CHECK(dev.get_alias().empty() && dev.list_addrs().empty() && !exists("t1"));
}

static void a_result_becomes_an_exception()
{
    device dev("t0", open_flags::tun | open_flags::nonblock);
    std::array<std::uint8_t, 100> buffer{};
    tuntap_error err{};
    const auto length = dev.read(buffer, &err);
    CHECK(!length.ok() && length.value() == 0 && length.error() == EAGAIN);
    CHECK(length.code() == std::errc::resource_unavailable_try_again && length.code().message() == strerror(EAGAIN));
    THROWS(throw libtuntap::error(err), EAGAIN, reason::again);
    constexpr libtuntap::result<> counted(5);
    static_assert(counted.ok() && counted.value() == 5 && counted.error() == 0);
}

int main()
{
    an_exception_has_the_whole_error();
    each_error_is_thrown();
    texts_are_never_truncated();
    a_result_becomes_an_exception();
}
