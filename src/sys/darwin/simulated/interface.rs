// SPDX-License-Identifier: MIT
//! Interfaces of the simulated machine, and their addresses.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;

/// The kernel's state of an interface.
#[derive(Clone, Debug, Default)]
pub(in crate::sys::darwin) struct Interface {
    pub(in crate::sys::darwin) name: String,
    pub(in crate::sys::darwin) index: u32,
    pub(in crate::sys::darwin) up: bool,
    pub(super) running: bool,
    pub(in crate::sys::darwin) mtu: u32,
    pub(in crate::sys::darwin) mac: Option<[u8; 6]>,
    pub(in crate::sys::darwin) addresses: Vec<Assigned>,
    /// Of a feth: the other end of the pair.
    pub(in crate::sys::darwin) peer: Option<String>,
    pub(super) point_to_point: bool,
    /// Families of protocols that are attached: PF_INET, PF_INET6, PF_NDRV.
    pub(super) protocols: BTreeSet<i32>,
    pub(super) received: Vec<Vec<u8>>,
    /// Of a utun: packets that wait for room in its socket, and the limit of the packets in the socket.
    pub(super) sending: VecDeque<Vec<u8>>,
    pub(super) max_pending: u32,
    /// Of a utun: UTUN_OPT_FLAGS, which are set before the connect.
    pub(super) utun_flags: u32,
    /// Of a utun: UTUN_OPT_ENABLE_NETIF was set before the connect.
    pub(super) netif: bool,
    /// Of a utun: its input queue is full.
    pub(super) input_full: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sys::darwin) struct Assigned {
    pub(in crate::sys::darwin) local: IpAddr,
    pub(in crate::sys::darwin) prefix: u8,
    /// The peer address, or the broadcast address.
    pub(in crate::sys::darwin) other: Option<IpAddr>,
    /// IN6_IFF_*.
    pub(in crate::sys::darwin) flags: u32,
}

impl Interface {
    /// if_utun.c, utun_ctl_setup_common and utun_ctl_connect: initially up, point-to-point, with an MTU of 1500. Its
    /// socket keeps one packet.
    pub(super) fn utun(number: i16) -> Self {
        let name = format!("utun{number}");
        Self {
            name,
            up: true,
            running: true,
            mtu: 1500,
            point_to_point: true,
            max_pending: 1,
            ..Self::default()
        }
    }

    /// if_fake.c, feth_clone_create: initially down. Its MAC address is "feth" and its number.
    pub(super) fn feth(number: u32) -> Self {
        let [.., high, low] = number.to_be_bytes();
        let mac = Some([b'f', b'e', b't', b'h', high, low]);
        Self { name: format!("feth{number}"), mtu: 1500, mac, ..Self::default() }
    }

    pub(super) fn is_utun(&self) -> bool {
        self.name.starts_with("utun")
    }

    /// if_var.h, IF_MINMTU and IF_MAXMTU; if_fake.c, FETH_MAX_MTU_DEFAULT.
    pub(super) fn mtus(&self) -> std::ops::RangeInclusive<u32> {
        72..=if self.is_utun() { 65_535 } else { 2048 }
    }

    pub(super) fn find(&self, local: IpAddr) -> Option<usize> {
        self.addresses.iter().position(|assigned| assigned.local == local)
    }
}

/// The network of an address.
pub(super) fn network(ip: IpAddr, prefix: u8) -> IpAddr {
    let family = crate::model::prefix::Family::of(ip);
    crate::model::prefix::Prefix::new(family, prefix).unwrap().network(ip)
}

pub(super) fn bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}
