// SPDX-License-Identifier: MIT
//! Addresses of an interface: RTM_GETADDR, RTM_NEWADDR and RTM_DELADDR.

use std::net::{IpAddr, Ipv4Addr};
use std::result::Result;

use super::control::Interface;
use super::message::{Attributes, Refusal, Request};
use super::netlink::Socket;
use crate::model::address::Address;
use crate::model::assigned::{
    Assigned, DADFAILED, DEPRECATED, DYNAMIC, Label, Lifetimes, NOBROADCAST, NODAD, NOPREFIXROUTE, Options,
    SECONDARY, Scope, TENTATIVE,
};
use crate::model::error::Errno;
use crate::model::flags::{Kind, bit};
use crate::model::memory;
use crate::model::prefix::{Family, Prefix};
use crate::sys::bytes::u32_at;

/// Size of struct ifaddrmsg: family, prefix length, flags, scope and interface index.
const IFADDRMSG: usize = 8;
const SCOPE_AT: usize = 3;
const INDEX_AT: usize = 4;

/// Attributes and flags of linux/if_addr.h that libc does not have for every target.
const IFA_FLAGS: u16 = 8;
const IFA_RT_PRIORITY: u16 = 9;
const IFA_PROTO: u16 = 11;
const IFA_F_NODAD: u32 = 0x02;
const IFA_F_DEPRECATED: u32 = 0x20;
const IFA_F_NOPREFIXROUTE: u32 = 0x200;
const IFA_F_PERMANENT: u32 = 0x80;

/// Size of struct ifa_cacheinfo: preferred and valid lifetime in seconds, and two timestamps.
const CACHEINFO: usize = 16;
const PREFERRED_AT: usize = 0;
const VALID_AT: usize = 4;

/// The flags of the kernel, each with that of the ABI.
const FLAGS: [(u32, u64); 6] = [
    (0x01, SECONDARY),
    (IFA_F_NODAD, NODAD),
    (0x08, DADFAILED),
    (IFA_F_DEPRECATED, DEPRECATED),
    (0x40, TENTATIVE),
    (IFA_F_NOPREFIXROUTE, NOPREFIXROUTE),
];

/// What happens to an address of the device that RTM_NEWADDR would add again.
#[derive(Clone, Copy)]
pub(super) enum Existing {
    /// The request fails with EEXIST.
    Refused,
    /// Its lifetimes, metric and protocol change, and for IPv6 its flags.
    Changed,
}

impl Existing {
    fn flags(self) -> i32 {
        libc::NLM_F_ACK
            | libc::NLM_F_CREATE
            | match self {
                Self::Refused => libc::NLM_F_EXCL,
                Self::Changed => libc::NLM_F_REPLACE,
            }
    }
}

/// The addresses of one family, or of both if `family` is 0.
pub(super) fn list(
    netlink: &mut Socket,
    interface: &Interface,
    kind: Kind,
    family: u8,
) -> Result<Vec<Assigned>, Refusal> {
    netlink.query(&list_request(interface.index, family), |body| {
        // A kernel without this family lists all other families instead.
        let of_family = family == 0 || body.first() == Some(&family);
        let Some((_, assigned)) = parse(body).filter(|(found, _)| of_family && *found == interface.index)
        else {
            return Ok(None);
        };
        let assigned = normalize(assigned, interface, kind);
        Ok(Some(Assigned { message: memory::copy(body)?, ..assigned }))
    })
}

/// Removes what is only the default: a label that is the name of the device. Marks a TAP address without a broadcast
/// address; a TUN never has one.
fn normalize(mut assigned: Assigned, interface: &Interface, kind: Kind) -> Assigned {
    let options = &mut assigned.options;
    if options.label.as_bytes() == interface.name.as_bytes() {
        options.label = Label::default();
    }
    if kind == Kind::Tap && options.broadcast.is_none() && assigned.address.broadcast().is_some() {
        options.nobroadcast = true;
        assigned.flags |= NOBROADCAST;
    }
    assigned
}

/// Requests the addresses of an interface, or of all interfaces if `index` is 0.
pub(super) fn list_request(index: u32, family: u8) -> Request {
    Request::new(libc::RTM_GETADDR, libc::NLM_F_DUMP, &ifaddrmsg(family, 0, index))
}

