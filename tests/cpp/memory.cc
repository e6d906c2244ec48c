// SPDX-License-Identifier: MIT
// Splitters and joiners: a super-packet of UDP, its segments, and the super-packet again.
#include "test.hpp"

using namespace test;
using libtuntap::bytes;
using libtuntap::gso_type;

int main()
{
    std::vector<std::uint8_t> super = udp_packet(std::string(2500, 'x'));
    for (std::size_t i = overhead; i < super.size(); i++)
        super[i] = static_cast<std::uint8_t>(i % 251);
    const auto unchanged = super;
    libtuntap::vnet_hdr hdr{};
    hdr.flags = number(libtuntap::vnet_hdr_flags::needs_csum);
    hdr.gso_type = number(gso_type::udp_l4);
    hdr.hdr_len = overhead;
    hdr.gso_size = 1000;
    hdr.csum_start = 20;
    hdr.csum_offset = 6;

    libtuntap::splitter splitter(open_flags::tun);
    bytes buffer;
    std::vector<std::vector<std::uint8_t>> segments;
    CHECK(splitter.begin(hdr, super).ok());
    while (splitter.next(buffer).value() > 0)
        segments.emplace_back(buffer.begin(), buffer.end());
    CHECK(segments.size() == 3 && segments[0].size() == 1028 && segments[2].size() == 528 && buffer.empty());
    CHECK(std::equal(segments[1].begin() + overhead, segments[1].end(), unchanged.begin() + overhead + 1000));

    super = unchanged;
    std::array<std::uint8_t, 1500> copy{};
    tuntap_error err{};
    CHECK(splitter.begin(hdr, super).ok());
    IS_ERROR(splitter.copy(bytes(copy).first(100), &err), err, EMSGSIZE, reason::buffer);
    for (const auto &segment : segments) {
        CHECK(splitter.copy(copy).value() == segment.size());
        CHECK(std::equal(segment.begin(), segment.end(), copy.begin()));
    }
    CHECK(splitter.copy(copy).ok() && splitter.copy(copy).value() == 0);
    hdr.csum_start = 3000;
    IS_ERROR(splitter.begin(hdr, super, &err), err, EINVAL, reason::packet);

    libtuntap::joiner joiner(open_flags::tun | open_flags::trusted);
    for (const auto &segment : segments)
        CHECK(joiner.put(segment).ok());
    IS_ERROR(joiner.put(bytes(copy).first(0), &err), err, EINVAL, reason::packet);
    hdr = {};
    CHECK(joiner.next(hdr, buffer).value() == unchanged.size() && buffer.size() == unchanged.size());
    CHECK(gso_type{hdr.gso_type} == gso_type::udp_l4 && hdr.gso_size == 1000);
    CHECK(std::equal(buffer.begin() + overhead, buffer.end(), unchanged.begin() + overhead));
    CHECK(joiner.next(hdr, buffer).ok() && buffer.empty());

    THROWS(libtuntap::splitter(open_flags::pi), EINVAL, reason::flags);
    THROWS(libtuntap::joiner(open_flags{}), EINVAL, reason::flags);
}
