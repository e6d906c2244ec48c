// SPDX-License-Identifier: MIT
//! Whether packets have the packet-information header, found out through a descriptor alone.

use std::os::fd::AsRawFd;

use super::hidden::Hidden;
use super::node::Node;
use crate::model::error::Errno;
use crate::model::flags::Kind;
use crate::model::packet::PI_HEADER;
use crate::sys::Outcome;

impl Node {
    /// Writes no packet and changes nothing of the device: the kernel is offered memory that it cannot read, and says
    /// with EFAULT that it came to reading it (tun_get_user).
    ///
    /// Of 4 bytes it reads packet information first. Without that they are too short for a frame, or for the virtio
    /// header. A TUN with neither has no least length: it is offered 1 byte, which is too short for packet information;
    /// without that the kernel comes to reading it, and counts a dropped packet.
    pub(super) fn has_pi(&self) -> Outcome<bool> {
        let granted = self.granted()?;
        if granted.shows_pi() {
            return Ok(true);
        }
        let has_least_length = granted.kind == Kind::Tap || granted.offload;
        let length = if has_least_length { PI_HEADER } else { 1 };
        match self.offer_unreadable(length)? {
            Errno::EFAULT => Ok(has_least_length),
            Errno::EINVAL => Ok(!has_least_length),
            errno => Err(errno),
        }
    }

    /// The kernel's no to bytes that it cannot read. tests/c/valgrind.supp has its name.
    #[inline(never)]
    fn offer_unreadable(&self, length: usize) -> Outcome<Errno> {
        let memory = Hidden::new(&[])?;
        // SAFETY: the kernel reads nothing of it.
        let written =
            unsafe { libc::syscall(libc::SYS_write, self.fd().as_raw_fd(), memory.address(), length) };
        if written < 0 { Ok(Errno::last()) } else { Err(Errno::EPROTO) }
    }
}
