// SPDX-License-Identifier: MIT
//! Messages about an interface, RTM_NEWLINK and RTM_DELLINK: struct ifinfomsg, and its attributes.

use super::message::{Attributes, Message};
use crate::model::flags::{Kind, Mode};
use crate::model::ipv6::Settings;
use crate::model::link::{Link, Mac, Stats, Tuntap};
use crate::model::name::Name;
use crate::sys::bytes::{u32_at, u64_at};

/// Attributes of linux/if_link.h that libc does not have for every target.
mod ifla {
    pub(super) const STATS64: u16 = 23;
    pub(super) const CARRIER: u16 = 33;
    pub(super) const NEW_NETNSID: u16 = 45;
    pub(super) const NEW_IFINDEX: u16 = 49;
    pub(super) const MIN_MTU: u16 = 50;
    pub(super) const MAX_MTU: u16 = 51;
    pub(super) const INFO_DATA: u16 = 2;
    pub(super) const TUN_OWNER: u16 = 1;
    pub(super) const TUN_GROUP: u16 = 2;
    pub(super) const TUN_TYPE: u16 = 3;
    pub(super) const TUN_PI: u16 = 4;
    pub(super) const TUN_VNET_HDR: u16 = 5;
    pub(super) const TUN_PERSIST: u16 = 6;
    pub(super) const TUN_MULTI_QUEUE: u16 = 7;
    pub(super) const TUN_NUM_QUEUES: u16 = 8;
    pub(super) const TUN_NUM_DISABLED_QUEUES: u16 = 9;
}

/// linux/if_link.h; libc does not have them for every target.
pub(super) const AF_INET6: u16 = libc::AF_INET6 as u16;
pub(super) const IFLA_AF_SPEC: u16 = 26;
pub(super) const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IFLA_INET6_CONF: u16 = 2;
/// linux/ipv6.h: indices in IFLA_INET6_CONF, an array of numbers of 4 bytes.
const DEVCONF_ACCEPT_RA: usize = 3;
const DEVCONF_DISABLE_IPV6: usize = 26;

/// Size of struct ifinfomsg: family, type, index, flags, and the mask of the flags to change.
const IFINFOMSG: usize = 16;
const INDEX_AT: usize = 4;
const FLAGS_AT: usize = 8;
pub(super) const UP: u32 = libc::IFF_UP as u32;

pub(super) fn ifinfomsg(index: u32, flags: u32, which: u32) -> [u8; IFINFOMSG] {
    let mut message = [0; IFINFOMSG];
    for (to, word) in message.chunks_exact_mut(4).zip([0, index, flags, which]) {
        to.copy_from_slice(&word.to_ne_bytes());
    }
    message
}

/// Whether the message is about the interface itself. A bridge sends RTM_NEWLINK and RTM_DELLINK with family AF_BRIDGE
/// about its ports: RTM_DELLINK then means that a port leaves the bridge, and the interface still exists.
pub(super) fn is_of_interface(message: &Message<'_>) -> bool {
    message.is_of_family(libc::AF_UNSPEC)
}

/// Whether an interface leaves its namespace.
pub(super) fn is_departure(message: &Message<'_>) -> bool {
    message.kind == libc::RTM_DELLINK && is_of_interface(message)
}

/// Whether an interface that leaves its namespace was moved to another one.
pub(super) fn is_moved(body: &[u8]) -> bool {
    let attributes = attributes(body);
    attributes.get(ifla::NEW_NETNSID).or(attributes.get(ifla::NEW_IFINDEX)).is_some()
}

