// SPDX-License-Identifier: MIT
//! The system calls.

use std::collections::VecDeque;
use std::ffi::{CStr, c_int, c_ulong};
use std::io::IoSlice;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::sys::stat::fstat;

use super::interface::{Assigned, Interface, bits, network};
use super::machine::{Bpf, Inode, Open, Role, State, with};
use super::messages;
use super::routes::Destination;
use crate::error::Errno;
use crate::name::Name;
use crate::prefix::Family;
use crate::sys::Outcome;
use crate::sys::bytes::{u16_at, u32_at};
use crate::sys::darwin::layout::*;
use crate::sys::darwin::message::{self, put};
use crate::sys::darwin::room::Room;

/// What CTLIOCGINFO gives for the name of utun's control.
pub(super) const UTUN_CONTROL: u32 = 7;
/// if_clone: IF_MAXUNIT.
const LAST_FETH: u32 = 0x7fff;

fn key(fd: BorrowedFd<'_>) -> Outcome<Inode> {
    let stat = fstat(fd)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// EBADF for a descriptor that is not open, ENOTSOCK for one that is not the machine's.
fn open_of<'a>(state: &'a mut State, fd: BorrowedFd<'_>) -> Outcome<&'a mut Open> {
    let key = key(fd)?;
    state.open.get_mut(&key).ok_or(Errno::ENOTSOCK)
}

/// A descriptor for the process, whose other end stays here.
fn add(state: &mut State, role: Role) -> Outcome<OwnedFd> {
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors.
    let made = unsafe {
        libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0, ends.as_mut_ptr())
    };
    Errno::result(made)?;
    // SAFETY: they are new, and nobody else's.
    let [far, near] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
    state.open.insert(key(far.as_fd())?, Open { role, near, send_buffer: 9216 });
    Ok(far)
}

pub(in crate::sys::darwin) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Outcome<OwnedFd> {
    with(|state| {
        state.step(format!("socket({domain}, {kind}, {protocol})"))?;
        let role = match (domain, kind, protocol) {
            (AF_INET, SOCK_DGRAM, 0) => Role::Inet,
            (AF_INET6, SOCK_DGRAM, 0) => Role::Inet6,
            (PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL) => Role::Control(None),
            (PF_ROUTE, SOCK_RAW, 0) => Role::Route,
            // ndrv.c, ndrv_attach.
            (PF_NDRV, SOCK_RAW, 0) if state.unprivileged => return Err(Errno::EPERM),
            (PF_NDRV, SOCK_RAW, 0) => Role::Ndrv(None),
            _ => return Err(Errno::EPROTONOSUPPORT),
        };
        add(state, role)
    })
}

/// bpf.c, bpfopen: EBUSY for one that is open, and a new one appears when the last is opened.
pub(in crate::sys::darwin) fn open(path: &CStr) -> Outcome<OwnedFd> {
    with(|state| {
        state.step(format!("open({path:?})"))?;
        let number: u32 = path.to_str().unwrap().strip_prefix("/dev/bpf").unwrap().parse().unwrap();
        let numbers: Vec<u32> = state
            .open
            .values()
            .filter_map(|open| match &open.role {
                Role::Bpf(bpf) => Some(bpf.number),
                _ => None,
            })
            .collect();
        let last = numbers.iter().copied().max().map_or(0, |last| last + 1).max(state.bpf_taken).max(3);
        if number < state.bpf_taken || numbers.contains(&number) {
            return Err(Errno::EBUSY);
        }
        if number > last {
            return Err(Errno::ENOENT);
        }
        if state.unprivileged {
            return Err(Errno::EACCES);
        }
        add(
            state,
            Role::Bpf(Bpf {
                number,
                size: 4096,
                interface: None,
                sees_sent: true,
                immediate: false,
                frames: VecDeque::new(),
            }),
        )
    })
}

