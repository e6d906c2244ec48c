/* SPDX-License-Identifier: MIT
 *
 * libtuntap for C++17 and later: a thin layer over tuntap.h, which is the reference. A class is a noun of tuntap.h, and
 * a member function has the name of the C function without `tuntap_` and the noun.
 *
 * To compile a program: c++ -std=c++17 prog.cc $(pkg-config --cflags --libs tuntap)
 *
 * Namespace.  It is libtuntap: C++ does not allow a namespace with the name of the C type `tuntap`.
 * Handles.    They can be moved, not copied, and free what they hold. get() returns the C handle for everything that C
 *             can do with it. The functions of an empty handle, such as one that was moved from, fail with
 *             reason::argument, as in C.
 * Errors.     A function that opens, configures or queries throws a libtuntap::error.
 * Packets.    A function that transfers packets or waits does not throw and does not allocate. It returns a result: a
 *             value or an errno. For the sentence and the reason give it a tuntap_error:
 *                 tuntap_error err;
 *                 if (!dev.write(packet, &err).ok())
 *                     log(err.message);
 * Threads.    As in C: any thread may use a device; other objects are for one thread at a time.
 */

#ifndef TUNTAP_HPP
#define TUNTAP_HPP

#include <tuntap.h>

#if !defined(__cpp_exceptions)
#error "tuntap.hpp reports errors as exceptions. Without exceptions, use tuntap.h."
#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>
#if __cplusplus >= 202002L
#include <span>
#endif

