// SPDX-License-Identifier: MIT
// One packet at a time: both directions, every kind of buffer, limits, and no allocation.
#include <sys/uio.h>

#include <new>

#include "test.hpp"

using namespace test;
using libtuntap::bytes;
using libtuntap::const_bytes;
using libtuntap::view;

static std::size_t allocations;

[[gnu::noinline]] void *operator new(std::size_t size)
{
    allocations++;
    if (void *memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void *memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

static void packets_go_both_ways()
{
    libtuntap::device dev = ready();
    udp_socket sock;
    const auto arrives = [&](const char *data, libtuntap::result<> written) {
        CHECK(written.ok() && written.value() == overhead + std::string(data).size() && sock.receive() == data);
    };

    std::array<std::uint8_t, 2048> array{};
    std::vector<char> vector(2048);
    std::string text(2048, 0);
    std::byte c_array[2048];

    sock.send("array");
    auto length = dev.read(array);
    CHECK(length.ok() && length.error() == 0 && !length.code());
    CHECK(data_of(bytes(array).first(length.value())) == "array");
    sock.send("vector");
    length = dev.read(vector);
    CHECK(data_of(const_bytes(vector).first(length.value())) == "vector");
    sock.send("string");
    length = dev.read_timeout(text, 10000ms);
    CHECK(data_of(const_bytes(text).first(length.value())) == "string");
    sock.send("C array");
    length = dev.read(c_array);
    CHECK(data_of(const_bytes(c_array).first(length.value())) == "C array");
    sock.send("address and size");
    length = dev.read({static_cast<void *>(vector.data()), vector.size()});
    CHECK(data_of({vector.data(), length.value()}) == "address and size");

    const auto packet = udp_packet("a vector");
    arrives("a vector", dev.write(packet));
    const auto other = udp_packet("an address and a size");
    arrives("an address and a size", dev.write({other.data(), other.size()}));
    const auto timed = udp_packet("a limit");
    arrives("a limit", dev.write_timeout(timed, libtuntap::no_limit));
    const std::string chars(packet.begin(), packet.end());
    arrives("a vector", dev.write(chars));
    arrives("a vector", dev.write(std::string_view(chars)));
#ifdef __cpp_lib_span
    arrives("a vector", dev.write(std::span(packet)));
    arrives("a vector", dev.write(std::as_bytes(std::span(packet))));
    sock.send("span");
    length = dev.read(std::span(array));
    const std::span<const std::uint8_t> whole = bytes(array).first(length.value());
    CHECK(data_of(whole) == "span");
#endif

    std::uint8_t first[20], second[100];
    const iovec parts[] = {{first, sizeof first}, {second, sizeof second}};
    sock.send("parts");
    length = dev.readv(parts);
    CHECK(length.value() == overhead + 5 && first[9] == 17 && std::equal(second + 8, second + 13, "parts"));
    auto split = udp_packet("halves");
    const iovec halves[] = {{split.data(), 20}, {split.data() + 20, split.size() - 20}};
    arrives("halves", dev.writev(halves));
    CHECK(dev.get_stats().tx_packets >= 6 && dev.get_stats().rx_packets >= 6);
}

static void time_limits_and_errors()
{
    libtuntap::device dev = ready();
    udp_socket sock;
    std::array<std::uint8_t, 2048> buffer{};
    tuntap_error err{};
    CHECK(dev.read_size() >= 65535);
    IS_ERROR(dev.read_timeout(buffer, 0ms, &err), err, ETIMEDOUT, reason::timeout);
    IS_ERROR(dev.read_timeout(buffer, -1ms, &err), err, ETIMEDOUT, reason::timeout);
    const auto least = libtuntap::milliseconds::min();
    IS_ERROR(dev.wait(libtuntap::wait_events::read, least, &err), err, ETIMEDOUT, reason::timeout);
    CHECK(dev.read_timeout(buffer, 1ms).code() == std::errc::timed_out);
    const auto both = libtuntap::wait_events::read | libtuntap::wait_events::write;
    CHECK(dev.wait(both, 0ms).value() == libtuntap::wait_events::write);
    sock.send("x");
    CHECK(dev.wait(libtuntap::wait_events::read, std::chrono::hours(10000)).value() == libtuntap::wait_events::read);
    CHECK(dev.wait(both, libtuntap::no_limit).value() == both);
    IS_ERROR(dev.read(bytes(buffer).first(4), &err), err, EMSGSIZE, reason::buffer);
    dev.set_nonblock(true);
    IS_ERROR(dev.read(buffer, &err), err, EAGAIN, reason::again);
    IS_ERROR(dev.write(bytes(buffer).first(3), &err), err, EINVAL, reason::packet);
    IS_ERROR(dev.read(bytes(), &err), err, EINVAL, reason::argument);
    ip("link set t0 down");
    IS_ERROR(dev.write(udp_packet("x"), &err), err, ENETDOWN, reason::down);
}

static void super_packets_are_read_and_written()
{
    libtuntap::device dev = ready(open_flags::tun | open_flags::offload);
    udp_socket sock;
    std::vector<std::uint8_t> buffer(dev.read_size());
    libtuntap::vnet_hdr hdr{};
    sock.send("whole");
    const auto length = dev.read_super(hdr, buffer);
    CHECK(data_of(bytes(buffer).first(length.value())) == "whole");
    CHECK(any(libtuntap::vnet_hdr_flags{hdr.flags} & libtuntap::vnet_hdr_flags::needs_csum));
    CHECK(libtuntap::gso_type{hdr.gso_type} == libtuntap::gso_type::none && hdr.csum_start == 20);
    hdr = {};
    CHECK(dev.write_super(hdr, udp_packet("super")).ok() && sock.receive() == "super");
}

static void nothing_is_allocated()
{
    libtuntap::device dev = ready();
    udp_socket sock;
    libtuntap::reader reader(dev);
    libtuntap::writer writer(dev);
    const auto packet = udp_packet("x");
    std::array<std::uint8_t, 2048> buffer{};
    std::array<libtuntap::packet, 8> packets{};
    tuntap_error err{};
    bytes memory;
    std::size_t taken = 0;
    sock.send("1");
    sock.send("2");
    sock.send("3");
    dev.set_nonblock(true);

    const std::size_t before = allocations;
    CHECK(dev.read(buffer).ok() && dev.wait(libtuntap::wait_events::read, 0ms).ok());
    CHECK(reader.next(memory).value() == overhead + 1 && reader.batch(packets).value() == 1);
    CHECK(reader.batch(packets).value() == 0 && !reader.batch(packets, &err).ok() && !dev.read(buffer, &err).ok());
    CHECK(dev.write(packet).ok() && writer.put(packet).ok() && writer.reserve(packet.size(), memory).ok());
    std::copy(packet.begin(), packet.end(), memory.begin());
    CHECK(writer.commit(packet.size()).ok() && writer.flush().ok());
    packets[0] = {buffer.data(), 3, 0};
    CHECK(!writer.batch(view<const libtuntap::packet>(packets).first(1), taken, &err).ok() && taken == 0);
    CHECK(allocations == before);
}

int main()
{
    packets_go_both_ways();
    time_limits_and_errors();
    super_packets_are_read_and_written();
    nothing_is_allocated();
}