pub(in crate::sys::darwin) fn connect(fd: BorrowedFd<'_>, address: &[u8]) -> Outcome<()> {
    with(|state| {
        state.step("connect".to_owned())?;
        let unprivileged = state.unprivileged;
        match &open_of(state, fd)?.role {
            Role::Ndrv(bound) => return bound.as_ref().map(drop).ok_or(Errno::EINVAL),
            Role::Control(None) => {}
            Role::Control(Some(_)) => return Err(Errno::EISCONN),
            _ => return Err(Errno::EOPNOTSUPP),
        }
        // kern_control.c, ctl_connect, and if_utun.c, utun_ctl_setup_common and utun_ctl_connect.
        let well_formed = address.len() == SOCKADDR_CTL_SIZE
            && usize::from(address[0]) == SOCKADDR_CTL_SIZE
            && c_int::from(address[SOCKADDR_FAMILY]) == PF_SYSTEM
            && u16_at(address, SOCKADDR_CTL_SYSADDR) == Some(AF_SYS_CONTROL);
        if !well_formed {
            return Err(Errno::EINVAL);
        }
        if u32_at(address, SOCKADDR_CTL_ID) != Some(UTUN_CONTROL) {
            return Err(Errno::ENOENT);
        }
        if unprivileged {
            return Err(Errno::EPERM);
        }
        let number = match u32_at(address, SOCKADDR_CTL_UNIT).unwrap() {
            0 | u32::MAX => state.free_number("utun"),
            unit => unit - 1,
        };
        let interface = Interface::utun(number);
        if state.find(&interface.name).is_some() {
            return Err(Errno::EBUSY);
        }
        open_of(state, fd)?.role = Role::Control(Some(interface.name.clone()));
        let name = interface.name.clone();
        state.add(interface);
        state.announce_link(&name);
        Ok(())
    })
}

/// ndrv.c, ndrv_bind.
pub(in crate::sys::darwin) fn bind(fd: BorrowedFd<'_>, address: &[u8]) -> Outcome<()> {
    with(|state| {
        state.step("bind".to_owned())?;
        let name = text(&address[SOCKADDR_NDRV_NAME..]);
        let there = state.find(&name).is_some();
        match &mut open_of(state, fd)?.role {
            Role::Ndrv(Some(_)) => Err(Errno::EINVAL),
            Role::Ndrv(_) if !there => Err(Errno::EADDRNOTAVAIL),
            Role::Ndrv(bound) => {
                *bound = Some(name);
                Ok(())
            }
            _ => Err(Errno::EINVAL),
        }
    })
}

pub(in crate::sys::darwin) fn get_option(
    fd: BorrowedFd<'_>,
    level: c_int,
    option: c_int,
    value: &mut [u8],
) -> Outcome<usize> {
    with(|state| {
        state.step(format!("getsockopt({level}, {option})"))?;
        let open = open_of(state, fd)?;
        let bytes = match (&open.role, level, option) {
            (_, SOL_SOCKET, SO_SNDBUF) => open.send_buffer.to_ne_bytes().to_vec(),
            (Role::Control(Some(name)), SYSPROTO_CONTROL, UTUN_OPT_IFNAME) => {
                [name.as_bytes(), b"\0"].concat()
            }
            (Role::Control(None), SYSPROTO_CONTROL, _) => return Err(Errno::ENOTCONN),
            _ => return Err(Errno::ENOPROTOOPT),
        };
        put(value, 0, &bytes);
        Ok(bytes.len())
    })
}