/// Adds an address. On a TAP it gets the broadcast address of its network by default, as ifconfig does. On a TUN an
/// IPv6 address skips duplicate address detection, because there are no neighbours.
pub(super) fn add(
    netlink: &mut Socket,
    index: u32,
    kind: Kind,
    address: &Address,
    options: &Options,
    existing: Existing,
) -> Result<(), Refusal> {
    let mut request = request(libc::RTM_NEWADDR, existing.flags(), index, address, options.scope);
    let usual = address.broadcast().filter(|_| kind == Kind::Tap && !options.nobroadcast);
    if let Some(broadcast) = options.broadcast.or(usual) {
        request = request.attribute(libc::IFA_BROADCAST, &broadcast.octets());
    }
    let nodad = options.nodad || (kind == Kind::Tun && address.family() == Family::V6);
    let bits =
        if nodad { IFA_F_NODAD } else { 0 } | if options.noprefixroute { IFA_F_NOPREFIXROUTE } else { 0 };
    if bits != 0 {
        request = request.attribute(IFA_FLAGS, &bits.to_ne_bytes());
    }
    if options.metric != 0 {
        request = request.attribute(IFA_RT_PRIORITY, &options.metric.to_ne_bytes());
    }
    if options.protocol != 0 {
        request = request.attribute(IFA_PROTO, &[options.protocol]);
    }
    if options.label != Label::default() {
        request = request.attribute(libc::IFA_LABEL, options.label.as_bytes());
    }
    if options.lifetimes != Lifetimes::default() {
        request = request.attribute(libc::IFA_CACHEINFO, &cacheinfo(options.lifetimes));
    }
    netlink.change(&request).map_err(|refusal| match (refusal.errno, address.family()) {
        // Before Linux 6.2 without a text (ipv6_add_addr). A missing privilege is EPERM.
        (Errno::EACCES, Family::V6) => refusal.with_text("IPv6 is disabled on this device"),
        _ => refusal,
    })
}

fn cacheinfo(lifetimes: Lifetimes) -> [u8; CACHEINFO] {
    let (valid, preferred) = lifetimes.as_kernel();
    let [a, b, c, d] = preferred.to_ne_bytes();
    let [e, f, g, h] = valid.to_ne_bytes();
    [a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// Whether the kernel can change the present address in place, without removing it (inet_rtm_newaddr,
/// inet6_addr_modify).
pub(super) fn changes_in_place(present: &Assigned, address: &Address, options: &Options) -> bool {
    let has = &present.options;
    let ipv6 = address.family() == Family::V6;
    let either = |ipv4, has_ipv6| if ipv6 { has_ipv6 } else { ipv4 };
    let rest = Options {
        metric: has.metric,
        protocol: has.protocol,
        lifetimes: has.lifetimes,
        nodad: either(options.nodad, has.nodad),
        noprefixroute: either(options.noprefixroute, has.noprefixroute),
        scope: if ipv6 { has.scope } else { options.scope },
        ..*options
    };
    present.address == *address && rest == *has
}

/// Restores an address as the kernel listed it, with its label, lifetimes and flags. Of a permanent deprecated IPv4
/// address the kernel lists an infinite preferred lifetime, from which it would compute another flag (inet_fill_ifaddr,
/// set_ifa_lifetime).
pub(super) fn restore(netlink: &mut Socket, assigned: &Assigned, existing: Existing) -> Result<(), Refusal> {
    let (fixed, rest) = assigned.message.split_at_checked(IFADDRMSG).unwrap_or_default();
    let request = Request::new(libc::RTM_NEWADDR, existing.flags(), fixed);
    netlink.change(&Attributes(rest).fold(request, |request, (kind, value)| match kind {
        libc::IFA_CACHEINFO => request.attribute(kind, &cacheinfo(assigned.options.lifetimes)),
        _ => request.attribute(kind, value),
    }))
}

pub(super) fn remove(netlink: &mut Socket, index: u32, address: &Address) -> Result<(), Refusal> {
    netlink.change(&request(libc::RTM_DELADDR, libc::NLM_F_ACK, index, address, None))
}

fn request(kind: u16, flags: i32, index: u32, address: &Address, scope: Option<Scope>) -> Request {
    let far_end = address.peer().unwrap_or(address.local());
    let mut message = ifaddrmsg(number(address.family()), address.prefix().bits(), index);
    // Like SIOCSIFADDR and ip(8): a loopback address is valid on this host only.
    let usual = if is_loopback(address) { Scope::Host } else { Scope::Global };
    if let Some(byte) = message.get_mut(SCOPE_AT) {
        *byte = scope_number(scope.unwrap_or(usual));
    }
    Request::new(kind, flags, &message)
        .attribute(libc::IFA_LOCAL, octets(&address.local()).as_ref())
        .attribute(libc::IFA_ADDRESS, octets(&far_end).as_ref())
}

/// Only for IPv4: the kernel derives the scope of an IPv6 address.
fn is_loopback(address: &Address) -> bool {
    matches!(address.local(), IpAddr::V4(ip) if ip.is_loopback())
}

/// The AF_* number of a family.
pub(super) fn number(family: Family) -> u8 {
    match family {
        Family::V4 => libc::AF_INET as u8,
        Family::V6 => libc::AF_INET6 as u8,
    }
}

pub(super) fn octets(ip: &IpAddr) -> Octets {
    match ip {
        IpAddr::V4(ip) => Octets::V4(ip.octets()),
        IpAddr::V6(ip) => Octets::V6(ip.octets()),
    }
}

/// The bytes of an address in an attribute.
pub(super) enum Octets {
    V4([u8; 4]),
    V6([u8; 16]),
}

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::V4(octets) => octets,
            Self::V6(octets) => octets,
        }
    }
}

