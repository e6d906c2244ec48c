// SPDX-License-Identifier: MIT
// Loops over packets, to compare with loops.c.
#include <tuntap.hpp>

using libtuntap::bytes;
using libtuntap::result;
using batch = std::array<libtuntap::packet, 64>;

std::size_t echo(libtuntap::device &dev, bytes buffer);
std::size_t forward(libtuntap::reader &reader, libtuntap::writer &writer);
std::size_t forward_batches(libtuntap::reader &reader, libtuntap::writer &writer, batch &packets);
std::size_t timed(libtuntap::device &dev, bytes buffer, tuntap_error *err);

std::size_t echo(libtuntap::device &dev, bytes buffer)
{
    std::size_t total = 0;
    result<> length;
    while ((length = dev.read(buffer)).ok()) {
        if (!dev.write(buffer.first(length.value())).ok())
            break;
        total += length.value();
    }
    return total;
}

std::size_t forward(libtuntap::reader &reader, libtuntap::writer &writer)
{
    std::size_t total = 0;
    bytes packet;
    result<> length;
    do {
        while ((length = reader.next(packet)).value() > 0)
            total += writer.put(packet).ok();
        if (!writer.flush().ok())
            break;
    } while (length.ok());
    return total;
}

std::size_t forward_batches(libtuntap::reader &reader, libtuntap::writer &writer, batch &packets)
{
    std::size_t total = 0, taken = 0;
    result<> count;
    while ((count = reader.batch(packets)).ok()) {
        if (!writer.batch(libtuntap::view<const libtuntap::packet>(packets).first(count.value()), taken).ok())
            break;
        total += taken;
    }
    return total;
}

std::size_t timed(libtuntap::device &dev, bytes buffer, tuntap_error *err)
{
    using std::chrono_literals::operator""s;
    std::size_t total = 0;
    result<> length;
    while ((length = dev.read_timeout(buffer, 1s, err)).ok())
        total += length.value();
    return total;
}