pub(in crate::sys::darwin) fn set_option(
    fd: BorrowedFd<'_>,
    level: c_int,
    option: c_int,
    value: &[u8],
) -> Outcome<()> {
    with(|state| {
        state.step(format!("setsockopt({level}, {option})"))?;
        let number = u32_at(value, 0);
        let open = open_of(state, fd)?;
        match (&open.role, level, option) {
            (_, SOL_SOCKET, SO_SNDBUF) => open.send_buffer = number.ok_or(Errno::EINVAL)?,
            (_, SOL_SOCKET, SO_RCVBUF | SO_NOSIGPIPE) => {}
            // if_utun.c, utun_ctl_setopt.
            (Role::Control(_), SYSPROTO_CONTROL, UTUN_OPT_MAX_PENDING_PACKETS) => match number {
                _ if value.len() != 4 => return Err(Errno::EMSGSIZE),
                Some(0) => return Err(Errno::EINVAL),
                _ => {}
            },
            _ => return Err(Errno::ENOPROTOOPT),
        }
        Ok(())
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.split(|byte| *byte == 0).next().unwrap().to_vec()).unwrap()
}

pub(in crate::sys::darwin) fn ioctl(
    fd: BorrowedFd<'_>,
    request: c_ulong,
    argument: &mut [u8],
) -> Outcome<()> {
    with(|state| {
        state.step(format!("ioctl({request:#x})"))?;
        assert_eq!((request >> 16) & 0x1fff, argument.len() as c_ulong, "the size in {request:#x}");
        match &open_of(state, fd)?.role {
            Role::Control(_) => control(request, argument),
            Role::Bpf(_) => bpf(state, fd, request, argument),
            Role::Inet => inet(state, request, argument),
            Role::Inet6 => inet6(state, request, argument),
            _ => Err(Errno::EOPNOTSUPP),
        }
    })
}

fn control(request: c_ulong, argument: &mut [u8]) -> Outcome<()> {
    if request != CTLIOCGINFO || text(&argument[CTL_INFO_NAME..]).as_bytes() != UTUN_CONTROL_NAME {
        return Err(Errno::ENOENT);
    }
    put(argument, CTL_INFO_ID, &UTUN_CONTROL.to_ne_bytes());
    Ok(())
}

/// bpf.c, bpfioctl.
fn bpf(state: &mut State, fd: BorrowedFd<'_>, request: c_ulong, argument: &mut [u8]) -> Outcome<()> {
    let cap = state.bpf_cap;
    let name = if request == BIOCSETIF { text(&argument[..16]) } else { String::new() };
    let there = state.find(&name).is_some();
    let Role::Bpf(bpf) = &mut open_of(state, fd)?.role else { return Err(Errno::ENOTTY) };
    let number = u32_at(argument, 0);
    match request {
        BIOCSBLEN if bpf.interface.is_some() => return Err(Errno::EINVAL),
        BIOCSBLEN => {
            bpf.size = (number.unwrap() as usize).min(cap);
            put(argument, 0, &(bpf.size as u32).to_ne_bytes());
        }
        BIOCSETIF if !there => return Err(Errno::ENXIO),
        BIOCSETIF => bpf.interface = Some(name),
        BIOCIMMEDIATE => bpf.immediate = number != Some(0),
        BIOCSSEESENT => bpf.sees_sent = number != Some(0),
        BIOCPROMISC if bpf.interface.is_none() => return Err(Errno::EINVAL),
        BIOCPROMISC => {}
        _ => return Err(Errno::EINVAL),
    }
    Ok(())
}

/// net/if.c, ifioctl, and netinet/in.c, in_control.
fn inet(state: &mut State, request: c_ulong, argument: &mut [u8]) -> Outcome<()> {
    let name = text(&argument[..16]);
    let asks = [SIOCGIFFLAGS, SIOCGIFDEVMTU].contains(&request);
    if state.unprivileged && !asks {
        return Err(Errno::EPERM);
    }
    match request {
        SIOCIFCREATE => return create(state, &name, argument),
        SIOCIFDESTROY if !name.starts_with("feth") => return Err(Errno::EINVAL),
        SIOCIFDESTROY => {
            state.find_mut(&name)?;
            state.destroy(&name);
            return Ok(());
        }
        SIOCAIFADDR => return add_ipv4(state, &name, argument),
        SIOCDIFADDR => {
            let local = message::ip(&argument[IFREQ_VALUE..]).ok_or(Errno::EINVAL)?;
            return remove(state, &name, local);
        }
        _ => {}
    }
    let interface = state.find_mut(&name)?;
    let mtus = interface.mtus();
    match request {
        SIOCGIFFLAGS => put(argument, IFREQ_VALUE, &[u8::from(interface.up), 0]),
        SIOCSIFFLAGS => interface.up = argument[IFREQ_VALUE] & 1 != 0,
        SIOCSIFMTU => match u32_at(argument, IFREQ_VALUE).unwrap() {
            mtu if mtus.contains(&mtu) => interface.mtu = mtu,
            _ => return Err(Errno::EINVAL),
        },
        SIOCGIFDEVMTU if interface.is_utun() => return Err(Errno::EOPNOTSUPP),
        SIOCGIFDEVMTU => {
            put(argument, IFREQ_MTU_MIN, &mtus.start().to_ne_bytes());
            put(argument, IFREQ_MTU_MAX, &mtus.end().to_ne_bytes());
        }
        SIOCSIFLLADDR if interface.is_utun() => return Err(Errno::EOPNOTSUPP),
        SIOCSIFLLADDR => {
            assert_eq!(argument[IFREQ_VALUE], 6, "the length of a MAC address");
            interface.mac = Some(argument[IFREQ_VALUE + 2..][..6].try_into().unwrap());
        }
        _ => return Err(Errno::EOPNOTSUPP),
    }
    if !asks {
        state.announce_link(&name);
    }
    Ok(())
}

/// net/if.c, if_clone_create.
fn create(state: &mut State, name: &str, argument: &mut [u8]) -> Outcome<()> {
    let digits = name.strip_prefix("feth").ok_or(Errno::EINVAL)?;
    let number = match digits {
        "" => state.free_number("feth"),
        digits => digits.parse().map_err(|_| Errno::EINVAL)?,
    };
    let interface = Interface::feth(number);
    if state.find(&interface.name).is_some() {
        return Err(Errno::EEXIST);
    }
    if number > LAST_FETH {
        return Err(Errno::ENXIO);
    }
    put(argument, 0, interface.name.as_bytes());
    state.add(interface);
    Ok(())
}

fn add_ipv4(state: &mut State, name: &str, argument: &[u8]) -> Outcome<()> {
    let at = |place: usize| &argument[place..][..SOCKADDR_IN_SIZE];
    let well_formed = |sockaddr: &[u8]| sockaddr[..2] == [16, 2];
    let none = |sockaddr: &[u8]| sockaddr[..2] == [0, 0];
    let (address, other, mask) = (at(IFALIASREQ_ADDR), at(IFALIASREQ_BROADADDR), at(IFALIASREQ_MASK));
    assert!(well_formed(address) && well_formed(mask) && (well_formed(other) || none(other)), "sin_len");
    let local = message::ip(address).unwrap();
    let prefix = message::prefix(Family::V4, mask).unwrap().bits();
    let assigned = Assigned { local, prefix, other: message::ip(other), flags: 0 };
    let interface = state.find_mut(name)?;
    // in.c, in_ifinit: a network on a broadcast medium, and the other end of a wire.
    let (to, prefix) = if interface.point_to_point {
        (assigned.other, 32)
    } else {
        // if_fake.c, feth_ioctl: SIOCSIFADDR takes it up.
        interface.up = true;
        (Some(network(local, prefix)), prefix)
    };
    match interface.find(local) {
        Some(place) => interface.addresses[place] = assigned.clone(),
        None => interface.addresses.push(assigned.clone()),
    }
    let (index, message) = (interface.index, messages::address(interface, &assigned, true));
    if let Some(network) = to {
        let flags = RTF_UP | if prefix == 32 { RTF_HOST } else { 0 };
        let _ = state.routes.insert(Destination { network, prefix }, index, None, flags);
    }
    state.announce(message);
    Ok(())
}

/// netinet6/in6.c, in6_control.
fn inet6(state: &mut State, request: c_ulong, argument: &mut [u8]) -> Outcome<()> {
    let name = text(&argument[..16]);
    if state.unprivileged && request != SIOCGIFAFLAG_IN6 {
        return Err(Errno::EPERM);
    }
    match request {
        SIOCAIFADDR_IN6 => add_ipv6(state, &name, argument),
        SIOCDIFADDR_IN6 => {
            let local = message::ip(&argument[IN6_IFREQ_VALUE..]).ok_or(Errno::EAFNOSUPPORT)?;
            remove(state, &name, local)
        }
        SIOCGIFAFLAG_IN6 => {
            let local = message::ip(&argument[IN6_IFREQ_VALUE..]).ok_or(Errno::EAFNOSUPPORT)?;
            let interface = state.find_mut(&name)?;
            let place = interface.find(local).ok_or(Errno::EADDRNOTAVAIL)?;
            put(argument, IN6_IFREQ_VALUE, &interface.addresses[place].flags.to_ne_bytes());
            Ok(())
        }
        _ => Err(Errno::EOPNOTSUPP),
    }
}

/// in6.c, in6_update_ifa and in6ctl_aifaddr.
fn add_ipv6(state: &mut State, name: &str, argument: &[u8]) -> Outcome<()> {
    let at = |place: usize| &argument[place..][..SOCKADDR_IN6_SIZE];
    let (address, other, mask) = (at(IN6_ALIASREQ_ADDR), at(IN6_ALIASREQ_DSTADDR), at(IN6_ALIASREQ_MASK));
    if address[..2] != [28, 30] {
        return Err(Errno::EAFNOSUPPORT);
    }
    let prefix = message::prefix(Family::V6, mask).ok_or(Errno::EINVAL)?.bits();
    let lifetimes = (u32_at(argument, IN6_ALIASREQ_VALID), u32_at(argument, IN6_ALIASREQ_PREFERRED));
    assert_eq!(lifetimes, (Some(u32::MAX), Some(u32::MAX)), "an address for ever");
    let interface = state.find_mut(name)?;
    let other = match other[1] {
        0 => None,
        30 if interface.point_to_point && prefix == 128 => message::ip(other),
        _ => return Err(Errno::EINVAL),
    };
    if mask[0] == 0 || prefix == 0 {
        return Err(Errno::EINVAL);
    }
    let local = message::ip(address).unwrap();
    let flags = u32_at(argument, IN6_ALIASREQ_FLAGS).unwrap();
    let assigned = Assigned { local, prefix, other, flags };
    match interface.find(local) {
        Some(place) => interface.addresses[place] = assigned.clone(),
        None => interface.addresses.push(assigned.clone()),
    }
    let (index, message) = (interface.index, messages::address(interface, &assigned, true));
    if prefix != 128 {
        let destination = Destination { network: network(local, prefix), prefix };
        let _ = state.routes.insert(destination, index, None, RTF_UP);
    }
    state.announce(message);
    Ok(())
}

/// in.c, inctl_difaddr, and in6.c, in6ctl_difaddr.
fn remove(state: &mut State, name: &str, local: IpAddr) -> Outcome<()> {
    let interface = state.find_mut(name)?;
    let place = interface.find(local).ok_or(Errno::EADDRNOTAVAIL)?;
    let gone = interface.addresses.remove(place);
    let (index, message) = (interface.index, messages::address(interface, &gone, false));
    let kept = |other: &Assigned| network(other.local, other.prefix) == network(local, gone.prefix);
    let shared =
        interface.addresses.iter().any(|other| other.local.is_ipv4() == local.is_ipv4() && kept(other));
    let whole = bits(local);
    let (to, prefix) = match gone.other {
        Some(other) if interface.point_to_point => (other, whole),
        _ => (network(local, gone.prefix), gone.prefix),
    };
    if !shared || prefix == whole {
        state.routes.remove(Destination { network: to, prefix }, index);
    }
    state.announce(message);
    Ok(())
}

/// if_fake.c, feth_set_drvspec and feth_config.
pub(in crate::sys::darwin) fn drive(
    fd: BorrowedFd<'_>,
    name: &Name,
    command: c_ulong,
    argument: &mut [u8],
) -> Outcome<()> {
    with(|state| {
        state.step(format!("drive({name}, {command})"))?;
        open_of(state, fd)?;
        if state.unprivileged {
            return Err(Errno::EPERM);
        }
        let name = name.to_string();
        state.find_mut(&name)?;
        if command != FAKE_SET_PEER {
            return Err(Errno::EOPNOTSUPP);
        }
        if argument.len() < IF_FAKE_REQUEST_SIZE
            || argument[..IF_FAKE_REQUEST_PEER].iter().any(|byte| *byte != 0)
        {
            return Err(Errno::EINVAL);
        }
        let peer = text(&argument[IF_FAKE_REQUEST_PEER..]);
        let busy = |state: &State, name: &str| state.find(name).is_some_and(|it| it.peer.is_some());
        if state.find(&peer).is_none() {
            return Err(Errno::ENXIO);
        }
        if !name.starts_with("feth") || !peer.starts_with("feth") {
            return Err(Errno::EINVAL);
        }
        if busy(state, &name) || busy(state, &peer) {
            return Err(Errno::EBUSY);
        }
        state.find_mut(&name)?.peer = Some(peer.clone());
        state.find_mut(&peer)?.peer = Some(name);
        Ok(())
    })
}

pub(in crate::sys::darwin) fn sysctl(path: &[c_int]) -> Outcome<Vec<u8>> {
    with(|state| {
        state.step(format!("sysctl({path:?})"))?;
        match *path {
            [CTL_NET, PF_ROUTE, 0, 0, NET_RT_IFLIST2, index] => {
                let wanted = |it: &&Interface| index == 0 || it.index == index as u32;
                Ok(state.interfaces.values().filter(wanted).flat_map(messages::survey).collect())
            }
            [CTL_NET, PF_ROUTE, 0, family, NET_RT_DUMP, 0] => {
                let routes =
                    state.routes.0.iter().filter(|(to, _)| to.network.is_ipv4() == (family == AF_INET));
                let tell = |(to, entry): (&Destination, &super::routes::Entry)| {
                    messages::route(to, entry, &state.interfaces[&entry.index])
                };
                Ok(routes.flat_map(tell).collect())
            }
            _ => Err(Errno::ENOENT),
        }
    })
}

pub(in crate::sys::darwin) fn readv(fd: BorrowedFd<'_>, rooms: &mut [Room<'_>]) -> Outcome<usize> {
    with(|state| {
        state.step("readv".to_owned())?;
        // uipc: UIO_MAXIOV.
        if rooms.len() > 1024 {
            return Err(Errno::EINVAL);
        }
        let Ok(Open { role: Role::Bpf(bpf), .. }) = open_of(state, fd) else {
            // SAFETY: a Room is an iovec to memory that may be written.
            let length = unsafe { libc::readv(fd.as_raw_fd(), rooms.as_ptr().cast(), rooms.len() as c_int) };
            return usize::try_from(length).map_err(|_| Errno::last());
        };
        read_bpf(bpf, fd, rooms)
    })
}

