// SPDX-License-Identifier: MIT
//! Messages about interfaces, addresses and routes, in the format of rtsock.c.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::interface::{Assigned, Interface, bits, network};
use super::routes::{Destination, Entry};
use super::utun::SEND_QUEUE;
use crate::sys::darwin::layout::*;

/// A multicast group membership, which readers skip.
const RTM_NEWMADDR2: u8 = 0x13;

fn ip(ip: IpAddr, index: u32) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => [&[16, 2, 0, 0][..], &ip.octets(), &[0; 8]].concat(),
        IpAddr::V6(ip) => {
            let mut octets = ip.octets();
            // netinet6/scope6.c: a link-local address contains the index of its interface.
            if ip.is_unicast_link_local() {
                octets[2..4].copy_from_slice(&(index as u16).to_be_bytes());
            }
            [&[28, 30, 0, 0, 0, 0, 0, 0][..], &octets, &[0; 4]].concat()
        }
    }
}

/// in.c, in_socktrim: truncated after the last nonzero byte. Masks of IPv6 routes are truncated in the same way.
fn mask(family: IpAddr, prefix: u8, cut: bool) -> Vec<u8> {
    let mut mask = match family {
        IpAddr::V4(_) => {
            ip(Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)).into(), 0)
        }
        IpAddr::V6(_) => {
            ip(Ipv6Addr::from_bits(u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)).into(), 0)
        }
    };
    if cut {
        mask[1] = 0;
        let end = mask.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        mask.truncate(if end == 0 { 0 } else { end + 1 });
        match mask.first_mut() {
            Some(length) => *length = end as u8 + 1,
            None => mask = vec![0; 4],
        }
        if prefix == 0 {
            mask = vec![0; 4];
        }
    }
    mask
}

fn link(interface: &Interface) -> Vec<u8> {
    let mac = interface.mac.map(Vec::from).unwrap_or_default();
    let name = interface.name.as_bytes();
    let index = (interface.index as u16).to_ne_bytes();
    let mut sockaddr = vec![0, 18, index[0], index[1], 6, name.len() as u8, mac.len() as u8, 0];
    sockaddr.extend(name);
    sockaddr.extend(mac);
    sockaddr.resize(sockaddr.len().max(20), 0);
    sockaddr[0] = sockaddr.len() as u8;
    sockaddr
}

/// A message: its header, followed by its sockaddrs.
fn message(
    kind: u8,
    size: usize,
    sockaddrs: &[(u32, Vec<u8>)],
    mask_at: usize,
    fields: &[(usize, &[u8])],
) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let mask = sockaddrs.iter().fold(0, |mask, (bit, _)| mask | bit);
    for (_, sockaddr) in sockaddrs {
        bytes.extend(sockaddr);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    let length = (bytes.len() as u16).to_ne_bytes();
    for (at, value) in [(0, &length[..]), (2, &[5][..]), (3, &[kind][..]), (mask_at, &mask.to_ne_bytes()[..])]
        .into_iter()
        .chain(fields.iter().copied())
    {
        bytes[at..at + value.len()].copy_from_slice(value);
    }
    bytes
}

fn flags(interface: &Interface) -> u32 {
    let flag = |on, flag| if on { flag } else { 0 };
    flag(interface.up, IFF_UP)
        | flag(interface.running, IFF_RUNNING)
        | flag(interface.point_to_point, IFF_POINTOPOINT)
}

/// sysctl_iflist2: the interface, its addresses, and its multicast groups.
pub(super) fn survey(interface: &Interface) -> Vec<u8> {
    let index = (interface.index as u16).to_ne_bytes();
    let mut bytes = message(
        RTM_IFINFO2,
        IF_MSGHDR2_SIZE,
        &[(RTA_IFP, link(interface))],
        IF_MSGHDR2_ADDRS,
        &[
            (IF_MSGHDR2_FLAGS, &flags(interface).to_ne_bytes()),
            (IF_MSGHDR2_INDEX, &index),
            (IF_MSGHDR2_MTU, &interface.mtu.to_ne_bytes()),
            (IF_MSGHDR2_SND_MAXLEN, &(SEND_QUEUE as u32).to_ne_bytes()),
            (IF_MSGHDR2_IPACKETS, &(interface.received.len() as u64).to_ne_bytes()),
        ],
    );
    for assigned in &interface.addresses {
        bytes.extend(address(interface, assigned, true));
    }
    let group = ip("224.0.0.1".parse().unwrap(), 0);
    bytes.extend(message(
        RTM_NEWMADDR2,
        20,
        &[(RTA_IFP, link(interface)), (RTA_IFA, group)],
        4,
        &[(12, &index)],
    ));
    bytes
}

