// SPDX-License-Identifier: MIT
//! The interface itself: RTM_GETLINK and RTM_SETLINK.

use super::netlink::{Attributes, Refusal, Request, Socket, u32_at};
use crate::error::{Errno, Result};
use crate::flags::{Kind, Mode};
use crate::link::{Link, Mac, Tuntap};
use crate::name::Name;

/// Attributes of linux/if_link.h that libc does not have.
mod ifla {
    pub(super) const INFO_DATA: u16 = 2;
    pub(super) const MIN_MTU: u16 = 50;
    pub(super) const MAX_MTU: u16 = 51;
    pub(super) const TUN_OWNER: u16 = 1;
    pub(super) const TUN_GROUP: u16 = 2;
    pub(super) const TUN_TYPE: u16 = 3;
    pub(super) const TUN_PI: u16 = 4;
    pub(super) const TUN_VNET_HDR: u16 = 5;
    pub(super) const TUN_PERSIST: u16 = 6;
    pub(super) const TUN_MULTI_QUEUE: u16 = 7;
}

/// Bytes of struct ifinfomsg: family, type, index, flags, and which of the flags are meant.
const IFINFOMSG: usize = 16;
const INDEX_AT: usize = 4;
const FLAGS_AT: usize = 8;
const UP: u32 = libc::IFF_UP as u32;

pub(super) fn by_index(netlink: &Socket, index: u32) -> Result<Link> {
    get(netlink, &get_request(index)).map_err(|no| no.error("ask for the state of the device"))
}

pub(super) fn by_name(netlink: &Socket, name: &Name) -> Result<Link> {
    let text: Vec<u8> = name.as_bytes().iter().copied().chain([0]).collect();
    get(netlink, &get_request(0).attribute(libc::IFLA_IFNAME, &text))
        .map_err(|no| no.error(&format!("ask for the state of {name}")))
}

pub(super) fn set_up(netlink: &Socket, index: u32, up: bool) -> std::result::Result<(), Refusal> {
    netlink.change(&set_request(index, if up { UP } else { 0 }, UP))
}

pub(super) fn set_mtu(netlink: &Socket, index: u32, mtu: u32) -> std::result::Result<(), Refusal> {
    netlink.change(&set_request(index, 0, 0).attribute(libc::IFLA_MTU, &mtu.to_ne_bytes()))
}

pub(super) fn set_mac(netlink: &Socket, index: u32, mac: Mac) -> std::result::Result<(), Refusal> {
    netlink.change(&set_request(index, 0, 0).attribute(libc::IFLA_ADDRESS, &mac.octets()))
}

fn get_request(index: u32) -> Request {
    Request::new(libc::RTM_GETLINK, libc::NLM_F_ACK, &ifinfomsg(index, 0, 0))
}

fn set_request(index: u32, flags: u32, change: u32) -> Request {
    Request::new(libc::RTM_SETLINK, libc::NLM_F_ACK, &ifinfomsg(index, flags, change))
}

fn ifinfomsg(index: u32, flags: u32, change: u32) -> Vec<u8> {
    [0, index, flags, change].iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn get(netlink: &Socket, request: &Request) -> std::result::Result<Link, Refusal> {
    let bodies = netlink.ask(request)?;
    Ok(bodies.first().and_then(|body| parse(body)).ok_or(Errno::EPROTO)?)
}

fn parse(body: &[u8]) -> Option<Link> {
    let attributes = Attributes(body.get(IFINFOMSG..)?);
    let number = |kind| attributes.get(kind).and_then(|value| u32_at(value, 0));
    let name = attributes.get(libc::IFLA_IFNAME)?.split(|byte| *byte == 0).next()?;
    let mac = attributes.get(libc::IFLA_ADDRESS).and_then(|value| value.try_into().ok());
    Some(Link {
        index: u32_at(body, INDEX_AT)?,
        name: Name::new(name).ok()?,
        up: u32_at(body, FLAGS_AT)? & UP != 0,
        mtu: number(libc::IFLA_MTU)?,
        mtu_range: number(ifla::MIN_MTU).zip(number(ifla::MAX_MTU)).filter(|(_, most)| *most != 0),
        mac: mac.map(Mac::reported),
        tuntap: parse_tuntap(attributes.nested(libc::IFLA_LINKINFO)),
    })
}

/// What the driver tells since Linux 4.17.
fn parse_tuntap(info: Attributes<'_>) -> Option<Tuntap> {
    if info.get(libc::IFLA_INFO_KIND)?.strip_suffix(b"\0")? != b"tun" {
        return None;
    }
    let data = info.nested(ifla::INFO_DATA);
    let number = |kind| data.get(kind).and_then(|value| u32_at(value, 0));
    let on = |kind| data.get(kind).is_some_and(|value| value.first() != Some(&0));
    let kind = match i32::from(*data.get(ifla::TUN_TYPE)?.first()?) {
        libc::IFF_TUN => Kind::Tun,
        libc::IFF_TAP => Kind::Tap,
        _ => return None,
    };
    Some(Tuntap {
        mode: Mode {
            kind,
            pi: on(ifla::TUN_PI),
            multi_queue: on(ifla::TUN_MULTI_QUEUE),
            vnet_hdr: on(ifla::TUN_VNET_HDR),
        },
        persist: on(ifla::TUN_PERSIST),
        owner: number(ifla::TUN_OWNER),
        group: number(ifla::TUN_GROUP),
    })
}
