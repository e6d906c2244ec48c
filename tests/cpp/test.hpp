/* SPDX-License-Identifier: MIT
 *
 * What each test of tuntap.hpp needs. A test is one main(), which runs in its own network namespace and ends with 1 at
 * the first check that fails. A test looks at what the library did without the library: with ip(8), /proc or a
 * socket. */
#ifndef TEST_HPP
#define TEST_HPP

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <tuntap.hpp>

namespace test {

using libtuntap::open_flags;
using libtuntap::reason;
using std::chrono_literals::operator""ms;

constexpr std::uint16_t port = 7000;
/** Bytes of the IPv4 and UDP headers. */
constexpr std::size_t overhead = 28;

[[noreturn]] inline void fail(const char *file, int line, const std::string &what)
{
    std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
    std::exit(1);
}

#define CHECK(condition) ((condition) ? void() : test::fail(__FILE__, __LINE__, #condition))

/** The call throws a libtuntap::error with this errno, this reason and a message. */
#define THROWS(call, number, why)                                                                      \
    do {                                                                                               \
        std::string said = "nothing was thrown";                                                       \
        try {                                                                                          \
            static_cast<void>(call);                                                                   \
        } catch (const libtuntap::error &failure) {                                                    \
            said = failure.code().value() == (number) && failure.reason() == (why) && *failure.what()  \
                ? "" : std::string(failure.what()) + ": " + to_string(failure.reason());               \
        }                                                                                              \
        if (!said.empty())                                                                             \
            test::fail(__FILE__, __LINE__, #call ": " + said);                                         \
    } while (0)

/** The result is this errno, and the error has this errno, this reason and a message. */
#define IS_ERROR(result, err, number, why)                                                             \
    do {                                                                                               \
        const auto is = (result);                                                                      \
        if (is.ok() || is.error() != (number) || is.code() != std::errc(number) ||                     \
            is.value() != decltype(is.value()){} ||                                                    \
            (err).code != -(number) || reason{(err).reason} != (why) || !(err).message[0])             \
            test::fail(__FILE__, __LINE__, #result ": " + is.code().message() + ": " + (err).message); \
    } while (0)

inline std::string output_of(const std::string &command)
{
    std::string text;
    char part[4096];
    std::FILE *pipe = popen(command.c_str(), "r");
    CHECK(pipe);
    while (const auto size = std::fread(part, 1, sizeof part, pipe))
        text.append(part, size);
    pclose(pipe);
    return text;
}

/** Runs `ip ARGUMENTS`, which succeeds. */
inline void ip(const std::string &arguments)
{
    const auto said = output_of("ip " + arguments + " 2>&1; echo $?");
    if (said != "0\n")
        fail(__FILE__, __LINE__, "ip " + arguments + ": " + said);
}

/** Whether `ip -j -d ARGUMENTS` prints this text. */
inline bool ip_has(std::string_view text, const std::string &arguments)
{
    return output_of("ip -j -d " + arguments + " 2>&1").find(text) != std::string::npos;
}

/** Whether an interface of this name exists. */
inline bool exists(const std::string &name)
{
    return output_of("cat /proc/net/dev").find(name + ":") != std::string::npos;
}

/** The number of descriptors that this process has open. */
inline auto descriptors()
{
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
}

/** Disables IPv6 on devices that are created from now on, because IPv6 sends packets of its own through them. */
inline void ipv4_only() { std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << "1"; }

/** A device t0 that is up and has 10.8.0.1/24. */
inline libtuntap::device ready(open_flags flags = open_flags::tun)
{
    ipv4_only();
    libtuntap::device dev("t0", flags);
    ip("address add 10.8.0.1/24 dev t0");
    ip("link set t0 up");
    return dev;
}

inline sockaddr_in address_of(const char *address)
{
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    CHECK(inet_pton(AF_INET, address, &to.sin_addr) == 1);
    return to;
}

/** A UDP socket that is bound to 10.8.0.1. Its packets to 10.8.0.2 go through the device. */
class udp_socket {
public:
    udp_socket() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))
    {
        const auto own = address_of("10.8.0.1");
        CHECK(bind(fd_, reinterpret_cast<const sockaddr *>(&own), sizeof own) == 0);
    }
    ~udp_socket() { close(fd_); }
    udp_socket(const udp_socket &) = delete;
    udp_socket &operator=(const udp_socket &) = delete;

    void send(std::string_view data) const
    {
        const auto to = address_of("10.8.0.2");
        CHECK(sendto(fd_, data.data(), data.size(), 0, reinterpret_cast<const sockaddr *>(&to), sizeof to) ==
              static_cast<ssize_t>(data.size()));
    }
    /** The next datagram; "" if there is none within ten seconds. */
    std::string receive() const
    {
        std::string data(65536, 0);
        const timeval limit{10, 0};
        CHECK(setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
        const auto size = recv(fd_, data.data(), data.size(), 0);
        data.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return data;
    }

private:
    int fd_;
};

/** An IPv4 packet with UDP from 10.8.0.2 to 10.8.0.1, without a UDP checksum. */
inline std::vector<std::uint8_t> udp_packet(std::string_view data)
{
    std::vector<std::uint8_t> packet{0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 8, 0, 2, 10, 8, 0, 1};
    packet.resize(overhead);
    packet.insert(packet.end(), data.begin(), data.end());
    const auto put16 = [&](std::size_t at, std::size_t value) {
        packet[at] = static_cast<std::uint8_t>(value >> 8);
        packet[at + 1] = static_cast<std::uint8_t>(value);
    };
    put16(2, packet.size());
    put16(20, port);
    put16(22, port);
    put16(24, packet.size() - 20);
    std::size_t sum = 0;
    for (std::size_t i = 0; i < 20; i += 2)
        sum += static_cast<std::size_t>(packet[i] << 8 | packet[i + 1]);
    put16(10, 0xffff - (sum % 0xffff));
    return packet;
}

/** The data of a UDP packet that udp_socket::send sent; "" if it is another packet. */
inline std::string data_of(libtuntap::const_bytes packet)
{
    constexpr std::uint8_t to[] = {10, 8, 0, 2};
    if (packet.size() < overhead || packet[0] != 0x45 || packet[9] != 17 || !std::equal(to, to + 4, packet.data() + 16))
        return "";
    return {packet.begin() + overhead, packet.end()};
}

} // namespace test

#endif