namespace libtuntap {

/* ----------------------------------------------------------------------------
 * Constants and structs
 *
 * Enumerators have the numbers of tuntap.h, and structs are those of tuntap.h. number() converts an enumerator to a
 * member of a struct, and event_kind{event.kind} converts back.
 */

/** TUNTAP_REASON_*. */
enum class reason : std::uint32_t {
    none = TUNTAP_REASON_NONE,
    argument = TUNTAP_REASON_ARGUMENT,
    flags = TUNTAP_REASON_FLAGS,
    name = TUNTAP_REASON_NAME,
    address = TUNTAP_REASON_ADDRESS,
    range = TUNTAP_REASON_RANGE,
    buffer = TUNTAP_REASON_BUFFER,
    packet = TUNTAP_REASON_PACKET,
    no_driver = TUNTAP_REASON_NO_DRIVER,
    privilege = TUNTAP_REASON_PRIVILEGE,
    busy = TUNTAP_REASON_BUSY,
    kind = TUNTAP_REASON_KIND,
    mismatch = TUNTAP_REASON_MISMATCH,
    kernel = TUNTAP_REASON_KERNEL,
    platform = TUNTAP_REASON_PLATFORM,
    removed = TUNTAP_REASON_REMOVED,
    down = TUNTAP_REASON_DOWN,
    unset = TUNTAP_REASON_UNSET,
    again = TUNTAP_REASON_AGAIN,
    interrupted = TUNTAP_REASON_INTERRUPTED,
    system = TUNTAP_REASON_SYSTEM,
    namespace_ = TUNTAP_REASON_NAMESPACE,
    timeout = TUNTAP_REASON_TIMEOUT,
    woken = TUNTAP_REASON_WOKEN,
    absent = TUNTAP_REASON_ABSENT,
    full = TUNTAP_REASON_FULL,
    shutdown = TUNTAP_REASON_SHUTDOWN,
};

/** TUNTAP_TUN to TUNTAP_TRUSTED: a set of flags. */
enum class open_flags : std::uint64_t {
    tun = TUNTAP_TUN,
    tap = TUNTAP_TAP,
    pi = TUNTAP_PI,
    multi_queue = TUNTAP_MULTI_QUEUE,
    exclusive = TUNTAP_EXCLUSIVE,
    nonblock = TUNTAP_NONBLOCK,
    persist = TUNTAP_PERSIST,
    napi = TUNTAP_NAPI,
    napi_frags = TUNTAP_NAPI_FRAGS,
    existing = TUNTAP_EXISTING,
    borrow = TUNTAP_BORROW,
    offload = TUNTAP_OFFLOAD,
    trusted = TUNTAP_TRUSTED,
};

/** TUNTAP_WAIT_*: a set of flags. */
enum class wait_events : std::uint32_t {
    read = TUNTAP_WAIT_READ,
    write = TUNTAP_WAIT_WRITE,
};

/** TUNTAP_F_*: a set of flags. */
enum class offloads : std::uint64_t {
    csum = TUNTAP_F_CSUM,
    tso4 = TUNTAP_F_TSO4,
    tso6 = TUNTAP_F_TSO6,
    tso_ecn = TUNTAP_F_TSO_ECN,
    uso4 = TUNTAP_F_USO4,
    uso6 = TUNTAP_F_USO6,
    udp_tunnel_gso = TUNTAP_F_UDP_TUNNEL_GSO,
    udp_tunnel_gso_csum = TUNTAP_F_UDP_TUNNEL_GSO_CSUM,
};

/** TUNTAP_IPV6_*. */
enum class ipv6_setting : std::uint32_t {
    accept_ra = TUNTAP_IPV6_ACCEPT_RA,
    addr_gen_mode = TUNTAP_IPV6_ADDR_GEN_MODE,
    disable = TUNTAP_IPV6_DISABLE,
};

/** TUNTAP_REPLACE, for addresses and routes; TUNTAP_KEEP and TUNTAP_OVERRIDE, for default routes: a set of flags. */
enum class add_flags : std::uint64_t {
    replace = TUNTAP_REPLACE,
    keep = TUNTAP_KEEP,
    override = TUNTAP_OVERRIDE,
};

/** TUNTAP_ADDR_*: a set of flags. */
enum class addr_flags : std::uint64_t {
    nodad = TUNTAP_ADDR_NODAD,
    noprefixroute = TUNTAP_ADDR_NOPREFIXROUTE,
    tentative = TUNTAP_ADDR_TENTATIVE,
    dadfailed = TUNTAP_ADDR_DADFAILED,
    deprecated = TUNTAP_ADDR_DEPRECATED,
    secondary = TUNTAP_ADDR_SECONDARY,
    dynamic = TUNTAP_ADDR_DYNAMIC,
    nobroadcast = TUNTAP_ADDR_NOBROADCAST,
};

/** TUNTAP_SCOPE_*. */
enum class scope : std::uint32_t {
    global = TUNTAP_SCOPE_GLOBAL,
    link = TUNTAP_SCOPE_LINK,
    host = TUNTAP_SCOPE_HOST,
    site = TUNTAP_SCOPE_SITE,
};

/** TUNTAP_IPV4 and TUNTAP_IPV6. */
enum class family : std::uint32_t {
    ipv4 = TUNTAP_IPV4,
    ipv6 = TUNTAP_IPV6,
};

/** TUNTAP_ROUTE_ONLINK and TUNTAP_ROUTE_PARTIAL: a set of flags. */
enum class route_flags : std::uint64_t {
    onlink = TUNTAP_ROUTE_ONLINK,
    partial = TUNTAP_ROUTE_PARTIAL,
};

/** TUNTAP_ROUTE_TYPE_*. */
enum class route_type : std::uint32_t {
    unicast = TUNTAP_ROUTE_TYPE_UNICAST,
    local = TUNTAP_ROUTE_TYPE_LOCAL,
    broadcast = TUNTAP_ROUTE_TYPE_BROADCAST,
    anycast = TUNTAP_ROUTE_TYPE_ANYCAST,
    multicast = TUNTAP_ROUTE_TYPE_MULTICAST,
};

/** TUNTAP_ENDIAN_*. */
enum class endian : std::uint32_t {
    native = TUNTAP_ENDIAN_NATIVE,
    little = TUNTAP_ENDIAN_LITTLE,
    big = TUNTAP_ENDIAN_BIG,
};

/** TUNTAP_VNET_HDR_F_*: a set of flags. */
enum class vnet_hdr_flags : std::uint8_t {
    needs_csum = TUNTAP_VNET_HDR_F_NEEDS_CSUM,
    data_valid = TUNTAP_VNET_HDR_F_DATA_VALID,
    udp_tunnel_csum = TUNTAP_VNET_HDR_F_UDP_TUNNEL_CSUM,
};

/** TUNTAP_VNET_HDR_GSO_*: a type, with which udp_tunnel_ipv4, udp_tunnel_ipv6 and ecn can be combined. */
enum class gso_type : std::uint8_t {
    none = TUNTAP_VNET_HDR_GSO_NONE,
    tcpv4 = TUNTAP_VNET_HDR_GSO_TCPV4,
    tcpv6 = TUNTAP_VNET_HDR_GSO_TCPV6,
    udp_l4 = TUNTAP_VNET_HDR_GSO_UDP_L4,
    udp_tunnel_ipv4 = TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV4,
    udp_tunnel_ipv6 = TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV6,
    ecn = TUNTAP_VNET_HDR_GSO_ECN,
};

/** TUNTAP_ALL_MULTICAST: a set of flags. */
enum class filter_flags : std::uint64_t {
    all_multicast = TUNTAP_ALL_MULTICAST,
};

/** TUNTAP_MONITOR_*: a set of flags. */
enum class monitor_flags : std::uint64_t {
    routes = TUNTAP_MONITOR_ROUTES,
    default_route = TUNTAP_MONITOR_DEFAULT_ROUTE,
};

/** TUNTAP_EVENT_*. */
enum class event_kind : std::uint32_t {
    device = TUNTAP_EVENT_DEVICE,
    up = TUNTAP_EVENT_UP,
    down = TUNTAP_EVENT_DOWN,
    carrier_on = TUNTAP_EVENT_CARRIER_ON,
    carrier_off = TUNTAP_EVENT_CARRIER_OFF,
    mtu = TUNTAP_EVENT_MTU,
    mac = TUNTAP_EVENT_MAC,
    name = TUNTAP_EVENT_NAME,
    addr_added = TUNTAP_EVENT_ADDR_ADDED,
    addr_removed = TUNTAP_EVENT_ADDR_REMOVED,
    removed = TUNTAP_EVENT_REMOVED,
    overrun = TUNTAP_EVENT_OVERRUN,
    complete = TUNTAP_EVENT_COMPLETE,
    route_added = TUNTAP_EVENT_ROUTE_ADDED,
    route_removed = TUNTAP_EVENT_ROUTE_REMOVED,
    moved = TUNTAP_EVENT_MOVED,
    default_route = TUNTAP_EVENT_DEFAULT_ROUTE,
};

/** TUNTAP_FEATURE_*. */
enum class feature : std::uint32_t {
    tun = TUNTAP_FEATURE_TUN,
    tap = TUNTAP_FEATURE_TAP,
    pi = TUNTAP_FEATURE_PI,
    multi_queue = TUNTAP_FEATURE_MULTI_QUEUE,
    persist = TUNTAP_FEATURE_PERSIST,
    owner = TUNTAP_FEATURE_OWNER,
    ipv4 = TUNTAP_FEATURE_IPV4,
    ipv6 = TUNTAP_FEATURE_IPV6,
    route = TUNTAP_FEATURE_ROUTE,
    rename = TUNTAP_FEATURE_RENAME,
    carrier = TUNTAP_FEATURE_CARRIER,
    netns = TUNTAP_FEATURE_NETNS,
    wake = TUNTAP_FEATURE_WAKE,
    monitor = TUNTAP_FEATURE_MONITOR,
    steering = TUNTAP_FEATURE_STEERING,
    napi = TUNTAP_FEATURE_NAPI,
    offload = TUNTAP_FEATURE_OFFLOAD,
    uso = TUNTAP_FEATURE_USO,
    follow = TUNTAP_FEATURE_FOLLOW,
    find_route = TUNTAP_FEATURE_FIND_ROUTE,
    default_route = TUNTAP_FEATURE_DEFAULT_ROUTE,
    bypass = TUNTAP_FEATURE_BYPASS,
    master = TUNTAP_FEATURE_MASTER,
    ipv6_settings = TUNTAP_FEATURE_IPV6_SETTINGS,
    tunnel_gso = TUNTAP_FEATURE_TUNNEL_GSO,
};

/** The owner or the group of a device that has none. */
inline constexpr std::uint32_t no_id = TUNTAP_NO_ID;

using info = ::tuntap_info;
using stats = ::tuntap_stats;
using addr = ::tuntap_addr;
using route = ::tuntap_route;
using packet = ::tuntap_packet;
using vnet_hdr = ::tuntap_vnet_hdr;
using event = ::tuntap_event;

/** A MAC address. */
using mac = std::array<std::uint8_t, TUNTAP_MAC_SIZE>;

/** The C number of an enumerator or of a set of flags. */
template <class Enum>
constexpr auto number(Enum value) noexcept { return static_cast<std::underlying_type_t<Enum>>(value); }

/** Whether an enumeration is a set of flags, which |, & and ~ combine. */
template <class Enum> inline constexpr bool is_flags = false;
template <> inline constexpr bool is_flags<open_flags> = true;
template <> inline constexpr bool is_flags<wait_events> = true;
template <> inline constexpr bool is_flags<offloads> = true;
template <> inline constexpr bool is_flags<add_flags> = true;
template <> inline constexpr bool is_flags<addr_flags> = true;
template <> inline constexpr bool is_flags<route_flags> = true;
template <> inline constexpr bool is_flags<vnet_hdr_flags> = true;
template <> inline constexpr bool is_flags<gso_type> = true;
template <> inline constexpr bool is_flags<filter_flags> = true;
template <> inline constexpr bool is_flags<monitor_flags> = true;

template <class Flags> using if_flags = std::enable_if_t<is_flags<Flags>, Flags>;

template <class Flags>
constexpr if_flags<Flags> operator|(Flags a, Flags b) noexcept { return static_cast<Flags>(number(a) | number(b)); }
template <class Flags>
constexpr if_flags<Flags> operator&(Flags a, Flags b) noexcept { return static_cast<Flags>(number(a) & number(b)); }
template <class Flags>
constexpr if_flags<Flags> operator~(Flags a) noexcept { return static_cast<Flags>(~number(a)); }
template <class Flags>
constexpr if_flags<Flags> &operator|=(Flags &a, Flags b) noexcept { return a = a | b; }
template <class Flags>
constexpr if_flags<Flags> &operator&=(Flags &a, Flags b) noexcept { return a = a & b; }

/** Whether a set has a flag: `any(flags & open_flags::tap)`. */
template <class Flags, class = if_flags<Flags>>
constexpr bool any(Flags flags) noexcept { return number(flags) != 0; }

/* ----------------------------------------------------------------------------
 * Errors and results
 */

/** A short phrase for a reason: tuntap_strreason. */
inline const char *to_string(reason why) noexcept { return ::tuntap_strreason(number(why)); }

/** Why a call failed. what() is the sentence of the library; code() is the errno in std::generic_category(). */
class error : public std::system_error {
public:
    /** The exception for an error that a C function or a function for packets has filled in. */
    explicit error(const ::tuntap_error &failure)
        : std::system_error(-failure.code, std::generic_category()), failure_(failure) {}