/// Parses a message: the interface, without its alias.
pub(super) fn parse(body: &[u8]) -> Option<Link> {
    let attributes = Attributes(body.get(IFINFOMSG..)?);
    let name = attributes.get(libc::IFLA_IFNAME)?.split(|byte| *byte == 0).next()?;
    let mac = attributes.get(libc::IFLA_ADDRESS).and_then(|value| value.try_into().ok());
    let range = attributes.u32(ifla::MIN_MTU).zip(attributes.u32(ifla::MAX_MTU));
    Some(Link {
        index: u32_at(body, INDEX_AT)?,
        name: Name::new(name).ok()?,
        up: u32_at(body, FLAGS_AT)? & UP != 0,
        carrier: attributes.get(ifla::CARRIER).is_some_and(|value| value != [0]),
        mtu: attributes.u32(libc::IFLA_MTU)?,
        mtu_range: range.filter(|(_, most)| *most != 0),
        mac: mac.map(Mac::reported),
        alias: Vec::new(),
        tx_queue_length: attributes.u32(libc::IFLA_TXQLEN).unwrap_or(0),
        stats: parse_stats(attributes.get(ifla::STATS64).unwrap_or_default()),
        master: attributes.u32(libc::IFLA_MASTER),
        ipv6: parse_ipv6(attributes),
        tuntap: parse_tuntap(attributes.nested(libc::IFLA_LINKINFO)),
    })
}

/// The alias in a message.
pub(super) fn alias(body: &[u8]) -> &[u8] {
    let alias = attributes(body).get(libc::IFLA_IFALIAS).unwrap_or_default();
    alias.strip_suffix(b"\0").unwrap_or(alias)
}

fn attributes(body: &[u8]) -> Attributes<'_> {
    Attributes(body.get(IFINFOMSG..).unwrap_or_default())
}

/// The first counters of struct rtnl_link_stats64.
fn parse_stats(counters: &[u8]) -> Stats {
    let count = |index: usize| u64_at(counters, index.saturating_mul(8)).unwrap_or(0);
    Stats {
        rx_packets: count(0),
        tx_packets: count(1),
        rx_bytes: count(2),
        tx_bytes: count(3),
        rx_errors: count(4),
        tx_errors: count(5),
        rx_dropped: count(6),
        tx_dropped: count(7),
    }
}

/// The attributes of a TUN or TAP device, which the driver reports since Linux 4.17.
fn parse_tuntap(info: Attributes<'_>) -> Option<Tuntap> {
    if info.get(libc::IFLA_INFO_KIND)?.strip_suffix(b"\0")? != b"tun" {
        return None;
    }
    let data = info.nested(ifla::INFO_DATA);
    let on = |kind| data.get(kind).is_some_and(|value| value.first() != Some(&0));
    let number = |kind| data.u32(kind).unwrap_or(0);
    let kind = match i32::from(*data.get(ifla::TUN_TYPE)?.first()?) {
        libc::IFF_TUN => Kind::Tun,
        libc::IFF_TAP => Kind::Tap,
        _ => return None,
    };
    Some(Tuntap {
        mode: Mode {
            pi: on(ifla::TUN_PI),
            multi_queue: on(ifla::TUN_MULTI_QUEUE),
            offload: on(ifla::TUN_VNET_HDR),
            ..Mode::plain(kind)
        },
        persist: on(ifla::TUN_PERSIST),
        queues: number(ifla::TUN_NUM_QUEUES).saturating_add(number(ifla::TUN_NUM_DISABLED_QUEUES)),
        owner: data.u32(ifla::TUN_OWNER),
        group: data.u32(ifla::TUN_GROUP),
    })
}

/// The settings in a message about an interface. None if it has no IPv6.
fn parse_ipv6(link: Attributes<'_>) -> Option<Settings> {
    let attributes = link.nested(IFLA_AF_SPEC).nested(AF_INET6);
    let conf = attributes.get(IFLA_INET6_CONF)?;
    let number = |index: usize| u32_at(conf, index.saturating_mul(4));
    Some(Settings {
        accept_ra: number(DEVCONF_ACCEPT_RA)?,
        addr_gen_mode: attributes.get(IFLA_INET6_ADDR_GEN_MODE)?.first().copied()?.into(),
        disable: number(DEVCONF_DISABLE_IPV6)?,
    })
}
