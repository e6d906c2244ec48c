// SPDX-License-Identifier: MIT
//! A TUN: the control socket of a utun. Each packet has 4 bytes with its address family before it.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};

use super::busy::retry_while_busy;
use super::layout::*;
use super::message::{put, sockaddr_control};
use super::room::Room;
use super::{descriptor, kernel};
use crate::model::error::Errno;
use crate::model::name::Name;
use crate::model::packet::PI_HEADER;
use crate::model::text::text;
use crate::sys::Outcome;
use crate::sys::bytes::u32_at;

/// Size of the address family, which is in network byte order.
const FAMILY: usize = PI_HEADER;
/// Limit of the packets that the kernel keeps for a slow reader, if it has room. Its default is 1 (if_utun.c).
const PENDING: u32 = 512;
/// Vectors of a call with a short list, and the limit of the kernel: UIO_MAXIOV.
const FEW: usize = 16;
const MANY: usize = 1024;

pub(super) struct Utun {
    socket: OwnedFd,
    /// The caller reads and writes the address family.
    pub(super) pi: bool,
}

/// Why a utun could not be created.
pub(super) enum Failure {
    /// The kernel has no utun control.
    NoControl(Errno),
    Socket(Errno),
    Connect(Errno),
}

impl Utun {
    /// Creates the utun with this number, or the first free one.
    pub(super) fn create(number: Option<u32>, pi: bool) -> Result<Self, Failure> {
        let socket = kernel::socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL).map_err(Failure::Socket)?;
        let mut info = [0; CTL_INFO_SIZE];
        put(&mut info, CTL_INFO_NAME, UTUN_CONTROL_NAME);
        kernel::ioctl(socket.as_fd(), CTLIOCGINFO, &mut info).map_err(Failure::NoControl)?;
        let id = u32_at(&info, CTL_INFO_ID).unwrap_or(0);
        // 0 selects the first free number.
        let unit = number.map_or(0, |number| number.saturating_add(1));
        let connect = || kernel::connect(socket.as_fd(), &sockaddr_control(id, unit));
        match number {
            Some(number) => retry_while_busy(text!("utun{number}").as_str(), connect),
            None => connect(),
        }
        .map_err(Failure::Connect)?;
        let utun = Self { socket, pi };
        utun.prepare().map_err(Failure::Socket)?;
        Ok(utun)
    }

    /// A control socket of another program, or a copy of it. It can be released until [`Self::prepare`].
    pub(super) fn from_fd(socket: OwnedFd) -> Self {
        Self { socket, pi: false }
    }

    /// Returns the descriptor to its owner, unchanged.
    pub(super) fn release(self) {
        let _ = self.socket.into_raw_fd();
    }

    /// Keeps only the descriptor.
    pub(super) fn into_fd(self) -> OwnedFd {
        self.socket
    }

    /// Disables SIGPIPE, and makes the descriptor close-on-exec and non-blocking. On failure the descriptor is
    /// unchanged.
    pub(super) fn prepare(&self) -> Outcome<()> {
        // A socket that may not be changed refuses this first step.
        kernel::set_option(self.fd(), SOL_SOCKET, SO_NOSIGPIPE, &1_i32.to_ne_bytes())?;
        let before = descriptor::flags(&self.socket)?;
        descriptor::close_on_exec(&self.socket)?;
        descriptor::nonblocking(&self.socket).inspect_err(|_| {
            let _ = descriptor::set_flags(&self.socket, before);
        })
    }

    /// Lets the kernel keep packets of this MTU for a slow reader, but only as many as the socket buffer can hold.
    /// Other packets wait in the queue of the interface. A packet that leaves that queue and finds no room in the
    /// buffer is lost (if_utun.c, utun_output).
    pub(super) fn resize_queue(&self, mtu: u32) {
        let each = mtu.saturating_add(FAMILY as u32).max(1);
        let wanted = each.saturating_mul(PENDING).min(i32::MAX as u32);
        // The kernel may refuse the size. The buffer never becomes smaller than its contents.
        if self.receive_buffer() < wanted {
            let _ = kernel::set_option(self.fd(), SOL_SOCKET, SO_RCVBUF, &wanted.to_ne_bytes());
        }
        let pending = self.receive_buffer().checked_div(each).unwrap_or(1).clamp(1, PENDING);
        // A kernel without the option (macOS 10.10 and older) is only slower with bursts.
        let _ = kernel::set_option(
            self.fd(),
            SYSPROTO_CONTROL,
            UTUN_OPT_MAX_PENDING_PACKETS,
            &pending.to_ne_bytes(),
        );
    }

    fn receive_buffer(&self) -> u32 {
        let mut bytes = [0; 4];
        kernel::get_option(self.fd(), SOL_SOCKET, SO_RCVBUF, &mut bytes)
            .map_or(0, |_| u32::from_ne_bytes(bytes))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    pub(super) fn name(&self) -> Outcome<Name> {
        name_of(self.fd())
    }

    pub(super) fn read(&self, buf: &mut [MaybeUninit<u8>]) -> Outcome<usize> {
        self.receive::<3>([Room::new(buf)].into_iter())
    }

    pub(super) fn readv(&self, bufs: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
        let few = bufs.len().saturating_add(2) <= FEW;
        let rooms = bufs.iter_mut().map(Room::of_slice);
        if few { self.receive::<FEW>(rooms) } else { self.receive::<MANY>(rooms) }
    }

    /// Reads a packet. The kernel truncates a packet that is too long, and reports no error. So the read has an extra
    /// byte at the end: if the packet reaches it, the packet was too long.
    fn receive<'a, const N: usize>(&self, given: impl ExactSizeIterator<Item = Room<'a>>) -> Outcome<usize> {
        let mut family = [0; FAMILY];
        let hidden = if self.pi { 0 } else { FAMILY };
        let mut spill = [0; 1];
        let mut rooms = [const { Room::EMPTY }; N];
        let count = given.len().saturating_add(2);
        let mut size = 0_usize;
        let mut slots = rooms.iter_mut();
        if let Some(to) = slots.next() {
            *to = Room::of(family.get_mut(..hidden).unwrap_or_default());
        }
        for (room, to) in given.zip(&mut slots) {
            size = size.saturating_add(room.len());
            *to = room;
        }
        if let Some(to) = slots.next() {
            *to = Room::of(&mut spill);
        }
        let rooms = rooms.get_mut(..count).ok_or(Errno::EINVAL)?;
        match kernel::readv(self.fd(), rooms).map_err(translate)? {
            // The control has disconnected the socket.
            0 => Err(Errno::ENODEV),
            length => {
                let length = length.checked_sub(hidden).ok_or(Errno::EIO)?;
                if length > size { Err(Errno::EMSGSIZE) } else { Ok(length) }
            }
        }
    }

    pub(super) fn write(&self, packet: &[u8]) -> Outcome<usize> {
        if self.pi {
            return self.send_raw(&[IoSlice::new(packet)]);
        }
        let family = family(packet.first().copied())?;
        self.send(&[IoSlice::new(&family), IoSlice::new(packet)])
    }

    pub(super) fn writev(&self, parts: &[IoSlice<'_>]) -> Outcome<usize> {
        if self.pi {
            return self.send_raw(parts);
        }
        if parts.len() < FEW { self.send_framed::<FEW>(parts) } else { self.send_framed::<MANY>(parts) }
    }

    fn send_framed<const N: usize>(&self, parts: &[IoSlice<'_>]) -> Outcome<usize> {
        let family = family(bytes(parts).next())?;
        let mut framed = [IoSlice::new(&[]); N];
        let all = [IoSlice::new(&family)].into_iter().chain(parts.iter().copied());
        for (to, part) in framed.iter_mut().zip(all) {
            *to = part;
        }
        let count = parts.len().saturating_add(1);
        self.send(framed.get(..count).ok_or(Errno::EINVAL)?)
    }

    /// Checks the address family, because the kernel drops a packet with a wrong family and reports no error.
    fn send_raw(&self, parts: &[IoSlice<'_>]) -> Outcome<usize> {
        let mut bytes = bytes(parts);
        let mut given = [0; FAMILY];
        for (to, byte) in given.iter_mut().zip(&mut bytes) {
            *to = byte;
        }
        if given != family(bytes.next())? {
            return Err(Errno::EINVAL);
        }
        kernel::writev(self.fd(), parts).map_err(translate)
    }

    fn send(&self, framed: &[IoSlice<'_>]) -> Outcome<usize> {
        let length = kernel::writev(self.fd(), framed).map_err(translate)?;
        Ok(length.saturating_sub(FAMILY))
    }
}

/// The name of the utun with this descriptor. Fails for other descriptors.
pub(super) fn name_of(socket: BorrowedFd<'_>) -> Outcome<Name> {
    let mut name = [0; IF_NAME_SIZE];
    let length = kernel::get_option(socket, SYSPROTO_CONTROL, UTUN_OPT_IFNAME, &mut name)?;
    let name = name.get(..length).unwrap_or(&name);
    let text = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Name::new(text).map_err(|_| Errno::ENODEV)
}

/// Whether each packet also has the UUID of a process before it (if_utun.c, UTUN_HEADER_SIZE).
pub(super) fn has_longer_header(socket: BorrowedFd<'_>) -> Outcome<bool> {
    let mut flags = [0; 4];
    kernel::get_option(socket, SYSPROTO_CONTROL, UTUN_OPT_FLAGS, &mut flags)?;
    Ok(u32::from_ne_bytes(flags) & UTUN_FLAGS_ENABLE_PROC_UUID != 0)
}

fn bytes(parts: &[IoSlice<'_>]) -> impl Iterator<Item = u8> {
    parts.iter().flat_map(|part| part.iter().copied())
}

/// The address family of an IP packet with this first byte.
fn family(first: Option<u8>) -> Outcome<[u8; FAMILY]> {
    match first.map(|byte| byte >> 4) {
        Some(4) => Ok((AF_INET as u32).to_be_bytes()),
        Some(6) => Ok((AF_INET6 as u32).to_be_bytes()),
        _ => Err(Errno::EINVAL),
    }
}

/// Translates errors of a socket whose utun is gone to ENODEV.
fn translate(errno: Errno) -> Errno {
    match errno {
        Errno::ENXIO | Errno::ENOTCONN | Errno::ECONNRESET | Errno::EPIPE => Errno::ENODEV,
        _ => errno,
    }
}