    const char *what() const noexcept override { return failure_.message; }
    libtuntap::reason reason() const noexcept { return libtuntap::reason{failure_.reason}; }
    const ::tuntap_error &get() const noexcept { return failure_; }

private:
    ::tuntap_error failure_;
};

/**
 * What a function for packets returns: a value, or an errno. It does not convert to bool, because a value of 0 is a
 * success too: the end of a batch.
 */
template <class Value = std::size_t>
class [[nodiscard]] result {
public:
    /** The result for what a C function returned: a count, or a negative errno. */
    constexpr explicit result(ssize_t returned = 0) noexcept : returned_(returned) {}

    constexpr bool ok() const noexcept { return returned_ >= 0; }
    /** The value, which is 0 after a failure. */
    constexpr Value value() const noexcept { return static_cast<Value>(ok() ? returned_ : 0); }
    /** The errno, such as EAGAIN; 0 after a success. */
    constexpr int error() const noexcept { return ok() ? 0 : static_cast<int>(-returned_); }
    std::error_code code() const noexcept { return {error(), std::generic_category()}; }

private:
    ssize_t returned_;
};

/** How long a function waits. A negative time does not wait, unlike in C; no_limit does not end. */
using milliseconds = std::chrono::milliseconds;
inline constexpr milliseconds no_limit = milliseconds::max();

/* ----------------------------------------------------------------------------
 * Views
 */

namespace detail {

/** Whether memory of From can be seen as To: as the same type, or as bytes. */
template <class From, class To>
inline constexpr bool is_seen_as =
    std::is_convertible_v<From (*)[], To (*)[]> ||
    (sizeof(From) == 1 && sizeof(To) == 1 && std::is_trivially_copyable_v<From> &&
     (std::is_const_v<To> || !std::is_const_v<From>));

struct nothing;

/** What else points at the elements of a view: for bytes, void. */
template <class T>
using void_of = std::conditional_t<sizeof(T) != 1, nothing, std::conditional_t<std::is_const_v<T>, const void, void>>;

} // namespace detail

/**
 * An address and a size, as std::span in C++20, from and to which it converts. Arrays, vectors, strings and all other
 * contiguous ranges convert to it; to a view of bytes, those whose elements have the size of a byte.
 */
template <class T>
class view {
public:
    constexpr view() noexcept = default;
    constexpr view(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    view(detail::void_of<T> *data, std::size_t size) noexcept : data_(static_cast<T *>(data)), size_(size) {}

    template <class Range, class From = std::remove_pointer_t<decltype(std::data(std::declval<Range &>()))>,
              class = std::enable_if_t<detail::is_seen_as<From, T> && !std::is_same_v<std::decay_t<Range>, view>>>
    view(Range &&range) noexcept : data_(reinterpret_cast<T *>(std::data(range))), size_(std::size(range)) {}

    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }
    constexpr T &operator[](std::size_t index) const noexcept { return data_[index]; }
    /** The first elements: at most size(). */
    constexpr view first(std::size_t count) const noexcept { return {data_, count}; }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

/** Memory of a packet, to write to and to read from. */
using bytes = view<std::uint8_t>;
using const_bytes = view<const std::uint8_t>;

/* ----------------------------------------------------------------------------
 * How the C functions are called
 */

namespace detail {

/** Calls a C function, whose last argument is its error. Returns what it returned, or throws its error. */
template <class Function, class... Arguments>
auto call(Function function, Arguments... arguments) {
    ::tuntap_error failure{};
    const auto returned = function(arguments..., &failure);
    if (returned < 0)
        throw error(failure);
    return returned;
}

/** Calls a C function. Returns what it wrote to its last argument before the error. */
template <class Value, class Function, class... Arguments>
Value output(Function function, Arguments... arguments) {
    Value value{};
    call(function, arguments..., &value);
    return value;
}

/** The text that a C function writes to a buffer, for which Size is always enough. */
template <std::size_t Size>
std::string output_text(int (*function)(const ::tuntap *, char *, std::size_t, ::tuntap_error *), const ::tuntap *dev) {
    char text[Size];
    call(function, dev, text, Size);
    return text;
}

/** All elements of a list, which other programs may extend between two calls. */
template <class Element, class Function, class... Arguments>
std::vector<Element> list(Function function, Arguments... arguments) {
    std::vector<Element> elements;
    std::size_t count = 0;
    do {
        elements.resize(count);
        const auto found = call(function, arguments..., elements.data(), elements.size(), sizeof(Element));
        count = static_cast<std::size_t>(found);
    } while (count > elements.size());
    elements.resize(count);
    return elements;
}

/** Calls a function that returns a packet in place. The view is empty when there is none. */
template <class Function>
result<> next(bytes &place, Function function) noexcept {
    void *data = nullptr;
    const result<> size(function(&data));
    place = bytes(data, size.value());
    return size;
}

[[noreturn]] inline void refuse(const char *message) {
    ::tuntap_error failure{};
    failure.code = -EINVAL;
    failure.reason = TUNTAP_REASON_ARGUMENT;
    std::strncpy(failure.message, message, sizeof failure.message - 1);
    throw error(failure);
}

/** A text for C, which ends at its NUL: one that has another NUL would be cut there. */
inline std::string text(std::string_view from) {
    if (from.find('\0') != from.npos)
        refuse("a text has a NUL byte in it");
    return std::string(from);
}

/** A text that need not be given: NULL if it is empty. */
inline const char *or_null(const std::string &text) noexcept { return text.empty() ? nullptr : text.c_str(); }

/** Fills in a text of a struct. C refuses one that is too long, because it has no NUL. */
template <std::size_t Size>
void fill(char (&member)[Size], std::string_view from) { text(from).copy(member, Size); }

/** A handle where NULL would mean something else. */
template <class C>
C *held(C *handle) { return handle ? handle : (refuse("the handle is empty"), handle); }

/** The route that the system selects, in the network namespace of a device or of the calling thread. */
inline ::tuntap_route find_route(const ::tuntap *dev, std::string_view destination, std::string_view source,
                                 std::uint32_t mark) {
    ::tuntap_route found{};
    call(::tuntap_find_route, dev, text(destination).c_str(), or_null(text(source)), mark, &found, sizeof found);
    return found;
}

constexpr std::int32_t limit(milliseconds time) noexcept {
    return time == no_limit ? -1 : static_cast<std::int32_t>(std::clamp<milliseconds::rep>(time.count(), 0, INT32_MAX));
}

/** A C handle, and the function that frees it. */
template <class C, void (*Free)(C *)>
class handle {
public:
    /** The C handle, which still belongs to this object; nullptr if it is empty. */
    C *get() const noexcept { return handle_.get(); }
    explicit operator bool() const noexcept { return get() != nullptr; }

protected:
    handle() noexcept = default;
    explicit handle(C *owned) noexcept : handle_(owned) {}

