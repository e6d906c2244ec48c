// SPDX-License-Identifier: MIT
//! The socket under netlink: what it sends goes to the kernel, and what it receives comes from there.

use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use crate::model::error::Errno;
use crate::sys::Outcome;

/// A socket of NETLINK_ROUTE, in the network namespace that its maker was in.
pub(super) struct KernelSocket(OwnedFd);

/// What was received: all of it is the kernel's.
pub(super) struct Datagram<'a> {
    pub(super) bytes: &'a [u8],
    /// It went to all who listen, and answers nobody.
    pub(super) announced: bool,
}

impl KernelSocket {
    pub(super) fn new() -> Outcome<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: takes numbers only.
        let fd = Errno::result(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) })?;
        // SAFETY: socket has just made this descriptor, for nobody else.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Connects it to the kernel: what another process sends to its port alone is refused to that process, so that it
    /// cannot fill the queue either.
    pub(super) fn connect(&self) -> Outcome<()> {
        let (kernel, length) = address();
        // SAFETY: the kernel reads `length` bytes of the address.
        let returned = unsafe { libc::connect(self.0.as_raw_fd(), (&raw const kernel).cast(), length) };
        Errno::result(returned).map(drop)
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// The number that the kernel has given this socket.
    pub(super) fn port(&self) -> Outcome<u32> {
        let (mut own, mut length) = address();
        // SAFETY: the kernel writes at most `length` bytes of the address.
        let returned =
            unsafe { libc::getsockname(self.0.as_raw_fd(), (&raw mut own).cast(), &raw mut length) };
        Errno::result(returned)?;
        Ok(own.nl_pid)
    }

    /// Has the socket receive what is announced to this group.
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

    /// Lets in only what this classic BPF program takes.
    pub(super) fn set_filter(&self, program: &mut [libc::sock_filter]) -> Outcome<()> {
        let len = u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
        let program = libc::sock_fprog { len, filter: program.as_mut_ptr() };
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
    }

    fn set<T>(&self, level: libc::c_int, option: libc::c_int, value: &T) -> Outcome<()> {
        let size = size_of::<T>() as libc::socklen_t;
        // SAFETY: the kernel reads `size` bytes of `value`, and the instructions that a sock_fprog points to.
        let returned =
            unsafe { libc::setsockopt(self.0.as_raw_fd(), level, option, ptr::from_ref(value).cast(), size) };
        Errno::result(returned).map(drop)
    }

    pub(super) fn send(&self, bytes: &[u8]) -> Outcome<()> {
        // SAFETY: the kernel reads the bytes.
        let sent = unsafe { libc::send(self.0.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) };
        Errno::result(sent).map(drop)
    }

    /// What waits in the socket, without waiting for it. What does not come from the kernel is thrown away: processes
    /// of the namespace's root may announce to a group. None where that was all that there was.
    pub(super) fn receive<'a>(&self, buffer: &'a mut [u8]) -> Outcome<Option<Datagram<'a>>> {
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        let (mut sender, mut size) = address();
        // SAFETY: the kernel writes at most the buffer's length to it, and `size` bytes of the address.
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
        let bytes = buffer.get(..received.unsigned_abs()).ok_or(Errno::EMSGSIZE)?;
        Ok(Some(Datagram { bytes, announced: sender.nl_groups != 0 }))
    }
}

/// That of the kernel, and its size.
fn address() -> (libc::sockaddr_nl, libc::socklen_t) {
    // SAFETY: zeros make an address.
    let mut address: libc::sockaddr_nl = unsafe { mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    (address, size_of_val(&address) as libc::socklen_t)
}
