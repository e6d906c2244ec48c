// SPDX-License-Identifier: MIT
//! The bytes of Darwin's socket addresses, interface requests and routing messages. No system calls.

use std::ffi::c_int;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::layout::*;
use crate::model::name::Name;
use crate::model::prefix::{Family, Prefix};
use crate::sys::bytes::{u16_at, u32_at};

/// Limit of the sockaddrs in a routing message: RTAX_MAX.
const KINDS: usize = 8;

/// The number of an address family.
pub(super) fn number(family: Family) -> c_int {
    match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    }
}

/// Writes bytes at an offset of a structure, which has room for them.
pub(super) fn put(structure: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in structure.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

/// A sockaddr of this family. All other fields are 0.
fn sockaddr(size: usize, family: c_int) -> Vec<u8> {
    let mut address = vec![0; size];
    put(&mut address, 0, &[size as u8]);
    put(&mut address, SOCKADDR_FAMILY, &[family as u8]);
    address
}

pub(super) fn sockaddr_ip(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => {
            let mut address = sockaddr(SOCKADDR_IN_SIZE, AF_INET);
            put(&mut address, SOCKADDR_IN_ADDR, &ip.octets());
            address
        }
        IpAddr::V6(ip) => {
            let mut address = sockaddr(SOCKADDR_IN6_SIZE, AF_INET6);
            put(&mut address, SOCKADDR_IN6_ADDR, &ip.octets());
            address
        }
    }
}

/// As [`sockaddr_ip`] in a routing message, where a link-local address contains the index of its interface.
pub(super) fn sockaddr_scoped(ip: IpAddr, index: u16) -> Vec<u8> {
    match ip {
        IpAddr::V6(local) if local.is_unicast_link_local() => {
            let mut octets = local.octets();
            put(&mut octets, 2, &index.to_be_bytes());
            sockaddr_ip(Ipv6Addr::from(octets).into())
        }
        _ => sockaddr_ip(ip),
    }
}

/// The netmask of a prefix as a sockaddr of its family.
pub(super) fn sockaddr_mask(family: Family, prefix: Prefix) -> Vec<u8> {
    sockaddr_ip(match family {
        Family::V4 => prefix.netmask().into(),
        Family::V6 => prefix.network(Ipv6Addr::from_bits(u128::MAX).into()),
    })
}

/// A sockaddr for the interface with this index.
pub(super) fn sockaddr_link(index: u16) -> Vec<u8> {
    let mut address = sockaddr(SOCKADDR_DL_SIZE, AF_LINK);
    put(&mut address, SOCKADDR_DL_INDEX, &index.to_ne_bytes());
    address
}

/// A sockaddr for a unit of a kernel control.
pub(super) fn sockaddr_control(id: u32, unit: u32) -> Vec<u8> {
    let mut address = sockaddr(SOCKADDR_CTL_SIZE, PF_SYSTEM);
    put(&mut address, SOCKADDR_CTL_SYSADDR, &AF_SYS_CONTROL.to_ne_bytes());
    put(&mut address, SOCKADDR_CTL_ID, &id.to_ne_bytes());
    put(&mut address, SOCKADDR_CTL_UNIT, &unit.to_ne_bytes());
    address
}

/// A sockaddr for an interface that transmits frames.
pub(super) fn sockaddr_ndrv(name: &Name) -> Vec<u8> {
    let mut address = sockaddr(SOCKADDR_NDRV_SIZE, PF_NDRV);
    put(&mut address, SOCKADDR_NDRV_NAME, name.as_bytes());
    address
}

/// A structure that begins with the name of an interface, followed by a value.
pub(super) fn request<const SIZE: usize>(name: &[u8], value: &[u8]) -> [u8; SIZE] {
    let mut request = [0; SIZE];
    put(&mut request, 0, name);
    put(&mut request, IFREQ_VALUE, value);
    request
}