    struct deleter {
        void operator()(C *owned) const noexcept { Free(owned); }
    };
    std::unique_ptr<C, deleter> handle_;
};

} // namespace detail

/** An address with its prefix length, and a peer: a tuntap_addr, whose other members are 0. */
inline addr make_addr(std::string_view address, std::string_view peer = {}) {
    addr made{};
    detail::fill(made.addr, address);
    detail::fill(made.peer, peer);
    return made;
}

/** A destination with its prefix length, and a gateway: a tuntap_route, whose other members are 0. */
inline route make_route(std::string_view destination, std::string_view gateway = {}) {
    route made{};
    detail::fill(made.destination, destination);
    detail::fill(made.gateway, gateway);
    return made;
}

/* ----------------------------------------------------------------------------
 * Options
 */

/** Options for opening a device: tuntap_config. Each function returns the config. */
class config : public detail::handle<::tuntap_config, ::tuntap_config_free> {
public:
    /** No options: tuntap_config_new. */
    config() : handle(detail::output<::tuntap_config *>(::tuntap_config_new)) {}
    /** Takes over a C handle. */
    explicit config(::tuntap_config *owned) noexcept : handle(owned) {}

    /** The user who may open the device: tuntap_config_set_owner. */
    config &set_owner(std::uint32_t uid) { return set(::tuntap_config_set_owner, uid); }
    /** The group that may open the device: tuntap_config_set_group. */
    config &set_group(std::uint32_t gid) { return set(::tuntap_config_set_group, gid); }
    /** The device node: tuntap_config_set_node. */
    config &set_node(std::string_view path) { return set(::tuntap_config_set_node, detail::text(path).c_str()); }
    /** The usual device node again: tuntap_config_set_node. */
    config &set_node(std::nullptr_t) { return set(::tuntap_config_set_node, static_cast<const char *>(nullptr)); }
    /** The network namespace: tuntap_config_set_netns. */
    config &set_netns(std::string_view path) { return set(::tuntap_config_set_netns, detail::text(path).c_str()); }
    /** The namespace of the calling thread again: tuntap_config_set_netns. */
    config &set_netns(std::nullptr_t) { return set(::tuntap_config_set_netns, static_cast<const char *>(nullptr)); }
#ifndef _WIN32
    /** The network namespace of a descriptor: tuntap_config_set_netns_fd. */
    config &set_netns_fd(int fd) { return set(::tuntap_config_set_netns_fd, fd); }
#endif
    /** The MTU: tuntap_config_set_mtu. */
    config &set_mtu(std::uint32_t mtu) { return set(::tuntap_config_set_mtu, mtu); }
    /** The MAC address of a TAP: tuntap_config_set_mac. */
    config &set_mac(const libtuntap::mac &address) { return set(::tuntap_config_set_mac, address.data()); }
    /** The alias: tuntap_config_set_alias. */
    config &set_alias(std::string_view alias) { return set(::tuntap_config_set_alias, detail::text(alias).c_str()); }
    /** The transmit queue length: tuntap_config_set_txqueuelen. */
    config &set_txqueuelen(std::uint32_t packets) { return set(::tuntap_config_set_txqueuelen, packets); }
    /** The send buffer: tuntap_config_set_sndbuf. */
    config &set_sndbuf(std::uint32_t size) { return set(::tuntap_config_set_sndbuf, size); }
    /** The size of the virtio header: tuntap_config_set_vnet_hdr_size. */
    config &set_vnet_hdr_size(std::size_t size) { return set(::tuntap_config_set_vnet_hdr_size, size); }
    /** The byte order of the virtio header: tuntap_config_set_vnet_endian. */
    config &set_vnet_endian(endian order) { return set(::tuntap_config_set_vnet_endian, number(order)); }
    /** An address to add: tuntap_config_add_addr. */
    config &add_addr(const libtuntap::addr &address, add_flags flags = {}) {
        return set(::tuntap_config_add_addr, &address, sizeof address, number(flags));
    }
    /** A route to add: tuntap_config_add_route. */
    config &add_route(const libtuntap::route &way, add_flags flags = {}) {
        return set(::tuntap_config_add_route, &way, sizeof way, number(flags));
    }
    /** Whether to bring the device up or take it down: tuntap_config_set_up. */
    config &set_up(bool up) { return set(::tuntap_config_set_up, up); }

private:
    template <class Function, class... Arguments>
    config &set(Function function, Arguments... arguments) {
        detail::call(function, get(), arguments...);
        return *this;
    }
};

/* ----------------------------------------------------------------------------
 * Devices
 */

/** A handle: one queue of an open device. */
class device : public detail::handle<::tuntap, ::tuntap_close> {
public:
    /** An empty handle. */
    device() noexcept = default;
    /** Takes over a C handle. */
    explicit device(::tuntap *owned) noexcept : handle(owned) {}
    /** Opens a device; with "" for the name, the kernel chooses one: tuntap_open. */
    device(std::string_view name, open_flags flags)
        : handle(detail::output<::tuntap *>(::tuntap_open, detail::text(name).c_str(), number(flags))) {}
    /** Opens a device with all options or not at all: tuntap_open_config. */
    device(std::string_view name, open_flags flags, const config &options)
        : handle(detail::output<::tuntap *>(::tuntap_open_config, detail::text(name).c_str(), number(flags),
                                            detail::held(options.get()))) {}
#ifndef _WIN32
    /** Takes over the descriptor of a device: tuntap_open_fd. */
    static device open_fd(int fd, open_flags flags = {}) {
        return device(detail::output<::tuntap *>(::tuntap_open_fd, fd, number(flags)));
    }
#endif
    /** Closes the handle, which is empty then: tuntap_close. */
    void close() noexcept { handle_.reset(); }
#ifndef _WIN32
    /** Gives the descriptor to the caller. The handle is empty then: tuntap_release. */
    int release() {
        const int fd = detail::output<int>(::tuntap_release, get());
        static_cast<void>(handle_.release());
        return fd;
    }
#endif
    /** The current name: tuntap_get_name. */
    std::string get_name() const { return detail::output_text<TUNTAP_NAME_SIZE>(::tuntap_get_name, get()); }
    /** The interface index: tuntap_get_index. */
    std::uint32_t get_index() const { return detail::output<std::uint32_t>(::tuntap_get_index, get()); }
#ifndef _WIN32
    /** The descriptor, for poll and epoll: tuntap_get_fd. */
    int get_fd() const { return detail::call(::tuntap_get_fd, get()); }
#endif
    /** The flags that the kernel granted: tuntap_get_flags. */
    open_flags get_flags() const { return open_flags{detail::output<std::uint64_t>(::tuntap_get_flags, get())}; }
    /** Whether the device stays after its last handle: tuntap_set_persist. */
    void set_persist(bool on) { detail::call(::tuntap_set_persist, get(), on); }
    /** The user who may open the device: tuntap_get_owner. */
    std::uint32_t get_owner() const { return detail::output<std::uint32_t>(::tuntap_get_owner, get()); }
    /** Sets the user who may open the device: tuntap_set_owner. */
    void set_owner(std::uint32_t uid) { detail::call(::tuntap_set_owner, get(), uid); }
    /** The group that may open the device: tuntap_get_group. */
    std::uint32_t get_group() const { return detail::output<std::uint32_t>(::tuntap_get_group, get()); }
    /** Sets the group that may open the device: tuntap_set_group. */
    void set_group(std::uint32_t gid) { detail::call(::tuntap_set_group, get(), gid); }
    /** Whether functions for packets return EAGAIN instead of waiting: tuntap_set_nonblock. */
    void set_nonblock(bool on) { detail::call(::tuntap_set_nonblock, get(), on); }
    /** Whether the kernel and this device support a feature: tuntap_probe. */
    bool probe(feature what) const {
        return detail::output<int>(::tuntap_probe, detail::held(get()), number(what)) != 0;
    }