/// bpf.c, bpfread: all that was collected, for a read of the whole buffer.
fn read_bpf(bpf: &mut Bpf, fd: BorrowedFd<'_>, rooms: &mut [Room<'_>]) -> Outcome<usize> {
    if rooms.iter().map(Room::len).sum::<usize>() != bpf.size {
        return Err(Errno::EINVAL);
    }
    if bpf.frames.is_empty() {
        return Err(if bpf.interface.is_none() { Errno::ENXIO } else { Errno::EAGAIN });
    }
    // struct bpf_hdr has 18 bytes, and is padded such that what follows an Ethernet header is aligned.
    const HEADER: usize = 18;
    let mut burst: Vec<u8> = Vec::new();
    while let Some(frame) = bpf.frames.front() {
        let start = burst.len().next_multiple_of(4);
        let whole = frame.len() as u32;
        let captured = frame.len().min(bpf.size - HEADER);
        if start + HEADER + captured > bpf.size {
            break;
        }
        burst.resize(start + HEADER, 0);
        put(&mut burst, start + BPF_HDR_CAPLEN, &(captured as u32).to_ne_bytes());
        put(&mut burst, start + BPF_HDR_DATALEN, &whole.to_ne_bytes());
        put(&mut burst, start + BPF_HDR_HDRLEN, &(HEADER as u16).to_ne_bytes());
        burst.extend(&frame[..captured]);
        bpf.frames.pop_front();
    }
    if bpf.frames.is_empty() {
        let mut token = [0_u8; 1];
        // SAFETY: the kernel writes one byte.
        unsafe { libc::recv(fd.as_raw_fd(), token.as_mut_ptr().cast(), 1, libc::MSG_DONTWAIT) };
    }
    let mut left = &burst[..];
    for room in rooms {
        left = room.fill(left);
    }
    Ok(burst.len())
}

