// SPDX-License-Identifier: MIT
//! The system calls on interfaces, BPF and kernel controls: ioctl.

use std::ffi::c_ulong;
use std::os::fd::BorrowedFd;

use super::addresses::{add_ipv4, inet6, remove};
use super::calls::{UTUN_CONTROL, open_of, text};
use super::interface::Interface;
use super::machine::{Role, State, with};
use crate::model::error::Errno;
use crate::model::name::Name;
use crate::sys::Outcome;
use crate::sys::bytes::u32_at;
use crate::sys::darwin::layout::*;
use crate::sys::darwin::message::{self, put};

/// if_clone: IF_MAXUNIT.
const LAST_FETH: u32 = 0x7fff;

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
            Role::Events(_) if request == SIOCSKEVFILT => filter(state, fd, argument),
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

/// kern_event.c, kev_control and kev_post_msg_internal.
fn filter(state: &mut State, fd: BorrowedFd<'_>, argument: &[u8]) -> Outcome<()> {
    let at = |offset| u32_at(argument, offset).unwrap();
    let network = at(KEV_REQUEST_VENDOR) == KEV_VENDOR_APPLE && at(KEV_REQUEST_CLASS) == KEV_NETWORK_CLASS;
    let all = network && at(KEV_REQUEST_SUBCLASS) == KEV_ANY_SUBCLASS;
    open_of(state, fd)?.role = Role::Events(all);
    Ok(())
}

/// bpf.c, bpfioctl.
fn bpf(state: &mut State, fd: BorrowedFd<'_>, request: c_ulong, argument: &mut [u8]) -> Outcome<()> {
    let cap = state.bpf_cap;
    let name = if request == BIOCSETIF { text(&argument[..16]) } else { String::new() };
    let exists = state.find(&name).is_some();
    let Role::Bpf(bpf) = &mut open_of(state, fd)?.role else { return Err(Errno::ENOTTY) };
    let number = u32_at(argument, 0);
    match request {
        BIOCSBLEN if bpf.interface.is_some() => return Err(Errno::EINVAL),
        BIOCSBLEN => {
            // BPF_BUFSIZE_CAP and BPF_MINBUFSIZE.
            bpf.size = (number.unwrap() as usize).clamp(32, cap);
            put(argument, 0, &(bpf.size as u32).to_ne_bytes());
        }
        BIOCSETIF if !exists => return Err(Errno::ENXIO),
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
        SIOCSIFFLAGS => state.set_flags(&name, argument[IFREQ_VALUE] & 1 != 0),
        SIOCSIFMTU => match u32_at(argument, IFREQ_VALUE).unwrap() {
            mtu if mtus.contains(&mtu) => state.set_mtu(&name, mtu),
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
            // kpi_interface.c, ifnet_set_lladdr_internal: no routing message.
            state.post(&name, KEV_DL_SUBCLASS, KEV_DL_LINK_ADDRESS_CHANGED);
        }
        _ => return Err(Errno::EOPNOTSUPP),
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
    if state.is_name_held(&interface.name) {
        return Err(Errno::EBUSY);
    }
    if number > LAST_FETH {
        return Err(Errno::ENXIO);
    }
    put(argument, 0, interface.name.as_bytes());
    state.add(interface);
    Ok(())
}

/// if_fake.c, feth_set_drvspec and feth_config.
pub(in crate::sys::darwin) fn set_driver_spec(
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
        state.find_mut(&peer)?.peer = Some(name.clone());
        for end in [name, peer] {
            state.post(&end, KEV_DL_SUBCLASS, KEV_DL_LINK_ON);
        }
        Ok(())
    })
}