    /* Packets */

    /** The size of a buffer that holds every packet: tuntap_read_size. */
    std::size_t read_size() const noexcept { return ::tuntap_read_size(get()); }
    /** Reads one packet: tuntap_read. */
    result<> read(bytes buffer, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_read(get(), buffer.data(), buffer.size(), err));
    }
    /** Reads one packet, with a time limit: tuntap_read_timeout. */
    result<> read_timeout(bytes buffer, milliseconds time, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_read_timeout(get(), buffer.data(), buffer.size(), detail::limit(time), err));
    }
#ifndef _WIN32
    /** Reads one packet to several buffers: tuntap_readv. */
    result<> readv(view<const ::iovec> parts, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_readv(get(), parts.data(), parts.size(), err));
    }
#endif
    /** Writes one packet: tuntap_write. */
    result<> write(const_bytes data, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_write(get(), data.data(), data.size(), err));
    }
    /** Writes one packet, with a time limit: tuntap_write_timeout. */
    result<> write_timeout(const_bytes data, milliseconds time, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_write_timeout(get(), data.data(), data.size(), detail::limit(time), err));
    }
#ifndef _WIN32
    /** Writes one packet from several buffers: tuntap_writev. */
    result<> writev(view<const ::iovec> parts, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_writev(get(), parts.data(), parts.size(), err));
    }
