// SPDX-License-Identifier: MIT
// Readers and writers on a device with and without super-packets.
#include "test.hpp"

using namespace test;
using libtuntap::bytes;
using libtuntap::packet;

static const open_flags kinds[] = {open_flags::tun, open_flags::tun | open_flags::offload};

/** Reads all queued packets. Returns their data. */
static std::string drain(libtuntap::reader &reader)
{
    std::string all;
    bytes buffer;
    libtuntap::result<> length;
    do {
        while ((length = reader.next(buffer)).value() > 0)
            all += data_of(buffer);
        CHECK(buffer.empty());
    } while (length.ok());
    CHECK(length.error() == EAGAIN);
    return all;
}

static void packets_are_read_in_place(open_flags flags)
{
    libtuntap::device dev = ready(flags | open_flags::nonblock);
    libtuntap::reader reader(dev);
    udp_socket sock;
    sock.send("one ");
    sock.send("two ");
    sock.send("three");
    CHECK(drain(reader) == "one two three");
    tuntap_error err{};
    bytes buffer;
    IS_ERROR(reader.next(buffer, &err), err, EAGAIN, reason::again);
}

/** Reads two packets of a batch. Returns the address of the first. */
static std::uint8_t *read_two(libtuntap::reader &reader, const udp_socket &sock, std::size_t distance)
{
    sock.send("abcd");
    sock.send("efgh");
    std::array<packet, 64> packets{};
    CHECK(reader.batch(packets).value() == 2);
    auto *first = static_cast<std::uint8_t *>(packets[0].data), *second = static_cast<std::uint8_t *>(packets[1].data);
    CHECK(packets[0].size == overhead + 4 && packets[0].run == 2 && second - first == static_cast<ptrdiff_t>(distance));
    CHECK(data_of({second, packets[1].size}) == "efgh");
    CHECK(reader.batch(packets).ok());
    return first;
}

static void packets_have_room(open_flags flags)
{
    libtuntap::device dev = ready(flags);
    libtuntap::reader reader(dev);
    udp_socket sock;
    const std::size_t distance = 200 + overhead + 4 + 7;
    read_two(reader, sock, overhead + 4);
    CHECK(tuntap_reader_set_room(reader.get(), 7, 200, nullptr) == 0);
    auto *const other = read_two(reader, sock, distance);
    CHECK(tuntap_reader_set_room(reader.get(), 200, 7, nullptr) == 0);
    auto *const same = read_two(reader, sock, distance);
    reader.set_room(200, 7);
    CHECK(same != other && read_two(reader, sock, distance) == same);
    THROWS(reader.set_room(4096, 1), EINVAL, reason::range);
}

static void packets_are_copied(open_flags flags)
{
    libtuntap::device dev = ready(flags);
    libtuntap::reader reader(dev);
    udp_socket sock;
    std::uint8_t large[2048], small[10];
    packet packets[] = {{large, sizeof large, 0}, {small, sizeof small, 0}};
    tuntap_error err{};
    sock.send("large");
    sock.send("not small");
    CHECK(reader.copy(packets).value() == 1 && data_of(bytes(large).first(packets[0].size)) == "large");
    IS_ERROR(reader.copy(libtuntap::view<packet>(packets + 1, 1), &err), err, EMSGSIZE, reason::buffer);
    packets[0].size = sizeof large;
    CHECK(reader.copy(libtuntap::view<packet>(packets, 1)).value() == 1);
    CHECK(data_of(bytes(large).first(packets[0].size)) == "not small");
}

static void packets_are_written(open_flags flags)
{
    libtuntap::device dev = ready(flags);
    libtuntap::writer writer(dev);
    udp_socket sock;
    auto put = udp_packet("put"), reserved = udp_packet("reserved"), one = udp_packet("one"),
         read_two = udp_packet("two");
    bytes buffer;
    tuntap_error err{};
    CHECK(writer.put(put).ok());
    CHECK(writer.reserve(reserved.size() + 100, buffer).ok() && buffer.size() == reserved.size() + 100);
    std::copy(reserved.begin(), reserved.end(), buffer.begin());
    IS_ERROR(writer.commit(buffer.size() + 1, &err), err, EINVAL, reason::argument);
    CHECK(writer.commit(reserved.size()).ok() && writer.flush().ok());
    CHECK(sock.receive() == "put" && sock.receive() == "reserved");
    IS_ERROR(writer.reserve(100000, buffer, &err), err, EMSGSIZE, reason::packet);
    CHECK(buffer.empty() && buffer.data() == nullptr);

    const packet packets[] = {{one.data(), one.size(), 0}, {read_two.data(), read_two.size(), 0}};
    std::size_t taken = 0;
    CHECK(writer.batch(packets, taken).ok() && taken == 2);
    CHECK(sock.receive() == "one" && sock.receive() == "two" && writer.get_lost() == 0);
    CHECK(writer.batch({}, taken).ok() && taken == 0);

    const packet bad[] = {packets[0], {one.data(), 3, 0}};
    if (!any(flags & open_flags::offload)) {
        IS_ERROR(writer.batch(bad, taken, &err), err, EINVAL, reason::packet);
        CHECK(taken == 1 && sock.receive() == "one");
    } else {
        ip("link set t0 down");
        IS_ERROR(writer.batch(packets, taken, &err), err, ENETDOWN, reason::down);
        CHECK(taken == 2 && writer.get_lost() == 2);
    }
}

int main()
{
    for (const auto flags : kinds) {
        packets_are_read_in_place(flags);
        packets_have_room(flags);
        packets_are_copied(flags);
        packets_are_written(flags);
    }
}
