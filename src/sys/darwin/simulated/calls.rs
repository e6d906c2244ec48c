// SPDX-License-Identifier: MIT
//! The system calls on descriptors, and the sysctl values of the kernel.

use std::collections::VecDeque;
use std::ffi::{CStr, c_int};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::interface::Interface;
use super::machine::{Bpf, Inode, Ndrv, Open, Role, State, with};
use super::messages;
use super::routes::Destination;
use crate::model::error::Errno;
use crate::sys::Outcome;
use crate::sys::bytes::{u16_at, u32_at};
use crate::sys::darwin::layout::*;
use crate::sys::darwin::message::put;

/// The result of CTLIOCGINFO for the name of utun's control.
pub(super) const UTUN_CONTROL: u32 = 7;
/// kern.ipc.maxsockbuf: uipc_socket2.c, SB_MAX.
const SOCKET_MAX: u32 = 8 * 1024 * 1024;

pub(super) fn key(fd: BorrowedFd<'_>) -> Outcome<Inode> {
    // SAFETY: a stat may be all zeros, and the kernel writes one.
    let stat = unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        Errno::result(libc::fstat(fd.as_raw_fd(), &raw mut stat))?;
        stat
    };
    Ok((stat.st_dev, stat.st_ino))
}

/// EBADF for a descriptor that is not open, ENOTSOCK for one that does not belong to the machine.
pub(super) fn open_of<'a>(state: &'a mut State, fd: BorrowedFd<'_>) -> Outcome<&'a mut Open> {
    let key = key(fd)?;
    state.open.get_mut(&key).ok_or(Errno::ENOTSOCK)
}

/// A descriptor for the process. Its other end stays here.
pub(super) fn add(state: &mut State, role: Role) -> Outcome<OwnedFd> {
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors.
    let made = unsafe {
        libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0, ends.as_mut_ptr())
    };
    Errno::result(made)?;
    // SAFETY: they are new, and nothing else owns them.
    let [far, near] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
    let open = Open { role, near, send_buffer: 9216, receive_buffer: 9216, unread: VecDeque::new() };
    state.open.insert(key(far.as_fd())?, open);
    Ok(far)
}

pub(in crate::sys::darwin) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Outcome<OwnedFd> {
    with(|state| {
        state.step(format!("socket({domain}, {kind}, {protocol})"))?;
        let role = match (domain, kind, protocol) {
            (AF_INET, SOCK_DGRAM, 0) => Role::Inet,
            (AF_INET6, SOCK_DGRAM, 0) => Role::Inet6,
            (PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL) => Role::Control(None),
            // uipc_socket.c, socreate_internal: SS_PRIV.
            (PF_ROUTE, SOCK_RAW, 0) => Role::Route { privileged: !state.unprivileged },
            // kern_event.c, kev_attach: the first filter passes nothing.
            (PF_SYSTEM, SOCK_RAW, SYSPROTO_EVENT) => Role::Events(false),
            // ndrv.c, ndrv_attach.
            (PF_NDRV, SOCK_RAW, 0) if state.unprivileged => return Err(Errno::EPERM),
            (PF_NDRV, SOCK_RAW, 0) => Role::Ndrv(Ndrv::default()),
            _ => return Err(Errno::EPROTONOSUPPORT),
        };
        add(state, role)
    })
}

