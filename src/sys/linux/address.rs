// SPDX-License-Identifier: MIT
//! Addresses of an interface: RTM_GETADDR, RTM_NEWADDR and RTM_DELADDR.

use std::net::IpAddr;
use std::result::Result;

use super::message::{Attributes, Refusal, Request};
use super::netlink::Socket;
use crate::model::address::{self, Address, Assigned, Options, Scope};
use crate::model::flags::{Kind, bit};
use crate::model::memory;
use crate::model::prefix::{Family, Prefix};
use crate::sys::bytes::u32_at;

/// Bytes of struct ifaddrmsg: family, prefix length, flags, scope, and the interface's index.
const IFADDRMSG: usize = 8;
const SCOPE_AT: usize = 3;
const INDEX_AT: usize = 4;

/// Attributes and flags of linux/if_addr.h that libc does not have for every target.
const IFA_FLAGS: u16 = 8;
const IFA_F_NODAD: u32 = 0x02;
const IFA_F_NOPREFIXROUTE: u32 = 0x200;
const IFA_F_PERMANENT: u32 = 0x80;

/// The kernel's flags, and the ABI's.
const FLAGS: [(u32, u64); 6] = [
    (0x01, address::SECONDARY),
    (IFA_F_NODAD, address::NODAD),
    (0x08, address::DADFAILED),
    (0x20, address::DEPRECATED),
    (0x40, address::TENTATIVE),
    (IFA_F_NOPREFIXROUTE, address::NOPREFIXROUTE),
];

pub(super) fn list(netlink: &mut Socket, index: u32, family: u8) -> Result<Vec<Assigned>, Refusal> {
    netlink.ask(&list_request(index, family), |body| {
        let Some((_, assigned)) = parse(body).filter(|(found, _)| *found == index) else { return Ok(None) };
        Ok(Some(Assigned { detail: memory::copy(body)?, ..assigned }))
    })
}

/// For the list of the addresses of an interface, or with 0 of all.
pub(super) fn list_request(index: u32, family: u8) -> Request {
    Request::new(libc::RTM_GETADDR, libc::NLM_F_DUMP, &ifaddrmsg(family, 0, index))
}

/// On a TAP with the broadcast address of its network, as ifconfig does; a point-to-point link has none. A TUN
/// has no neighbours who could have the same IPv6 address, so nobody is asked.
pub(super) fn add(
    netlink: &mut Socket,
    index: u32,
    kind: Kind,
    address: &Address,
    options: Options,
) -> Result<(), Refusal> {
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let mut request = request(libc::RTM_NEWADDR, flags, index, address);
    if let Some(broadcast) = address.broadcast().filter(|_| kind == Kind::Tap) {
        request = request.attribute(libc::IFA_BROADCAST, &broadcast.octets());
    }
    let nodad = options.nodad || (kind == Kind::Tun && address.family() == Family::V6);
    let bits =
        if nodad { IFA_F_NODAD } else { 0 } | if options.noprefixroute { IFA_F_NOPREFIXROUTE } else { 0 };
    if bits != 0 {
        request = request.attribute(IFA_FLAGS, &bits.to_ne_bytes());
    }
    netlink.change(&request)
}

/// Gives back what was told of an address: its label, lifetimes, flags and all.
pub(super) fn restore(netlink: &mut Socket, assigned: &Assigned) -> Result<(), Refusal> {
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    netlink.change(&Request::new(libc::RTM_NEWADDR, flags, &assigned.detail))
}

pub(super) fn remove(netlink: &mut Socket, index: u32, address: &Address) -> Result<(), Refusal> {
    netlink.change(&request(libc::RTM_DELADDR, libc::NLM_F_ACK, index, address))
}

fn request(kind: u16, flags: i32, index: u32, address: &Address) -> Request {
    let far_end = address.peer().unwrap_or(address.local());
    let mut message = ifaddrmsg(number(address.family()), address.prefix().bits(), index);
    // As SIOCSIFADDR and ip(8) have it: nobody else is to use a loopback address as this host's.
    if let (Some(scope), true) = (message.get_mut(SCOPE_AT), is_loopback(address)) {
        *scope = libc::RT_SCOPE_HOST;
    }
    Request::new(kind, flags, &message)
        .attribute(libc::IFA_LOCAL, octets(&address.local()).as_ref())
        .attribute(libc::IFA_ADDRESS, octets(&far_end).as_ref())
}

/// IPv6 addresses have their scope from the kernel.
fn is_loopback(address: &Address) -> bool {
    matches!(address.local(), IpAddr::V4(ip) if ip.is_loopback())
}

/// The kernel's number of a family.
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

/// An address as an attribute has it.
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

/// An address in an attribute: its length tells the family.
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

/// The address that RTM_NEWADDR and RTM_DELADDR are about, with the index of its interface. Without a peer IPv6
/// has no IFA_LOCAL. Its detail is left out.
pub(super) fn parse(body: &[u8]) -> Option<(u32, Assigned)> {
    let attributes = Attributes(body.get(IFADDRMSG..)?);
    let ip = |kind| attributes.get(kind).and_then(parse_ip);
    let far_end = ip(libc::IFA_ADDRESS);
    let local = ip(libc::IFA_LOCAL).or(far_end)?;
    let prefix = Prefix::new(Family::of(local), *body.get(1)?)?;
    let flags = attributes.u32(IFA_FLAGS).unwrap_or(0);
    let known =
        FLAGS.iter().map(|(kernel, ours)| bit(flags & kernel != 0, *ours)).fold(0, |all, one| all | one);
    let assigned = Assigned {
        address: Address::new(local, far_end, prefix)?,
        scope: scope(*body.get(SCOPE_AT)?),
        flags: known | bit(flags & IFA_F_PERMANENT == 0, address::DYNAMIC),
        detail: Vec::new(),
    };
    Some((u32_at(body, INDEX_AT)?, assigned))
}

fn scope(number: u8) -> Scope {
    match number {
        libc::RT_SCOPE_UNIVERSE => Scope::Global,
        libc::RT_SCOPE_LINK => Scope::Link,
        libc::RT_SCOPE_HOST => Scope::Host,
        _ => Scope::Site,
    }
}