#endif

    /* Waiting */

    /** Waits until a packet can be read or written, and returns what is ready: tuntap_wait. */
    result<wait_events> wait(wait_events events, milliseconds time, ::tuntap_error *err = nullptr) noexcept {
        return result<wait_events>(::tuntap_wait(get(), number(events), detail::limit(time), err));
    }
    /** Ends one wait: tuntap_wake. */
    void wake() noexcept { ::tuntap_wake(get()); }
    /** Ends reading and writing permanently: tuntap_shutdown. */
    void shutdown() noexcept { ::tuntap_shutdown(get()); }

    /* Interface */

    /** Brings the device up: tuntap_up. */
    void up() { detail::call(::tuntap_up, get()); }
    /** Takes the device down: tuntap_down. */
    void down() { detail::call(::tuntap_down, get()); }
    /** Whether the device is up: tuntap_get_up. */
    bool get_up() const { return detail::output<int>(::tuntap_get_up, get()) != 0; }
    /** The MTU: tuntap_get_mtu. */
    std::uint32_t get_mtu() const { return detail::output<std::uint32_t>(::tuntap_get_mtu, get()); }
    /** The minimum and the maximum of the MTU: tuntap_get_mtu_range. */
    std::pair<std::uint32_t, std::uint32_t> get_mtu_range() const {
        std::uint32_t min = 0;
        const auto max = detail::output<std::uint32_t>(::tuntap_get_mtu_range, get(), &min);
        return {min, max};
    }
    /** Sets the MTU: tuntap_set_mtu. */
    void set_mtu(std::uint32_t mtu) { detail::call(::tuntap_set_mtu, get(), mtu); }
    /** The MAC address of a TAP: tuntap_get_mac. */
    libtuntap::mac get_mac() const {
        libtuntap::mac address{};
        detail::call(::tuntap_get_mac, get(), address.data());
        return address;
    }
    /** Sets the MAC address of a TAP: tuntap_set_mac. */
    void set_mac(const libtuntap::mac &address) { detail::call(::tuntap_set_mac, get(), address.data()); }
    /** Renames the device: tuntap_set_name. */
    void set_name(std::string_view name) { detail::call(::tuntap_set_name, get(), detail::text(name).c_str()); }
    /** The alias: tuntap_get_alias. */
    std::string get_alias() const { return detail::output_text<TUNTAP_ALIAS_SIZE>(::tuntap_get_alias, get()); }
    /** Sets the alias: tuntap_set_alias. */
    void set_alias(std::string_view alias) { detail::call(::tuntap_set_alias, get(), detail::text(alias).c_str()); }
    /** Whether the device has a carrier: tuntap_get_carrier. */
    bool get_carrier() const { return detail::output<int>(::tuntap_get_carrier, get()) != 0; }
    /** Turns the carrier on or off: tuntap_set_carrier. */
    void set_carrier(bool on) { detail::call(::tuntap_set_carrier, get(), on); }
    /** The transmit queue length: tuntap_get_txqueuelen. */
    std::uint32_t get_txqueuelen() const { return detail::output<std::uint32_t>(::tuntap_get_txqueuelen, get()); }
    /** Sets the transmit queue length: tuntap_set_txqueuelen. */
    void set_txqueuelen(std::uint32_t packets) { detail::call(::tuntap_set_txqueuelen, get(), packets); }
    /** The send buffer in bytes: tuntap_get_sndbuf. */
    std::uint32_t get_sndbuf() const { return detail::output<std::uint32_t>(::tuntap_get_sndbuf, get()); }
    /** Sets the send buffer: tuntap_set_sndbuf. */
    void set_sndbuf(std::uint32_t size) { detail::call(::tuntap_set_sndbuf, get(), size); }
    /** The counters: tuntap_get_stats. */
    libtuntap::stats get_stats() const {
        libtuntap::stats counters{};
        detail::call(::tuntap_get_stats, get(), &counters, sizeof counters);
        return counters;
    }
    /** The offloads that are on: tuntap_get_offloads. */
    offloads get_offloads() const { return offloads{detail::output<std::uint64_t>(::tuntap_get_offloads, get())}; }

    /* Master */

    /** The name of the bridge that the device is a port of: tuntap_get_master. */
    std::string get_master() const { return detail::output_text<TUNTAP_NAME_SIZE>(::tuntap_get_master, get()); }
    /** Makes the device a port of a bridge; with "", of none: tuntap_set_master. */
    void set_master(std::string_view master) { detail::call(::tuntap_set_master, get(), detail::text(master).c_str()); }

    /* IPv6 */

    /** A setting of IPv6: tuntap_get_ipv6. */
    std::uint32_t get_ipv6(ipv6_setting setting) const {
        return detail::output<std::uint32_t>(::tuntap_get_ipv6, get(), number(setting));
    }
    /** Sets a setting of IPv6: tuntap_set_ipv6. */
    void set_ipv6(ipv6_setting setting, std::uint32_t value) {
        detail::call(::tuntap_set_ipv6, get(), number(setting), value);
    }

    /* Addresses */

    /** Adds an address: tuntap_add_addr. */
    void add_addr(const libtuntap::addr &address, add_flags flags = {}) {
        detail::call(::tuntap_add_addr, get(), &address, sizeof address, number(flags));
    }
    /** Removes an address: tuntap_del_addr. */
    void del_addr(const libtuntap::addr &address) { detail::call(::tuntap_del_addr, get(), &address, sizeof address); }
    /** All addresses: tuntap_list_addrs. */
    std::vector<libtuntap::addr> list_addrs() const {
        return detail::list<libtuntap::addr>(::tuntap_list_addrs, get());
    }
    /** The first IPv4 address: tuntap_get_addr. */
    std::string get_addr() const { return detail::output_text<TUNTAP_ADDR_SIZE>(::tuntap_get_addr, get()); }
    /** Makes an address the only one of its family: tuntap_set_addr. */
    void set_addr(std::string_view address) { detail::call(::tuntap_set_addr, get(), detail::text(address).c_str()); }
    /** The peer of the first IPv4 address: tuntap_get_dstaddr. */
    std::string get_dstaddr() const { return detail::output_text<TUNTAP_ADDR_SIZE>(::tuntap_get_dstaddr, get()); }
    /** Sets the peer of the first IPv4 address: tuntap_set_dstaddr. */
    void set_dstaddr(std::string_view peer) { detail::call(::tuntap_set_dstaddr, get(), detail::text(peer).c_str()); }
    /** The netmask of the first IPv4 address: tuntap_get_netmask. */
    std::string get_netmask() const { return detail::output_text<TUNTAP_ADDR_SIZE>(::tuntap_get_netmask, get()); }
    /** Sets the netmask of the first IPv4 address: tuntap_set_netmask. */
    void set_netmask(std::string_view netmask) {
        detail::call(::tuntap_set_netmask, get(), detail::text(netmask).c_str());
    }

    /* Routes */

    /** Adds a route: tuntap_add_route. */
    void add_route(const libtuntap::route &way, add_flags flags = {}) {
        detail::call(::tuntap_add_route, get(), &way, sizeof way, number(flags));
    }
    /** Deletes a route: tuntap_del_route. */
    void del_route(const libtuntap::route &way) { detail::call(::tuntap_del_route, get(), &way, sizeof way); }
    /** All routes: tuntap_list_routes. */
    std::vector<libtuntap::route> list_routes() const {
        return detail::list<libtuntap::route>(::tuntap_list_routes, get());
    }

    /** The route that the system selects, in the network namespace of the device: tuntap_find_route. */
    libtuntap::route find_route(std::string_view destination, std::string_view source = {},
                                std::uint32_t mark = 0) const {
        return detail::find_route(detail::held(get()), destination, source, mark);
    }

    /* Default routes */

    /** Routes everything of a family through the device; of both families with family{}: tuntap_add_default_route. */
    void add_default_route(family which = {}, std::string_view gateway = {}, add_flags flags = {}) {
        detail::call(::tuntap_add_default_route, get(), number(which), detail::or_null(detail::text(gateway)),
                     number(flags));
    }
    /** Deletes the default route of a family; of both families with family{}: tuntap_del_default_route. */
    void del_default_route(family which = {}) { detail::call(::tuntap_del_default_route, get(), number(which)); }
    /** Excludes packets from the default route; with "", to any destination: tuntap_add_bypass. */
    void add_bypass(std::string_view destination, std::uint32_t mark = 0, std::uint32_t mask = 0,
                    add_flags flags = {}) {
        detail::call(::tuntap_add_bypass, get(), detail::or_null(detail::text(destination)), mark, mask,
                     number(flags));
    }
    /** Deletes a bypass: tuntap_del_bypass. */
    void del_bypass(std::string_view destination, std::uint32_t mark = 0, std::uint32_t mask = 0) {
        detail::call(::tuntap_del_bypass, get(), detail::or_null(detail::text(destination)), mark, mask);
    }

    /* Namespaces */

    /** Moves the device to another network namespace: tuntap_set_netns. */
    void set_netns(std::string_view path) { detail::call(::tuntap_set_netns, get(), detail::text(path).c_str()); }