/// rtsock.c, rt_newaddrmsg.
pub(super) fn address(interface: &Interface, assigned: &Assigned, present: bool) -> Vec<u8> {
    let kind = if present { RTM_NEWADDR } else { RTM_DELADDR };
    let local = assigned.local;
    let mut sockaddrs = vec![
        (RTA_NETMASK, mask(local, assigned.prefix, local.is_ipv4())),
        (RTA_IFA, ip(local, interface.index)),
    ];
    match assigned.other {
        Some(other) => sockaddrs.push((RTA_BRD, ip(other, interface.index))),
        // in6.c: on a point-to-point interface without a peer the family is AF_UNSPEC.
        None if interface.point_to_point => {
            sockaddrs.push((RTA_BRD, vec![28; 1].into_iter().chain([0; 27]).collect()))
        }
        None => {}
    }
    let index = (interface.index as u16).to_ne_bytes();
    message(kind, IFA_MSGHDR_SIZE, &sockaddrs, IFA_MSGHDR_ADDRS, &[(IFA_MSGHDR_INDEX, &index)])
}

/// rtsock.c, rt_ifmsg.
pub(super) fn link_changed(interface: &Interface) -> Vec<u8> {
    message(
        RTM_IFINFO,
        IF_MSGHDR_SIZE,
        &[],
        4,
        &[
            (IF_MSGHDR_FLAGS, &flags(interface).to_ne_bytes()),
            (IF_MSGHDR_INDEX, &(interface.index as u16).to_ne_bytes()),
            (IF_MSGHDR_MTU, &interface.mtu.to_ne_bytes()),
        ],
    )
}

/// sysctl_dumpentry.
pub(super) fn route(destination: &Destination, entry: &Entry, interface: &Interface) -> Vec<u8> {
    let sockaddrs = sockaddrs(destination, entry, interface);
    route_message(entry, interface, &sockaddrs, entry.flags, 0, 0)
}

/// rtsock.c, route_output: the answer to RTM_GET. It has the interface and its address if the request has one of them.
pub(super) fn found(
    destination: &Destination,
    entry: &Entry,
    interface: &Interface,
    sequence: u32,
    with_interface: bool,
) -> Vec<u8> {
    let mut sockaddrs = sockaddrs(destination, entry, interface);
    if with_interface {
        let index = sockaddrs.iter().take_while(|(bit, _)| *bit < RTA_IFP).count();
        sockaddrs.insert(index, (RTA_IFP, link(interface)));
    } else {
        sockaddrs.retain(|(bit, _)| *bit != RTA_IFA);
    }
    route_message(entry, interface, &sockaddrs, entry.flags | RTF_DONE, sequence, std::process::id())
}

fn sockaddrs(destination: &Destination, entry: &Entry, interface: &Interface) -> Vec<(u32, Vec<u8>)> {
    let to = destination.network;
    let gateway = entry.gateway.map_or_else(|| link(interface), |gateway| ip(gateway, entry.index));
    let mut sockaddrs = vec![(RTA_DST, ip(to, entry.index)), (RTA_GATEWAY, gateway)];
    if destination.prefix != bits(to) {
        sockaddrs.push((RTA_NETMASK, mask(to, destination.prefix, true)));
    }
    // if.c, ifaof_ifpforaddr.
    let near = entry.gateway.unwrap_or(to);
    let fits = |it: &&Assigned| network(it.local, it.prefix) == network(near, it.prefix.min(bits(near)));
    let of_family = || interface.addresses.iter().filter(|it| it.local.is_ipv4() == to.is_ipv4());
    if let Some(assigned) = of_family().find(fits).or_else(|| of_family().next()) {
        sockaddrs.push((RTA_IFA, ip(assigned.local, entry.index)));
    }
    sockaddrs
}

fn route_message(
    entry: &Entry,
    interface: &Interface,
    sockaddrs: &[(u32, Vec<u8>)],
    flags: u32,
    sequence: u32,
    process: u32,
) -> Vec<u8> {
    message(
        RTM_GET,
        RT_MSGHDR_SIZE,
        sockaddrs,
        RT_MSGHDR_ADDRS,
        &[
            (RT_MSGHDR_INDEX, &(entry.index as u16).to_ne_bytes()),
            (RT_MSGHDR_FLAGS, &flags.to_ne_bytes()),
            (RT_MSGHDR_PID, &process.to_ne_bytes()),
            (RT_MSGHDR_SEQ, &sequence.to_ne_bytes()),
            (RT_MSGHDR_MTU, &entry.mtu.unwrap_or(interface.mtu).to_ne_bytes()),
        ],
    )
}

/// dlil.c, dlil_post_msg: struct kern_event_msg, followed by struct net_event_data.
pub(super) fn event(name: &str, subclass: u32, code: u32) -> Vec<u8> {
    let mut data = [0; 24];
    data[8..][..name.len()].copy_from_slice(name.as_bytes());
    let size = (KERN_EVENT_MSG_DATA + data.len()) as u32;
    let header = [size, KEV_VENDOR_APPLE, KEV_NETWORK_CLASS, subclass, 1, code];
    [&header.map(u32::to_ne_bytes).concat()[..], &data].concat()
}
