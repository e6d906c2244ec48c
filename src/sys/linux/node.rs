// SPDX-License-Identifier: MIT
//! The device node, and what its descriptor answers to.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat;

use crate::error::{Errno, Error, Reason, Result};
use crate::flags::{Kind, Mode};
use crate::name::Name;

mod ioctl {
    nix::ioctl_write_ptr_bad!(tunsetiff, libc::TUNSETIFF, libc::ifreq);
    nix::ioctl_read_bad!(tungetiff, libc::TUNGETIFF, libc::ifreq);
    nix::ioctl_write_ptr_bad!(tunsetqueue, libc::TUNSETQUEUE, libc::ifreq);
    nix::ioctl_write_int_bad!(tunsetpersist, libc::TUNSETPERSIST);
    nix::ioctl_write_int_bad!(tunsetowner, libc::TUNSETOWNER);
    nix::ioctl_write_int_bad!(tunsetgroup, libc::TUNSETGROUP);
}

pub(super) const USUAL_NODE: &str = "/dev/net/tun";

/// What the kernel says of the queue behind a descriptor. It would say the modes of the device too, but
/// IFF_NO_PI and IFF_NOFILTER are one bit, so that rtnetlink is the one to ask.
pub(super) struct Granted {
    pub(super) name: Name,
    pub(super) attached: bool,
}

/// An open device node.
pub(super) struct Node(OwnedFd);

impl Node {
    pub(super) fn open(path: &Path, nonblock: bool) -> Result<Self> {
        let mut flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
        flags.set(OFlag::O_NONBLOCK, nonblock);
        open(path, flags, stat::Mode::empty()).map(Self).map_err(|errno| explain_open(path, errno))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// TUNSETIFF: joins the device of this name, or makes it.
    pub(super) fn join(&self, name: &[u8], mode: Mode, exclusive: bool) -> std::result::Result<(), Errno> {
        let mut flags = mode_bits(mode);
        if exclusive {
            flags |= libc::IFF_TUN_EXCL;
        }
        let request = request(name, flags);
        // SAFETY: the kernel reads one ifreq, which `request` is.
        unsafe { ioctl::tunsetiff(self.0.as_raw_fd(), &request) }.map(drop)
    }

    /// TUNGETIFF. EBADFD when the device is gone.
    pub(super) fn granted(&self) -> std::result::Result<Granted, Errno> {
        let mut request = request(b"", 0);
        // SAFETY: the kernel writes one ifreq, which `request` is.
        unsafe { ioctl::tungetiff(self.0.as_raw_fd(), &mut request) }?;
        // SAFETY: TUNGETIFF fills in the flags, and any bits are valid ones.
        let flags = libc::c_int::from(unsafe { request.ifr_ifru.ifru_flags });
        let name: Vec<u8> =
            request.ifr_name.iter().map(|byte| *byte as u8).take_while(|byte| *byte != 0).collect();
        let name = Name::new(&name).map_err(|error| error.errno())?;
        Ok(Granted { name, attached: flags & libc::IFF_DETACH_QUEUE == 0 })
    }

    pub(super) fn set_persist(&self, on: bool) -> std::result::Result<(), Errno> {
        // SAFETY: takes a number only.
        unsafe { ioctl::tunsetpersist(self.0.as_raw_fd(), on.into()) }.map(drop)
    }

    pub(super) fn set_owner(&self, uid: u32) -> std::result::Result<(), Errno> {
        // SAFETY: takes a number only.
        unsafe { ioctl::tunsetowner(self.0.as_raw_fd(), uid as libc::c_int) }.map(drop)
    }

    pub(super) fn set_group(&self, gid: u32) -> std::result::Result<(), Errno> {
        // SAFETY: takes a number only.
        unsafe { ioctl::tunsetgroup(self.0.as_raw_fd(), gid as libc::c_int) }.map(drop)
    }

    /// TUNSETQUEUE. EINVAL when it is so already.
    pub(super) fn set_attached(&self, on: bool) -> std::result::Result<(), Errno> {
        let request = request(b"", if on { libc::IFF_ATTACH_QUEUE } else { libc::IFF_DETACH_QUEUE });
        // SAFETY: the kernel reads one ifreq, which `request` is.
        unsafe { ioctl::tunsetqueue(self.0.as_raw_fd(), &request) }.map(drop)
    }

    pub(super) fn nonblock(&self) -> std::result::Result<bool, Errno> {
        Ok(self.status()?.contains(OFlag::O_NONBLOCK))
    }

    pub(super) fn set_nonblock(&self, on: bool) -> std::result::Result<(), Errno> {
        let mut flags = self.status()?;
        flags.set(OFlag::O_NONBLOCK, on);
        fcntl(&self.0, FcntlArg::F_SETFL(flags)).map(drop)
    }

    fn status(&self) -> std::result::Result<OFlag, Errno> {
        fcntl(&self.0, FcntlArg::F_GETFL).map(OFlag::from_bits_retain)
    }

    /// Reads into a buffer that no packet exceeds.
    pub(super) fn read(&self, buf: &mut [MaybeUninit<u8>]) -> std::result::Result<usize, Errno> {
        // SAFETY: the kernel writes at most the buffer's length into the buffer.
        outcome(unsafe { libc::syscall(libc::SYS_read, self.0.as_raw_fd(), buf.as_mut_ptr(), buf.len()) })
    }

    /// Reads into a buffer that a packet may exceed: the kernel would cut it without a word, so one byte more
    /// is offered, and a packet that reaches it was too long.
    pub(super) fn read_short(&self, buf: &mut [MaybeUninit<u8>]) -> std::result::Result<usize, Errno> {
        let mut spill = MaybeUninit::<u8>::uninit();
        let parts = [
            libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() },
            libc::iovec { iov_base: spill.as_mut_ptr().cast(), iov_len: 1 },
        ];
        // SAFETY: the kernel writes at most each part's length, of the buffer and of the spilled byte.
        let length = outcome(unsafe {
            libc::syscall(libc::SYS_readv, self.0.as_raw_fd(), parts.as_ptr(), parts.len())
        })?;
        if length > buf.len() { Err(Errno::EMSGSIZE) } else { Ok(length) }
    }

