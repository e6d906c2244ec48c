// SPDX-License-Identifier: MIT
//! The interface: its state in the list of interfaces (sysctl), and the ioctls that change it.

use std::ffi::{c_int, c_ulong};
use std::os::fd::AsFd;

use super::layout::*;
use super::message::{self, Message, request};
use super::{address, kernel};
use crate::model::assigned::Assigned;
use crate::model::error::Errno;
use crate::model::flags::{Kind, Mode};
use crate::model::link::{Link, Mac, Stats, Tuntap};
use crate::model::name::Name;
use crate::sys::Outcome;
use crate::sys::bytes::{u16_at, u32_at, u64_at};

/// An interface with its addresses.
#[derive(Clone)]
pub(super) struct Present {
    pub(super) link: Link,
    pub(super) addresses: Vec<Assigned>,
    /// Its addresses have a peer, and no broadcast address.
    pub(super) point_to_point: bool,
}

/// Lists the interface with this index, or all interfaces for 0.
pub(super) fn survey(index: u32) -> Outcome<Vec<Present>> {
    let index = c_int::try_from(index).map_err(|_| Errno::ENXIO)?;
    kernel::sysctl(&[CTL_NET, PF_ROUTE, 0, 0, NET_RT_IFLIST2, index]).map(|bytes| parse(&bytes))
}

pub(super) fn by_index(index: u32) -> Outcome<Present> {
    survey(index)?.into_iter().find(|present| present.link.index == index).ok_or(Errno::ENXIO)
}

pub(super) fn by_name(name: &Name) -> Outcome<Present> {
    survey(0)?.into_iter().find(|present| present.link.name == *name).ok_or(Errno::ENXIO)
}

/// Lists the TUN and TAP devices.
pub(super) fn list() -> Outcome<Vec<Link>> {
    let all = survey(0)?.into_iter().map(|present| present.link);
    Ok(all.filter(|link| link.tuntap.is_some()).collect())
}

fn parse(mut bytes: &[u8]) -> Vec<Present> {
    let mut found: Vec<Present> = Vec::new();
    while let Some(message) = Message::take(&mut bytes) {
        match (message.kind, found.last_mut()) {
            (RTM_IFINFO2, _) => found.extend(parse_link(&message)),
            (RTM_NEWADDR, Some(present)) => {
                present.addresses.extend(address::parse(&message, present.point_to_point));
            }
            _ => {}
        }
    }
    found
}

fn parse_link(message: &Message<'_>) -> Option<Present> {
    let number = |at| u32_at(message.bytes, at);
    let count = |at| u64_at(message.bytes, at).unwrap_or(0);
    let addresses = message.addresses(IF_MSGHDR2_SIZE, IF_MSGHDR2_ADDRS);
    let (name, mac) = addresses.get(RTA_IFP).and_then(message::link)?;
    let flags = number(IF_MSGHDR2_FLAGS)?;
    let link = Link {
        index: u16_at(message.bytes, IF_MSGHDR2_INDEX)?.into(),
        name,
        up: flags & IFF_UP != 0,
        carrier: flags & IFF_RUNNING != 0,
        mtu: number(IF_MSGHDR2_MTU)?,
        mtu_range: None,
        mac: mac.map(Mac::reported),
        alias: Vec::new(),
        tx_queue_length: number(IF_MSGHDR2_SND_MAXLEN).unwrap_or(0),
        stats: Stats {
            rx_packets: count(IF_MSGHDR2_IPACKETS),
            tx_packets: count(IF_MSGHDR2_OPACKETS),
            rx_bytes: count(IF_MSGHDR2_IBYTES),
            tx_bytes: count(IF_MSGHDR2_OBYTES),
            rx_errors: count(IF_MSGHDR2_IERRORS),
            tx_errors: count(IF_MSGHDR2_OERRORS),
            rx_dropped: count(IF_MSGHDR2_IQDROPS),
            tx_dropped: number(IF_MSGHDR2_SND_DROPS).unwrap_or(0).into(),
        },
        master: None,
        ipv6: None,
        tuntap: kind_of(&name).map(tuntap),
    };
    Some(Present { link, addresses: Vec::new(), point_to_point: flags & IFF_POINTOPOINT != 0 })
}

/// The kind of the device with this name. No other driver uses these two names.
fn kind_of(name: &Name) -> Option<Kind> {
    let is = |driver| number_in(name.as_bytes(), driver).is_some();
    if is("utun") {
        Some(Kind::Tun)
    } else if is("feth") {
        Some(Kind::Tap)
    } else {
        None
    }
}

fn tuntap(kind: Kind) -> Tuntap {
    Tuntap { mode: Mode::plain(kind), persist: false, queues: 1, owner: None, group: None }
}

/// The number after the name of the driver in the name of an interface. The kernel writes no leading zeros.
pub(super) fn number_in(name: &[u8], driver: &str) -> Option<u32> {
    let digits = name.strip_prefix(driver.as_bytes())?;
    let number: u32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == digits).then_some(number)
}

/// Makes an ioctl on this interface, and returns its argument.
fn query<const SIZE: usize>(name: &Name, number: c_ulong, value: &[u8]) -> Outcome<[u8; SIZE]> {
    let control = kernel::socket(AF_INET, SOCK_DGRAM, 0)?;
    let mut request = request(name.as_bytes(), value);
    kernel::ioctl(control.as_fd(), number, &mut request)?;
    Ok(request)
}

fn change(name: &Name, number: c_ulong, value: &[u8]) -> Outcome<()> {
    query::<IFREQ_SIZE>(name, number, value).map(drop)
}

/// Sets or clears IFF_UP. The ioctl writes all flags, so they are read first.
pub(super) fn set_up(name: &Name, up: bool) -> Outcome<()> {
    let answer: [u8; IFREQ_SIZE] = query(name, SIOCGIFFLAGS, &[])?;
    let flags = u16_at(&answer, IFREQ_VALUE).unwrap_or(0);
    let bit = IFF_UP as u16;
    let flags = if up { flags | bit } else { flags & !bit };
    change(name, SIOCSIFFLAGS, &flags.to_ne_bytes())
}

pub(super) fn set_mtu(name: &Name, mtu: u32) -> Outcome<()> {
    change(name, SIOCSIFMTU, &mtu.to_ne_bytes())
}

/// The limits of the MTU of a feth.
pub(super) fn mtu_range(name: &Name) -> Outcome<(u32, u32)> {
    let answer: [u8; IFREQ_SIZE] = query(name, SIOCGIFDEVMTU, &[])?;
    u32_at(&answer, IFREQ_MTU_MIN).zip(u32_at(&answer, IFREQ_MTU_MAX)).ok_or(Errno::EPROTO)
}

pub(super) fn set_mac(name: &Name, mac: Mac) -> Outcome<()> {
    let octets = mac.octets();
    let head = [octets.len() as u8, AF_LINK as u8];
    change(name, SIOCSIFLLADDR, &[&head[..], &octets[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_as_the_kernel_writes_them_are_parsed() {
        assert_eq!(number_in(b"utun0", "utun"), Some(0));
        assert_eq!(number_in(b"utun4294967295", "utun"), Some(u32::MAX));
        for wrong in ["utun", "utun07", "utun+7", "utun-1", "utun4294967296", "utun7x", "tun7", "UTUN7"] {
            assert_eq!(number_in(wrong.as_bytes(), "utun"), None, "{wrong}");
        }
    }
}