pub(in crate::sys::darwin) fn writev(fd: BorrowedFd<'_>, parts: &[IoSlice<'_>]) -> Outcome<usize> {
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
    with(|state| {
        state.step("writev".to_owned())?;
        if parts.len() > 1024 {
            return Err(Errno::EINVAL);
        }
        let Ok(open) = open_of(state, fd) else { return Err(Errno::EPIPE) };
        match &open.role {
            Role::Control(Some(name)) => {
                let name = name.clone();
                let utun = state.find_mut(&name)?;
                if utun.held {
                    return Err(Errno::ENOSPC);
                }
                // if_utun.c, utun_ctl_send: fewer than 4 bytes go nowhere, without an error.
                if bytes.len() >= 4 {
                    utun.received.push(bytes.clone());
                }
            }
            Role::Ndrv(Some(_)) if bytes.len() > open.send_buffer as usize => return Err(Errno::EMSGSIZE),
            Role::Ndrv(Some(name)) => {
                let name = name.clone();
                let interface = state.find_mut(&name)?;
                // dlil.c, dlil_output: ENETDOWN for an interface that is down.
                if !interface.up {
                    return Err(Errno::ENETDOWN);
                }
                let peer = interface.peer.clone();
                state.tap(&name, &bytes, true);
                if let Some(Ok(peer)) = peer.map(|peer| state.find_mut(&peer)) {
                    if peer.up {
                        peer.received.push(bytes.clone());
                    }
                }
            }
            Role::Ndrv(None) | Role::Control(None) => return Err(Errno::ENOTCONN),
            Role::Route => {
                let unprivileged = state.unprivileged;
                state.routes.change(&bytes, unprivileged)?;
                // route_output tells everybody of it.
                state.announce(bytes.clone());
            }
            _ => return Err(Errno::EBADF),
        }
        Ok(bytes.len())
    })
}

/// A descriptor that is readable when one of these is.
pub(in crate::sys::darwin) fn gather(sources: &[BorrowedFd<'_>]) -> Outcome<OwnedFd> {
    with(|state| state.step("gather".to_owned()))?;
    // SAFETY: takes a number.
    let fd = Errno::result(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    // SAFETY: it is new, and nobody else's.
    let gathered = unsafe { OwnedFd::from_raw_fd(fd) };
    for source in sources {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
        // SAFETY: the kernel reads one event.
        Errno::result(unsafe {
            libc::epoll_ctl(fd, libc::EPOLL_CTL_ADD, source.as_raw_fd(), &raw mut event)
        })?;
    }
    Ok(gathered)
}
