// SPDX-License-Identifier: MIT
//! The interface itself: RTM_GETLINK and RTM_SETLINK.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::result::Result;

use super::message::{Attributes, Refusal, Request};
use super::netlink::Socket;
use super::{ids, ioctl, ipv6, node};
use crate::model::error::{Errno, Error};
use crate::model::flags::{Kind, Mode};
use crate::model::link::{Link, Mac, Stats, Tuntap};
use crate::model::memory;
use crate::model::name::Name;
use crate::sys::bytes::{u32_at, u64_at};
use crate::sys::{Change, Outcome};

/// Attributes of linux/if_link.h that libc does not have for every target.
mod ifla {
    pub(super) const STATS64: u16 = 23;
    pub(super) const NET_NS_FD: u16 = 28;
    pub(super) const CARRIER: u16 = 33;
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

/// Size of struct ifinfomsg: family, type, index, flags, and the mask of the flags to change.
const IFINFOMSG: usize = 16;
const INDEX_AT: usize = 4;
const FLAGS_AT: usize = 8;
const UP: u32 = libc::IFF_UP as u32;

pub(super) fn by_index(netlink: &mut Socket, index: u32) -> Result<Link, Error> {
    query(netlink, index).map_err(|refusal| refusal.error("query the state of the device"))
}

/// As [`by_index`], for any interface.
pub(super) fn query(netlink: &mut Socket, index: u32) -> Result<Link, Refusal> {
    get(netlink, &get_request(index))
}

pub(super) fn by_name(netlink: &mut Socket, name: &Name) -> Result<Link, Error> {
    get(netlink, &get_request(0).attribute(libc::IFLA_IFNAME, &name.with_nul()))
        .map_err(|refusal| refusal.error(format_args!("query the state of {name}")))
}

/// The index of the interface with this name, in the namespace of the socket.
pub(super) fn index_of(socket: BorrowedFd<'_>, name: &Name) -> Outcome<u32> {
    let mut request = node::request(name.as_bytes(), 0);
    // SAFETY: the kernel reads and writes one ifreq, and sets its index.
    let index = unsafe {
        ioctl::siocgifindex(socket.as_raw_fd(), &mut request)?;
        request.ifr_ifru.ifru_ifindex
    };
    Ok(index.unsigned_abs())
}

/// The name of the interface with this index, in the namespace of the socket.
pub(super) fn name_of(socket: BorrowedFd<'_>, index: u32) -> Outcome<Name> {
    let mut request = node::request(b"", 0);
    request.ifr_ifru.ifru_ifindex = index as c_int;
    // SAFETY: the kernel reads and writes one ifreq.
    unsafe { ioctl::siocgifname(socket.as_raw_fd(), &mut request) }?;
    node::name_in(&request)
}

/// Requests all interfaces.
pub(super) fn list_request() -> Request {
    Request::new(libc::RTM_GETLINK, libc::NLM_F_DUMP, &ifinfomsg(0, 0, 0))
}

/// The TUN and TAP devices.
pub(super) fn list(netlink: &mut Socket) -> Result<Vec<Link>, Error> {
    netlink
        .query(&list_request(), |body| Ok(parse(body).filter(|link| link.tuntap.is_some())))
        .map_err(|refusal| refusal.error("list the TUN and TAP devices"))
}

/// Packets of the longest queue: the driver allocates at most 4 MB for it.
const MAX_QUEUE: u32 = 524_288;

pub(super) fn change(netlink: &mut Socket, index: u32, change: &Change<'_>) -> Result<(), Refusal> {
    let request =
        |flags, which| Request::new(libc::RTM_SETLINK, libc::NLM_F_ACK, &ifinfomsg(index, flags, which));
    let with = |kind, value: &[u8]| request(0, 0).attribute(kind, value);
    let refused = |refusal: Refusal| match change {
        // The driver's failure to allocate the queue comes out as NOTIFY_BAD, which is EPERM.
        Change::TxQueueLength(packets)
            if *packets > MAX_QUEUE && refusal.errno == Errno::EPERM && ids::is_net_admin() =>
        {
            Errno::ENOMEM.into()
        }
        // Before Linux 6.2 (dev_change_name). Later kernels return EEXIST if the name is in use, and never EBUSY.
        Change::Name(_) if refusal.errno == Errno::EBUSY => {
            refusal.with_text("the device is up, and Linux renames it only since 6.2: use tuntap_down")
        }
        _ => refusal,
    };
    let changed = netlink.change(&match change {
        Change::Up(up) => request(if *up { UP } else { 0 }, UP),
        Change::Mtu(mtu) => with(libc::IFLA_MTU, &mtu.to_ne_bytes()),
        Change::Mac(mac) => with(libc::IFLA_ADDRESS, &mac.octets()),
        Change::Name(name) => with(libc::IFLA_IFNAME, &name.with_nul()),
        Change::Alias(alias) => with(libc::IFLA_IFALIAS, alias.as_bytes()),
        Change::Master(master) => {
            with(libc::IFLA_MASTER, &master.map_or(0, |(index, _)| index).to_ne_bytes())
        }
        Change::TxQueueLength(packets) => with(libc::IFLA_TXQLEN, &packets.to_ne_bytes()),
        Change::Namespace(namespace) => with(ifla::NET_NS_FD, &namespace.fd().as_raw_fd().to_ne_bytes()),
    });
    changed.map_err(refused)
}

fn get_request(index: u32) -> Request {
    Request::new(libc::RTM_GETLINK, 0, &ifinfomsg(index, 0, 0))
}

pub(super) fn ifinfomsg(index: u32, flags: u32, which: u32) -> [u8; IFINFOMSG] {
    let mut message = [0; IFINFOMSG];
    for (place, word) in message.chunks_exact_mut(4).zip([0, index, flags, which]) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    message
}

fn get(netlink: &mut Socket, request: &Request) -> Result<Link, Refusal> {
    let links = netlink.query(request, |body| {
        let Some(link) = parse(body) else { return Ok(None) };
        Ok(Some(Link { alias: memory::copy(parse_alias(body))?, ..link }))
    })?;
    Ok(links.into_iter().next().ok_or(Errno::EPROTO)?)
}

/// Parses an RTM_NEWLINK or RTM_DELLINK message: the interface, without its alias.
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
        ipv6: ipv6::parse(attributes),
        tuntap: parse_tuntap(attributes.nested(libc::IFLA_LINKINFO)),
    })
}

fn parse_alias(body: &[u8]) -> &[u8] {
    let attributes = Attributes(body.get(IFINFOMSG..).unwrap_or_default());
    let alias = attributes.get(libc::IFLA_IFALIAS).unwrap_or_default();
    alias.strip_suffix(b"\0").unwrap_or(alias)
}

/// The first counters of struct rtnl_link_stats64.
fn parse_stats(counters: &[u8]) -> Stats {
    let count = |place: usize| u64_at(counters, place.saturating_mul(8)).unwrap_or(0);
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
