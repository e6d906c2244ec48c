// SPDX-License-Identifier: MIT
//! Detects the packet-information header through a descriptor alone.

use std::os::fd::AsRawFd;

use super::hidden::Hidden;
use super::node::Node;
use crate::model::error::Errno;
use crate::model::flags::Kind;
use crate::model::packet::PI_HEADER;
use crate::sys::Outcome;

impl Node {
    /// Whether packets have the packet-information header. Writes no packet, and does not change the device: the memory
    /// of the write is unreadable. EFAULT shows that the kernel tried to read it (tun_get_user), EINVAL that the length
    /// was too short.
    ///
    /// Of 4 bytes the kernel first reads packet information, if packets have it. Otherwise they are too short for a
    /// frame, or for the virtio header. A TUN without a virtio header has no minimum length. So it gets 1 byte, which
    /// is too short for packet information. Without packet information the kernel tries to read the byte, and counts a
    /// dropped packet.
    pub(super) fn has_pi(&self) -> Outcome<bool> {
        let granted = self.granted()?;
        if granted.shows_pi() {
            return Ok(true);
        }
        let has_minimum = granted.kind == Kind::Tap || granted.offload;
        let length = if has_minimum { PI_HEADER } else { 1 };
        match self.offer_unreadable(length)? {
            Errno::EFAULT => Ok(has_minimum),
            Errno::EINVAL => Ok(!has_minimum),
            errno => Err(errno),
        }
    }

    /// The error of a write from unreadable memory. tests/c/valgrind.supp contains the name of this function.
    #[inline(never)]
    fn offer_unreadable(&self, length: usize) -> Outcome<Errno> {
        let memory = Hidden::new(&[])?;
        // SAFETY: the kernel can read nothing there.
        let written =
            unsafe { libc::syscall(libc::SYS_write, self.fd().as_raw_fd(), memory.address(), length) };
        if written < 0 { Ok(Errno::last()) } else { Err(Errno::EPROTO) }
    }
}
