// SPDX-License-Identifier: MIT
//! Packets and messages in and out: readv and writev.

use std::ffi::c_int;
use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::calls::{key, open_of};
use super::machine::{Bpf, Ndrv, Open, Role, with};
use super::routes;
use crate::model::error::Errno;
use crate::sys::Outcome;
use crate::sys::darwin::layout::*;
use crate::sys::darwin::message::put;
use crate::sys::darwin::room::Room;

pub(in crate::sys::darwin) fn readv(fd: BorrowedFd<'_>, rooms: &mut [Room<'_>]) -> Outcome<usize> {
    with(|state| {
        state.step("readv".to_owned())?;
        // uipc: UIO_MAXIOV.
        if rooms.len() > 1024 {
            return Err(Errno::EINVAL);
        }
        let Ok(Open { role: Role::Bpf(bpf), .. }) = open_of(state, fd) else {
            // SAFETY: a Room is an iovec to writable memory.
            let length = unsafe { libc::readv(fd.as_raw_fd(), rooms.as_ptr().cast(), rooms.len() as c_int) };
            let length = usize::try_from(length).map_err(|_| Errno::last())?;
            state.was_read(key(fd)?);
            return Ok(length);
        };
        read_bpf(bpf, fd, rooms)
    })
}

/// bpf.c, bpfread: returns all collected frames. The read must have the size of the buffer.
fn read_bpf(bpf: &mut Bpf, fd: BorrowedFd<'_>, rooms: &mut [Room<'_>]) -> Outcome<usize> {
    if rooms.iter().map(Room::len).sum::<usize>() != bpf.size {
        return Err(Errno::EINVAL);
    }
    if bpf.frames.is_empty() {
        return Err(if bpf.interface.is_none() { Errno::ENXIO } else { Errno::EAGAIN });
    }
    // struct bpf_hdr has 18 bytes, and is padded to align the payload after an Ethernet header.
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
                // Otherwise it goes to dlil.c, dlil_input, which does not report losses.
                if utun.input_full {
                    return Err(Errno::ENOSPC);
                }
                // if_utun.c, utun_ctl_send: drops fewer than 4 bytes without an error.
                if bytes.len() >= 4 {
                    utun.received.push(bytes.clone());
                }
            }
            // uipc_socket.c, sosendcheck, and ndrv.c, ndrv_output: there is no interface.
            Role::Ndrv(ndrv) if ndrv.ended => return Err(Errno::EPIPE),
            Role::Ndrv(ndrv) if !ndrv.connected => return Err(Errno::EDESTADDRREQ),
            Role::Ndrv(Ndrv { interface: None, .. }) => return Err(Errno::EINVAL),
            Role::Ndrv(_) if bytes.len() > open.send_buffer as usize => return Err(Errno::EMSGSIZE),
            Role::Ndrv(Ndrv { interface: Some(name), .. }) => {
                let name = name.clone();
                let interface = state.find_mut(&name)?;
                // dlil.c, dlil_output: ENETDOWN for an interface that is down.
                if !interface.up {
                    return Err(Errno::ENETDOWN);
                }
                let peer = interface.peer.clone();
                state.tap(&name, &bytes, true);
                if let Some(Ok(peer)) = peer.map(|peer| state.find_mut(&peer)) {
                    // if_fake.c and dlil.c, dlil_input: they do not check IFF_UP.
                    peer.received.push(bytes.clone());
                }
            }
            Role::Control(None) => return Err(Errno::ENOTCONN),
            Role::Route { privileged } => {
                let privileged = *privileged;
                match routes::output(state, &bytes, privileged) {
                    Ok(message) => state.notify(message),
                    Err(errno) => {
                        // All routing sockets receive a request that failed, too.
                        let mut message = bytes.clone();
                        put(&mut message, RT_MSGHDR_PID, &std::process::id().to_ne_bytes());
                        put(&mut message, RT_MSGHDR_ERRNO, &errno.raw().to_ne_bytes());
                        state.notify(message);
                        return Err(errno);
                    }
                }
            }
            _ => return Err(Errno::EBADF),
        }
        Ok(bytes.len())
    })
}

/// Pipes are pipes of the host.
pub(in crate::sys::darwin) fn move_byte(pipe: BorrowedFd<'_>, into: bool) -> Outcome<()> {
    let mut byte = 0_u8;
    // SAFETY: reads or writes one byte.
    Errno::result(unsafe {
        match into {
            true => libc::write(pipe.as_raw_fd(), (&raw const byte).cast(), 1),
            false => libc::read(pipe.as_raw_fd(), (&raw mut byte).cast(), 1),
        }
    })
    .map(drop)
}
