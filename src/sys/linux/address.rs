// SPDX-License-Identifier: MIT
//! Addresses of an interface: RTM_GETADDR, RTM_NEWADDR and RTM_DELADDR.

use std::net::Ipv4Addr;

use super::netlink::{Attributes, Refusal, Request, Socket, u32_at};
use crate::address::{Address, Prefix};
use crate::flags::Kind;

/// Bytes of struct ifaddrmsg: family, prefix length, flags, scope, and the interface's index.
const IFADDRMSG: usize = 8;
const INDEX_AT: usize = 4;
const FAMILY: u8 = libc::AF_INET as u8;

pub(super) fn list(netlink: &Socket, index: u32) -> std::result::Result<Vec<Address>, Refusal> {
    let request = Request::new(libc::RTM_GETADDR, libc::NLM_F_DUMP, &ifaddrmsg(0, 0));
    let bodies = netlink.ask(&request)?;
    Ok(bodies
        .iter()
        .filter(|body| u32_at(body, INDEX_AT) == Some(index))
        .filter_map(|body| parse(body))
        .collect())
}

/// On a TAP with the broadcast address of its network, as ifconfig does; a point-to-point link has none.
pub(super) fn add(
    netlink: &Socket,
    index: u32,
    kind: Kind,
    address: &Address,
) -> std::result::Result<(), Refusal> {
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let request = request(libc::RTM_NEWADDR, flags, index, address);
    netlink.change(&match address.broadcast() {
        Some(broadcast) if kind == Kind::Tap => request.attribute(libc::IFA_BROADCAST, &broadcast.octets()),
        _ => request,
    })
}

pub(super) fn remove(netlink: &Socket, index: u32, address: &Address) -> std::result::Result<(), Refusal> {
    netlink.change(&request(libc::RTM_DELADDR, libc::NLM_F_ACK, index, address))
}

fn request(kind: u16, flags: i32, index: u32, address: &Address) -> Request {
    let far_end = address.peer.unwrap_or(address.local);
    Request::new(kind, flags, &ifaddrmsg(address.prefix.bits(), index))
        .attribute(libc::IFA_LOCAL, &address.local.octets())
        .attribute(libc::IFA_ADDRESS, &far_end.octets())
}

fn ifaddrmsg(prefix: u8, index: u32) -> Vec<u8> {
    [FAMILY, prefix, 0, 0].into_iter().chain(index.to_ne_bytes()).collect()
}

fn parse(body: &[u8]) -> Option<Address> {
    let attributes = Attributes(body.get(IFADDRMSG..)?);
    let ipv4 = |kind| {
        let octets: [u8; 4] = attributes.get(kind)?.try_into().ok()?;
        Some(Ipv4Addr::from(octets))
    };
    let (local, far_end) = (ipv4(libc::IFA_LOCAL)?, ipv4(libc::IFA_ADDRESS));
    Some(Address {
        local,
        peer: far_end.filter(|far_end| *far_end != local),
        prefix: body.get(1).copied().and_then(Prefix::new)?,
    })
}
