// SPDX-License-Identifier: MIT
//! A netlink socket that communicates with the kernel only.

use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use crate::model::error::Errno;
use crate::sys::{Outcome, zeroed};

// Version 0.2.191 of the crate libc gives 64-bit MIPS the numbers of most other processors.
#[cfg(not(target_arch = "mips64"))]
use libc::{SO_RCVBUF, SOL_SOCKET};
#[cfg(target_arch = "mips64")]
const SOL_SOCKET: libc::c_int = 0xffff;
#[cfg(target_arch = "mips64")]
const SO_RCVBUF: libc::c_int = 0x1002;

/// The first size of a receive buffer. A datagram of a list is not longer, unless one of its messages is
/// (netlink_dump).
pub(super) const ROOM: usize = 32 * 1024;
/// Limit of a receive buffer. The longest message is that of an interface: it has a few lists, such as that of its
/// alternative names, of up to 64 KiB each.
const MOST_ROOM: usize = 1 << 20;
/// Limit of the datagrams that are discarded at once.
const DRAIN: usize = 1 << 16;

/// A NETLINK_ROUTE socket, in the network namespace of the thread that opened it.
pub(super) struct KernelSocket(OwnedFd);

/// A datagram from the kernel.
pub(super) struct Datagram<'a> {
    pub(super) bytes: &'a [u8],
    /// Its length. If the buffer is shorter, the rest of the bytes is lost.
    pub(super) length: usize,
    /// It is a notification to a group, not an answer.
    pub(super) notification: bool,
}

impl Datagram<'_> {
    pub(super) fn is_cut(&self) -> bool {
        self.bytes.len() < self.length
    }
}

impl KernelSocket {
    pub(super) fn new() -> Outcome<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: takes numbers only.
        let fd = Errno::result(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) })?;
        // SAFETY: socket has just returned this descriptor, and nothing else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Connects it to the kernel. A unicast from another process then fails, so that it cannot fill the queue.
    pub(super) fn connect(&self) -> Outcome<()> {
        let (kernel, length) = address();
        // SAFETY: the kernel reads `length` bytes of the address.
        let returned = unsafe { libc::connect(self.0.as_raw_fd(), (&raw const kernel).cast(), length) };
        Errno::result(returned).map(drop)
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// The port (nl_pid) of this socket.
    pub(super) fn port(&self) -> Outcome<u32> {
        let (mut own, mut length) = address();
        // SAFETY: the kernel writes at most `length` bytes of the address.
        let returned =
            unsafe { libc::getsockname(self.0.as_raw_fd(), (&raw mut own).cast(), &raw mut length) };
        Errno::result(returned)?;
        Ok(own.nl_pid)
    }

    /// Joins a multicast group.
    pub(super) fn join(&self, group: libc::c_uint) -> Outcome<()> {
        self.set_option(libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, group as libc::c_int)
    }

    pub(super) fn set_option(
        &self,
        level: libc::c_int,
        option: libc::c_int,
        value: libc::c_int,
    ) -> Outcome<()> {
        self.set(level, option, &value)
    }

    /// Sets the size of the receive buffer in bytes.
    pub(super) fn set_receive_buffer(&self, size: libc::c_int) -> Outcome<()> {
        self.set_option(SOL_SOCKET, SO_RCVBUF, size)
    }

    /// Sets a classic BPF filter for received datagrams.
    pub(super) fn set_filter(&self, program: &mut [libc::sock_filter]) -> Outcome<()> {
        let len = u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
        let program = libc::sock_fprog { len, filter: program.as_mut_ptr() };
        self.set(SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
    }

    fn set<T>(&self, level: libc::c_int, option: libc::c_int, value: &T) -> Outcome<()> {
        let size = size_of::<T>() as libc::socklen_t;
        // SAFETY: the kernel reads `size` bytes of `value`, and the instructions that a sock_fprog points to.
        let returned =
            unsafe { libc::setsockopt(self.0.as_raw_fd(), level, option, ptr::from_ref(value).cast(), size) };
        Errno::result(returned).map(drop)
    }

    pub(super) fn send(&self, bytes: &[u8]) -> Outcome<()> {
        // SAFETY: the kernel reads at most the length of the bytes.
        let sent = unsafe { libc::send(self.0.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) };
        Errno::result(sent).map(drop)
    }

    /// Receives a datagram without waiting. None if it was not from the kernel, and was discarded: root in the
    /// namespace may send to a group.
    pub(super) fn receive<'a>(&self, buffer: &'a mut [u8]) -> Outcome<Option<Datagram<'a>>> {
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        let (mut sender, mut size) = address();
        // SAFETY: the kernel writes at most the length of the buffer, and `size` bytes of the address.
        let received = Errno::result(unsafe {
            libc::recvfrom(
                self.0.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                flags,
                (&raw mut sender).cast(),
                &raw mut size,
            )
        })?;
        if sender.nl_family != libc::AF_NETLINK as libc::sa_family_t || sender.nl_pid != 0 {
            return Ok(None);
        }
        let length = received.unsigned_abs();
        let bytes = buffer.get(..length).unwrap_or(buffer);
        Ok(Some(Datagram { bytes, length, notification: sender.nl_groups != 0 }))
    }

    /// Discards what has arrived, and the rest of an unfinished dump, which the kernel sends during these receives.
    pub(super) fn drain(&self, buffer: &mut [u8]) {
        for _ in 0..DRAIN {
            if self.receive(buffer).is_err_and(|errno| errno == Errno::EAGAIN) {
                return;
            }
        }
    }
}

/// Replaces a receive buffer by one with room for a datagram of this length.
pub(super) fn lengthen(buffer: &mut Box<[u8]>, length: usize) -> Outcome<()> {
    if length > MOST_ROOM {
        return Err(Errno::EMSGSIZE);
    }
    *buffer = zeroed(length.next_power_of_two())?;
    Ok(())
}

/// The address of the kernel, and its size.
fn address() -> (libc::sockaddr_nl, libc::socklen_t) {
    // SAFETY: a sockaddr_nl may be all zeros.
    let mut address: libc::sockaddr_nl = unsafe { mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    (address, size_of_val(&address) as libc::socklen_t)
}