/// The IP address in a sockaddr, which may be truncated after its last nonzero byte.
pub(super) fn ip(sockaddr: &[u8]) -> Option<IpAddr> {
    let family = c_int::from(*sockaddr.get(SOCKADDR_FAMILY)?);
    if family == AF_INET {
        return Some(Ipv4Addr::from(octets(sockaddr, SOCKADDR_IN_ADDR)).into());
    }
    if family != AF_INET6 {
        return None;
    }
    let ip = Ipv6Addr::from(octets(sockaddr, SOCKADDR_IN6_ADDR));
    if !ip.is_unicast_link_local() {
        return Some(ip.into());
    }
    let mut octets = ip.octets();
    put(&mut octets, 2, &[0, 0]);
    Some(Ipv6Addr::from(octets).into())
}

/// The prefix of a netmask. The family field of the mask is meaningless.
pub(super) fn prefix(family: Family, mask: &[u8]) -> Option<Prefix> {
    let bits = match family {
        Family::V4 => {
            let mask = u32::from_be_bytes(octets(mask, SOCKADDR_IN_ADDR));
            (mask.leading_ones() == mask.count_ones()).then(|| mask.leading_ones())
        }
        Family::V6 => {
            let mask = u128::from_be_bytes(octets(mask, SOCKADDR_IN6_ADDR));
            (mask.leading_ones() == mask.count_ones()).then(|| mask.leading_ones())
        }
    };
    Prefix::new(family, u8::try_from(bits?).ok()?)
}

/// Copies `N` bytes. Missing bytes are 0.
fn octets<const N: usize>(sockaddr: &[u8], at: usize) -> [u8; N] {
    let mut octets = [0; N];
    put(&mut octets, 0, sockaddr.get(at..).unwrap_or_default());
    octets
}

/// The name and the hardware address of an interface.
pub(super) fn link(sockaddr: &[u8]) -> Option<(Name, Option<[u8; 6]>)> {
    let length = |at| sockaddr.get(at).copied().map(usize::from);
    let data = sockaddr.get(SOCKADDR_DL_DATA..)?;
    let (name, rest) = data.split_at_checked(length(SOCKADDR_DL_NLEN)?)?;
    let mac = rest.get(..length(SOCKADDR_DL_ALEN)?).and_then(|mac| mac.try_into().ok());
    Some((Name::new(name).ok()?, mac))
}

/// A routing message: its type and all of its bytes.
pub(super) struct Message<'a> {
    pub(super) kind: u8,
    pub(super) bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes the next message. None if no valid message is left.
    pub(super) fn take(bytes: &mut &'a [u8]) -> Option<Self> {
        let length = usize::from(u16_at(bytes, 0)?);
        let (message, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        let kind = *message.get(RT_MSGHDR_TYPE)?;
        // Another version has another layout.
        let known = message.get(RT_MSGHDR_VERSION) == Some(&RTM_VERSION);
        Some(Self { kind: if known { kind } else { 0 }, bytes: message })
    }

    /// The sockaddrs after a header of this size. At `mask_at` the header has the mask of the sockaddrs that are
    /// present.
    pub(super) fn addresses(&self, header: usize, mask_at: usize) -> Addresses<'a> {
        let mut found = Addresses::default();
        let mask = u32_at(self.bytes, mask_at).unwrap_or(0);
        let mut bytes = self.bytes.get(header..).unwrap_or_default();
        for (number, value) in found.0.iter_mut().enumerate() {
            if mask.checked_shr(number as u32).unwrap_or(0) & 1 == 0 {
                continue;
            }
            let Some(length) = bytes.first().copied().map(usize::from) else { break };
            *value = bytes.get(..length);
            let padded = length.max(1).next_multiple_of(MESSAGE_ALIGNMENT);
            bytes = bytes.get(padded..).unwrap_or_default();
        }
        found
    }
}

/// The sockaddrs of a message, by the number of their bit in the mask.
#[derive(Default)]
pub(super) struct Addresses<'a>([Option<&'a [u8]>; KINDS]);

impl<'a> Addresses<'a> {
    /// The sockaddr with this bit: RTA_*.
    pub(super) fn get(&self, bit: u32) -> Option<&'a [u8]> {
        self.0.get(bit.trailing_zeros() as usize).copied().flatten()
    }
}