#ifndef _WIN32
    /** Moves the device to the network namespace of a descriptor: tuntap_set_netns_fd. */
    void set_netns_fd(int fd) { detail::call(::tuntap_set_netns_fd, get(), fd); }
#endif

    /* Queues */

    /** Opens another queue: tuntap_open_queue. */
    device open_queue(open_flags flags = {}) {
        return device(detail::output<::tuntap *>(::tuntap_open_queue, get(), number(flags)));
    }
    /** Attaches this queue again: tuntap_attach. */
    void attach() { detail::call(::tuntap_attach, get()); }
    /** Detaches this queue: tuntap_detach. */
    void detach() { detail::call(::tuntap_detach, get()); }

    /* Super-packets */

    /** Sets which offloads are on: tuntap_set_offloads. */
    void set_offloads(offloads on) { detail::call(::tuntap_set_offloads, get(), number(on)); }
    /** The size of the virtio header: tuntap_get_vnet_hdr_size. */
    std::size_t get_vnet_hdr_size() const { return detail::output<std::size_t>(::tuntap_get_vnet_hdr_size, get()); }
    /** Reads a super-packet and its virtio header: tuntap_read_super. */
    result<> read_super(libtuntap::vnet_hdr &hdr, bytes buffer, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_read_super(get(), &hdr, sizeof hdr, buffer.data(), buffer.size(), err));
    }
    /** Writes a super-packet and its virtio header: tuntap_write_super. */
    result<> write_super(const libtuntap::vnet_hdr &hdr, const_bytes data, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_write_super(get(), &hdr, sizeof hdr, data.data(), data.size(), err));
    }

    /* Programs and filters */

#ifndef _WIN32
    /** Sets the program that selects the queue of each packet; -1 removes it: tuntap_set_steering_ebpf. */
    void set_steering_ebpf(int fd) { detail::call(::tuntap_set_steering_ebpf, get(), fd); }
    /** Sets the program that selects the packets; -1 removes it: tuntap_set_filter_ebpf. */
    void set_filter_ebpf(int fd) { detail::call(::tuntap_set_filter_ebpf, get(), fd); }
#endif
    /** Sets the classic filter of a TAP, which has `count` instructions; 0 removes it: tuntap_set_filter_bpf. */
    void set_filter_bpf(const void *filter, std::size_t count) {
        detail::call(::tuntap_set_filter_bpf, get(), filter, count);
    }
    /** Selects the destination MAC addresses of a TAP: tuntap_set_filter_mac. */
    void set_filter_mac(view<const libtuntap::mac> macs, filter_flags flags = {}) {
        static_assert(sizeof(libtuntap::mac) == TUNTAP_MAC_SIZE);
        const auto *first = macs.empty() ? nullptr : macs.data()->data();
        detail::call(::tuntap_set_filter_mac, get(), first, macs.size(), number(flags));
    }
};

/* ----------------------------------------------------------------------------
 * Devices of the system
 */

/** The TUN and TAP devices of this network namespace: tuntap_list. */
inline std::vector<info> list() { return detail::list<info>(::tuntap_list); }
/** Deletes a persistent device: tuntap_delete. */
inline void delete_device(std::string_view name) {
    detail::call(::tuntap_delete, detail::text(name).c_str(), std::uint64_t{0});
}
/** The route that the system selects, in this network namespace: tuntap_find_route. */
inline route find_route(std::string_view destination, std::string_view source = {}, std::uint32_t mark = 0) {
    return detail::find_route(nullptr, destination, source, mark);
}
/** Whether the running kernel supports a feature: tuntap_probe. */
inline bool probe(feature what) {
    return detail::output<int>(::tuntap_probe, static_cast<const ::tuntap *>(nullptr), number(what)) != 0;
}

/* ----------------------------------------------------------------------------
 * Readers and writers
 */

/** Reads packets in batches: tuntap_reader. */
class reader : public detail::handle<::tuntap_reader, ::tuntap_reader_free> {
public:
    /** An empty handle. */
    reader() noexcept = default;
    /** Takes over a C handle. */
    explicit reader(::tuntap_reader *owned) noexcept : handle(owned) {}
    /** Creates a reader: tuntap_reader_new. */
    explicit reader(device &dev, open_flags flags = {})
        : handle(detail::output<::tuntap_reader *>(::tuntap_reader_new, dev.get(), number(flags))) {}

    /** Sets the free space before and after each packet of batch: tuntap_reader_set_room. */
    void set_room(std::size_t headroom, std::size_t tailroom) {
        detail::call(::tuntap_reader_set_room, get(), headroom, tailroom);
    }
    /** The next packet, in place; 0 when the batch is over: tuntap_reader_next. */
    result<> next(bytes &place, ::tuntap_error *err = nullptr) noexcept {
        return detail::next(place, [&](void **to) { return ::tuntap_reader_next(get(), to, err); });
    }
    /** The next packets, in the memory of the reader: tuntap_reader_batch. */
    result<> batch(view<packet> packets, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_reader_batch(get(), packets.data(), packets.size(), sizeof(packet), err));
    }
    /** The next packets, copied to the buffers of the caller: tuntap_reader_copy. */
    result<> copy(view<packet> packets, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_reader_copy(get(), packets.data(), packets.size(), sizeof(packet), err));
    }
};

/** Writes packets in batches: tuntap_writer. */
class writer : public detail::handle<::tuntap_writer, ::tuntap_writer_free> {
public:
    /** An empty handle. */
    writer() noexcept = default;
    /** Takes over a C handle. */
    explicit writer(::tuntap_writer *owned) noexcept : handle(owned) {}
    /** Creates a writer: tuntap_writer_new. */
    explicit writer(device &dev, open_flags flags = {})
        : handle(detail::output<::tuntap_writer *>(::tuntap_writer_new, dev.get(), number(flags))) {}