/// bpf.c, bpfopen: EBUSY for a device that is open. When the last device is opened, a new one appears.
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
        match &mut open_of(state, fd)?.role {
            // ndrv.c, ndrv_connect: whether it is bound or not.
            Role::Ndrv(ndrv) if ndrv.connected => return Err(Errno::EISCONN),
            Role::Ndrv(_) if address.len() < SOCKADDR_NDRV_SIZE => return Err(Errno::EINVAL),
            Role::Ndrv(ndrv) => {
                ndrv.connected = true;
                return Ok(());
            }
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
            // utun_ctl_setup.
            0 => state.free_number("utun"),
            unit => unit - 1,
        };
        // ifnet_unit is a signed 16-bit number. A larger number becomes another name.
        let interface = Interface::utun(number as i16);
        if state.find(&interface.name).is_some() || state.is_name_held(&interface.name) {
            return Err(Errno::EBUSY);
        }
        let open = open_of(state, fd)?;
        open.role = Role::Control(Some(interface.name.clone()));
        // utun_register_control: ctl_recvsize.
        open.receive_buffer = 512 * 1024;
        state.add(interface);
        Ok(())
    })
}

/// ndrv.c, ndrv_bind.
pub(in crate::sys::darwin) fn bind(fd: BorrowedFd<'_>, address: &[u8]) -> Outcome<()> {
    with(|state| {
        state.step("bind".to_owned())?;
        let name = text(&address[SOCKADDR_NDRV_NAME..]);
        let exists = state.find(&name).is_some();
        match &mut open_of(state, fd)?.role {
            Role::Ndrv(Ndrv { interface: Some(_), .. }) => return Err(Errno::EINVAL),
            Role::Ndrv(_) if !exists => return Err(Errno::EADDRNOTAVAIL),
            Role::Ndrv(ndrv) => ndrv.interface = Some(name.clone()),
            _ => return Err(Errno::EINVAL),
        }
        state.attach(&name, PF_NDRV);
        Ok(())
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
        let flags = state.utun_of(fd)?.map_or(0, |utun| utun.utun_flags);
        let open = open_of(state, fd)?;
        let bytes = match (&open.role, level, option) {
            (_, SOL_SOCKET, SO_SNDBUF) => open.send_buffer.to_ne_bytes().to_vec(),
            (_, SOL_SOCKET, SO_RCVBUF) => open.receive_buffer.to_ne_bytes().to_vec(),
            (Role::Control(Some(name)), SYSPROTO_CONTROL, UTUN_OPT_IFNAME) => {
                [name.as_bytes(), b"\0"].concat()
            }
            (Role::Control(Some(_)), SYSPROTO_CONTROL, UTUN_OPT_FLAGS) => flags.to_ne_bytes().to_vec(),
            // kern_control.c, ctl_ctloutput.
            (Role::Control(None), SYSPROTO_CONTROL, _) => return Err(Errno::EINVAL),
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
            // uipc_socket2.c, sbreserve: reduced to the limit of a socket.
            (_, SOL_SOCKET, SO_RCVBUF) => match number {
                Some(bytes) if bytes > SOCKET_MAX && open.receive_buffer == SOCKET_MAX => {
                    return Err(Errno::ENOBUFS);
                }
                bytes => open.receive_buffer = bytes.ok_or(Errno::EINVAL)?.min(SOCKET_MAX),
            },
            (_, SOL_SOCKET, SO_NOSIGPIPE) => {}
            (Role::Control(None), SYSPROTO_CONTROL, _) => return Err(Errno::EINVAL),
            // if_utun.c, utun_ctl_setopt.
            (Role::Control(Some(name)), SYSPROTO_CONTROL, UTUN_OPT_MAX_PENDING_PACKETS) => match number {
                _ if value.len() != 4 => return Err(Errno::EMSGSIZE),
                Some(0) | None => return Err(Errno::EINVAL),
                Some(number) => {
                    let name = name.clone();
                    state.find_mut(&name)?.max_pending = number;
                }
            },
            _ => return Err(Errno::ENOPROTOOPT),
        }
        Ok(())
    })
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.split(|byte| *byte == 0).next().unwrap().to_vec()).unwrap()
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
                let message = |(to, entry): (&Destination, &super::routes::Entry)| {
                    messages::route(to, entry, &state.interfaces[&entry.index])
                };
                Ok(routes.flat_map(message).collect())
            }
            _ => Err(Errno::ENOENT),
        }
    })
}