/// A request about a route: a header, and the sockaddrs with their bits in ascending order. The answer has its sequence
/// number.
pub(super) fn route_message(kind: u8, flags: u32, sequence: u32, sockaddrs: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut message = vec![0; RT_MSGHDR_SIZE];
    let mask = sockaddrs.iter().fold(0, |mask, (bit, _)| mask | bit);
    for (_, sockaddr) in sockaddrs {
        message.extend(sockaddr);
        message.resize(message.len().next_multiple_of(MESSAGE_ALIGNMENT), 0);
    }
    let length = message.len() as u16;
    put(&mut message, 0, &length.to_ne_bytes());
    put(&mut message, RT_MSGHDR_VERSION, &[RTM_VERSION]);
    put(&mut message, RT_MSGHDR_TYPE, &[kind]);
    put(&mut message, RT_MSGHDR_FLAGS, &flags.to_ne_bytes());
    put(&mut message, RT_MSGHDR_ADDRS, &mask.to_ne_bytes());
    put(&mut message, RT_MSGHDR_SEQ, &sequence.to_ne_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(bytes: &[u8], family: Family) -> Option<u8> {
        prefix(family, bytes).map(Prefix::bits)
    }

    #[test]
    fn masks_may_omit_trailing_zeros() {
        // net/radix.c stores masks without trailing zeros.
        assert_eq!(mask(&[0], Family::V4), Some(0));
        assert_eq!(mask(&[7, 255, 0, 0, 255, 255, 255], Family::V4), Some(24));
        assert_eq!(mask(&[5, 0, 0, 0, 0xfe], Family::V4), Some(7));
        assert_eq!(mask(&[8, 0, 0, 0, 255, 255, 255, 255], Family::V4), Some(32));
        assert_eq!(mask(&[8, 0, 0, 0, 255, 0, 255, 0], Family::V4), None);
        assert_eq!(mask(&[9, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0], Family::V6), Some(11));
        for bits in 0..=128 {
            let prefix = Prefix::new(Family::V6, bits).unwrap();
            assert_eq!(mask(&sockaddr_mask(Family::V6, prefix), Family::V6), Some(bits));
        }
    }

    #[test]
    fn the_scope_of_a_link_local_address_is_removed() {
        let local: IpAddr = "fe80::1".parse().unwrap();
        let scoped = sockaddr_scoped(local, 0x0105);
        assert_eq!(scoped[SOCKADDR_IN6_ADDR..][..4], [0xfe, 0x80, 1, 5]);
        assert_eq!(ip(&scoped), Some(local));
        let global: IpAddr = "fd00:1::1".parse().unwrap();
        assert_eq!(ip(&sockaddr_scoped(global, 5)), Some(global));
    }

    #[test]
    fn truncated_messages_are_parsed_safely() {
        let route = route_message(
            RTM_ADD,
            RTF_UP,
            1,
            &[(RTA_DST, sockaddr_ip("10.9.0.0".parse().unwrap())), (RTA_GATEWAY, sockaddr_link(7))],
        );
        for length in 0..route.len() {
            let mut bytes = &route[..length];
            assert!(Message::take(&mut bytes).is_none());
            let cut = Message { kind: RTM_ADD, bytes: &route[..length] };
            let addresses = cut.addresses(RT_MSGHDR_SIZE, RT_MSGHDR_ADDRS);
            addresses.get(RTA_DST).and_then(ip);
            addresses.get(RTA_GATEWAY).and_then(link);
        }
        let message = Message::take(&mut &route[..]).unwrap();
        let addresses = message.addresses(RT_MSGHDR_SIZE, RT_MSGHDR_ADDRS);
        assert_eq!(addresses.get(RTA_DST).and_then(ip), Some("10.9.0.0".parse().unwrap()));
        assert!(addresses.get(RTA_NETMASK).is_none());
        // A length of 0 would make an endless loop.
        assert!(Message::take(&mut &[0_u8; 64][..]).is_none());
    }
}