    /** Copies a packet to the writer: tuntap_writer_put. */
    result<> put(const_bytes data, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_writer_put(get(), data.data(), data.size(), err));
    }
    /** Reserves memory for a packet; the view is empty after a failure: tuntap_writer_reserve. */
    result<> reserve(std::size_t size, bytes &place, ::tuntap_error *err = nullptr) noexcept {
        void *data = nullptr;
        const result<> reserved(::tuntap_writer_reserve(get(), size, &data, err));
        place = bytes(data, reserved.ok() ? size : 0);
        return reserved;
    }
    /** Accepts the packet in the reserved memory: tuntap_writer_commit. */
    result<> commit(std::size_t size, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_writer_commit(get(), size, err));
    }
    /** Writes all collected packets: tuntap_writer_flush. */
    result<> flush(::tuntap_error *err = nullptr) noexcept { return result<>(::tuntap_writer_flush(get(), err)); }
    /** The number of packets that the kernel refused: tuntap_writer_get_lost. */
    std::uint64_t get_lost() const { return detail::output<std::uint64_t>(::tuntap_writer_get_lost, get()); }
    /** Puts packets, and flushes. `taken` is the number of accepted ones, also after a failure: tuntap_writer_batch. */
    result<> batch(view<const packet> packets, std::size_t &taken, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_writer_batch(get(), packets.data(), packets.size(), sizeof(packet), &taken, err));
    }
};

/* ----------------------------------------------------------------------------
 * Splitters and joiners
 */

/** Splits super-packets into packets, in memory: tuntap_splitter. */
class splitter : public detail::handle<::tuntap_splitter, ::tuntap_splitter_free> {
public:
    /** An empty handle. */
    splitter() noexcept = default;
    /** Takes over a C handle. */
    explicit splitter(::tuntap_splitter *owned) noexcept : handle(owned) {}
    /** Creates a splitter: tuntap_splitter_new. */
    explicit splitter(open_flags flags)
        : handle(detail::output<::tuntap_splitter *>(::tuntap_splitter_new, number(flags))) {}

    /** Begins to segment a super-packet, in place: tuntap_splitter_begin. */
    result<> begin(const vnet_hdr &hdr, bytes data, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_splitter_begin(get(), &hdr, sizeof hdr, data.data(), data.size(), err));
    }
    /** The next segment, in place; 0 when none is left: tuntap_splitter_next. */
    result<> next(bytes &place, ::tuntap_error *err = nullptr) noexcept {
        return detail::next(place, [&](void **to) { return ::tuntap_splitter_next(get(), to, err); });
    }
    /** Copies the next segment; 0 when none is left: tuntap_splitter_copy. */
    result<> copy(bytes to, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_splitter_copy(get(), to.data(), to.size(), err));
    }
};

/** Joins packets into super-packets, in memory: tuntap_joiner. */
class joiner : public detail::handle<::tuntap_joiner, ::tuntap_joiner_free> {
public:
    /** An empty handle. */
    joiner() noexcept = default;
    /** Takes over a C handle. */
    explicit joiner(::tuntap_joiner *owned) noexcept : handle(owned) {}
    /** Creates a joiner: tuntap_joiner_new. */
    explicit joiner(open_flags flags)
        : handle(detail::output<::tuntap_joiner *>(::tuntap_joiner_new, number(flags))) {}

    /** Copies a packet to the joiner: tuntap_joiner_put. */
    result<> put(const_bytes data, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_joiner_put(get(), data.data(), data.size(), err));
    }
    /** The next packet or super-packet; 0 when none is left: tuntap_joiner_next. */
    result<> next(vnet_hdr &hdr, bytes &place, ::tuntap_error *err = nullptr) noexcept {
        return detail::next(place, [&](void **to) { return ::tuntap_joiner_next(get(), &hdr, sizeof hdr, to, err); });
    }
};

/* ----------------------------------------------------------------------------
 * Monitors
 */

/** A few words for a kind of event: tuntap_strevent. */
inline const char *to_string(event_kind kind) noexcept { return ::tuntap_strevent(number(kind)); }

/** Reports changes of devices: tuntap_monitor. */
class monitor : public detail::handle<::tuntap_monitor, ::tuntap_monitor_close> {
public:
    /** Takes over a C handle. */
    explicit monitor(::tuntap_monitor *owned) noexcept : handle(owned) {}
    /** Watches all devices of this network namespace: tuntap_monitor_open. */
    explicit monitor(monitor_flags flags = {})
        : handle(detail::output<::tuntap_monitor *>(::tuntap_monitor_open, static_cast<const ::tuntap *>(nullptr),
                                                    number(flags))) {}
    /** Watches one device: tuntap_monitor_open. */
    explicit monitor(const device &dev, monitor_flags flags = {})
        : handle(detail::output<::tuntap_monitor *>(::tuntap_monitor_open, detail::held(dev.get()), number(flags))) {}

    /** Closes the monitor, which is empty then: tuntap_monitor_close. */
    void close() noexcept { handle_.reset(); }
#ifndef _WIN32
    /** The descriptor, for poll and epoll: tuntap_monitor_get_fd. */
    int get_fd() const { return detail::call(::tuntap_monitor_get_fd, get()); }
#endif
    /** Ends the present and all later next(): tuntap_monitor_shutdown. */
    void shutdown() noexcept { ::tuntap_monitor_shutdown(get()); }
    /** Takes the next event: tuntap_monitor_next. */
    result<> next(event &change, milliseconds time = no_limit, ::tuntap_error *err = nullptr) noexcept {
        return result<>(::tuntap_monitor_next(get(), &change, sizeof change, detail::limit(time), err));
    }
};

/* ----------------------------------------------------------------------------
 * Version and features
 */

/** The version of the library that is running: tuntap_version. */
inline const char *version() noexcept { return ::tuntap_version(); }
/** The version as 0xMMmmpp: tuntap_version_number. */
inline std::uint32_t version_number() noexcept { return ::tuntap_version_number(); }
/** Whether this library supports a feature on this operating system: tuntap_has. */
inline bool has(feature what) noexcept { return ::tuntap_has(number(what)) != 0; }

} // namespace libtuntap

#if __cplusplus >= 202002L
template <class T> inline constexpr bool std::ranges::enable_borrowed_range<libtuntap::view<T>> = true;
#endif

#endif /* TUNTAP_HPP */
