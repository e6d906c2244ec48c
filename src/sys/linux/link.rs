// SPDX-License-Identifier: MIT
//! The interface itself: RTM_GETLINK and RTM_SETLINK.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::result::Result;

use super::ifinfo::{self, UP, ifinfomsg};
use super::message::{Refusal, Request};
use super::netlink::Socket;
use super::{ids, ioctl, node};
use crate::model::error::{Errno, Error};
use crate::model::link::Link;
use crate::model::memory;
use crate::model::name::Name;
use crate::sys::{Change, Outcome};

/// linux/if_link.h; libc does not have them for every target.
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_EXT_MASK: u16 = 29;
/// linux/rtnetlink.h: a list without statistics, which no list needs.
const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;

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

/// Requests all interfaces. Only for a request with a mask the kernel allocates as much memory as the longest message
/// needs (rtnl_calcit). Otherwise the list can end before such a message, without an error (rtnl_dumpit).
pub(super) fn list_request() -> Request {
    Request::new(libc::RTM_GETLINK, libc::NLM_F_DUMP, &ifinfomsg(0, 0, 0))
        .attribute(IFLA_EXT_MASK, &RTEXT_FILTER_SKIP_STATS.to_ne_bytes())
}

/// The TUN and TAP devices.
pub(super) fn list(netlink: &mut Socket) -> Result<Vec<Link>, Error> {
    netlink
        .query(&list_request(), |body| Ok(ifinfo::parse(body).filter(|link| link.tuntap.is_some())))
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
        Change::Namespace(namespace) => with(IFLA_NET_NS_FD, &namespace.fd().as_raw_fd().to_ne_bytes()),
    });
    changed.map_err(refused)
}

fn get_request(index: u32) -> Request {
    Request::new(libc::RTM_GETLINK, 0, &ifinfomsg(index, 0, 0))
}

fn get(netlink: &mut Socket, request: &Request) -> Result<Link, Refusal> {
    let links = netlink.query(request, |body| {
        let Some(link) = ifinfo::parse(body) else { return Ok(None) };
        Ok(Some(Link { alias: memory::copy(ifinfo::alias(body))?, ..link }))
    })?;
    Ok(links.into_iter().next().ok_or(Errno::EPROTO)?)
}