    pub(super) fn write(&self, packet: &[u8]) -> std::result::Result<usize, Errno> {
        // SAFETY: the kernel reads at most the packet's length from the packet.
        outcome(unsafe { libc::syscall(libc::SYS_write, self.0.as_raw_fd(), packet.as_ptr(), packet.len()) })
    }
}

/// What a system call returned. The calls on a packet's way go past libc's wrappers: those are cancellation
/// points, which cost more, and which would unwind a thread through this library.
fn outcome(returned: libc::c_long) -> std::result::Result<usize, Errno> {
    usize::try_from(returned).map_err(|_| Errno::last())
}

fn mode_bits(mode: Mode) -> libc::c_int {
    let kind = match mode.kind {
        Kind::Tun => libc::IFF_TUN,
        Kind::Tap => libc::IFF_TAP,
    };
    let no_pi = if mode.pi { 0 } else { libc::IFF_NO_PI };
    let queues = if mode.multi_queue { libc::IFF_MULTI_QUEUE } else { 0 };
    kind | no_pi | queues
}

fn request(name: &[u8], flags: libc::c_int) -> libc::ifreq {
    let mut ifr_name: [c_char; libc::IFNAMSIZ] = [0; libc::IFNAMSIZ];
    for (to, from) in ifr_name.iter_mut().zip(name) {
        *to = *from as c_char;
    }
    // The kernel keeps 16 bits of flags, the uppermost of which is IFF_TUN_EXCL.
    let ifru_flags = flags as libc::c_short;
    libc::ifreq { ifr_name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags } }
}

fn explain_open(path: &Path, errno: Errno) -> Error {
    let (reason, advice) = match errno {
        Errno::ENOENT | Errno::ENODEV | Errno::ENXIO if path != Path::new(USUAL_NODE) => {
            (Reason::NoDriver, "check the path; the usual one is /dev/net/tun")
        }
        Errno::ENOENT | Errno::ENODEV | Errno::ENXIO => (
            Reason::NoDriver,
            "load the driver (modprobe tun), or give the container the node (--device /dev/net/tun)",
        ),
        Errno::EACCES | Errno::EPERM => {
            (Reason::Privilege, "run as root, or let the node be read and written by others (mode 0666)")
        }
        _ => return Error::system(errno, format!("open the device node {}", path.display())),
    };
    let text = format!("open the device node {}: {}: {advice}", path.display(), errno.desc());
    Error::new(errno, reason, text)
}