/// Parses an address in an attribute. Its length determines the family.
pub(super) fn parse_ip(value: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(value) {
        return Some(octets.into());
    }
    <[u8; 16]>::try_from(value).ok().map(IpAddr::from)
}

fn ifaddrmsg(family: u8, prefix: u8, index: u32) -> [u8; IFADDRMSG] {
    let [a, b, c, d] = index.to_ne_bytes();
    [family, prefix, 0, 0, a, b, c, d]
}

/// Parses an RTM_NEWADDR or RTM_DELADDR message: the interface index and the address, without its `message`. An IPv6
/// address without a peer has no IFA_LOCAL.
pub(super) fn parse(body: &[u8]) -> Option<(u32, Assigned)> {
    let attributes = Attributes(body.get(IFADDRMSG..)?);
    let ip = |kind| attributes.get(kind).and_then(parse_ip);
    let far_end = ip(libc::IFA_ADDRESS);
    let local = ip(libc::IFA_LOCAL).or(far_end)?;
    let prefix = Prefix::new(Family::of(local), *body.get(1)?)?;
    let flags = attributes.u32(IFA_FLAGS).unwrap_or(0);
    let options = options(flags, scope(*body.get(SCOPE_AT)?), attributes);
    let known =
        FLAGS.iter().map(|(kernel, ours)| bit(flags & kernel != 0, *ours)).fold(0, |all, one| all | one);
    let assigned = Assigned {
        address: Address::new(local, far_end, prefix)?,
        flags: known | options.bits() | bit(flags & IFA_F_PERMANENT == 0, DYNAMIC),
        options,
        message: Vec::new(),
    };
    Some((u32_at(body, INDEX_AT)?, assigned))
}

fn options(flags: u32, scope: Scope, attributes: Attributes<'_>) -> Options {
    let lifetimes = attributes.get(libc::IFA_CACHEINFO).and_then(|info| {
        Some(Lifetimes::reported(
            u32_at(info, VALID_AT)?,
            u32_at(info, PREFERRED_AT)?,
            flags & IFA_F_DEPRECATED != 0,
        ))
    });
    let label = attributes.get(libc::IFA_LABEL).and_then(|label| label.split(|byte| *byte == 0).next());
    Options {
        nodad: flags & IFA_F_NODAD != 0,
        noprefixroute: flags & IFA_F_NOPREFIXROUTE != 0,
        nobroadcast: false,
        broadcast: attributes.get(libc::IFA_BROADCAST).and_then(ipv4),
        scope: Some(scope),
        metric: attributes.u32(IFA_RT_PRIORITY).unwrap_or(0),
        protocol: attributes.get(IFA_PROTO).and_then(|value| value.first().copied()).unwrap_or(0),
        lifetimes: lifetimes.unwrap_or_default(),
        label: label.and_then(Label::reported).unwrap_or_default(),
    }
}

fn ipv4(value: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from)
}

pub(super) fn scope_number(scope: Scope) -> u8 {
    match scope {
        Scope::Global => libc::RT_SCOPE_UNIVERSE,
        Scope::Link => libc::RT_SCOPE_LINK,
        Scope::Host => libc::RT_SCOPE_HOST,
        Scope::Site => libc::RT_SCOPE_SITE,
    }
}

pub(super) fn scope(number: u8) -> Scope {
    match number {
        libc::RT_SCOPE_UNIVERSE => Scope::Global,
        libc::RT_SCOPE_LINK => Scope::Link,
        libc::RT_SCOPE_HOST => Scope::Host,
        _ => Scope::Site,
    }
}
