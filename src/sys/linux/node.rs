// SPDX-License-Identifier: MIT
//! The device node, and the ioctls of its descriptor.

use std::ffi::{c_char, c_int};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::ptr;

use super::file::{self, shown};
use super::ioctl::{self, FilterProgram};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::{Kind, Mode};
use crate::model::link::{Link, Mac};
use crate::model::memory;
use crate::model::name::Name;
use crate::model::steering::Program;
use crate::model::text::text;
use crate::sys::{Outcome, descriptor};

pub(super) const USUAL_NODE: &str = "/dev/net/tun";

/// The modes of a queue, as TUNGETIFF reports them. It does not report packet information reliably, because IFF_NO_PI
/// and IFF_NOFILTER are the same bit.
pub(super) struct Granted {
    pub(super) name: Name,
    pub(super) kind: Kind,
    pub(super) multi_queue: bool,
    pub(super) offload: bool,
    pub(super) napi: bool,
    pub(super) napi_frags: bool,
    pub(super) persist: bool,
    pub(super) attached: bool,
    /// IFF_NO_PI, or IFF_NOFILTER, or both.
    no_pi_or_filter: bool,
}

impl Granted {
    /// The device certainly has packet information: neither IFF_NO_PI nor IFF_NOFILTER is set.
    pub(super) fn shows_pi(&self) -> bool {
        !self.no_pi_or_filter
    }

    pub(super) fn mode(&self, pi: bool) -> Mode {
        Mode {
            kind: self.kind,
            pi,
            multi_queue: self.multi_queue,
            offload: self.offload,
            napi: self.napi,
            napi_frags: self.napi_frags,
        }
    }
}

/// An open device node. Its calls never wait: see wait.rs for waits, and packet.rs for packets.
pub(super) struct Node(OwnedFd);

impl Node {
    pub(super) fn open(path: &Path) -> Result<Self> {
        file::open(path, libc::O_RDWR | libc::O_NONBLOCK).map(Self).map_err(|errno| explain_open(path, errno))
    }

    /// Takes the descriptor of a node that was opened elsewhere, or a copy of it. It can be released until
    /// [`Self::keep`].
    pub(super) fn from_fd(fd: RawFd, borrow: bool) -> Result<Self> {
        let failed = |errno: Errno| explain_fd(fd, errno);
        if fd < 0 {
            return Err(failed(Errno::EBADF));
        }
        // SAFETY: borrowed for these calls, which fail if the descriptor is not open.
        let theirs = unsafe { BorrowedFd::borrow_raw(fd) };
        granted(theirs).map_err(failed)?;
        if !descriptor::is_read_write(theirs).map_err(failed)? {
            let text = text!("take over descriptor {fd}: it is not open for reading and writing");
            return Err(Error::new(Errno::EBADF, Reason::Argument, text));
        }
        descriptor::take(theirs, borrow).map(Self).map_err(failed)
    }

    /// Makes the descriptor non-blocking and close-on-exec. On failure it is unchanged.
    pub(super) fn keep(&self) -> Outcome<()> {
        let before = descriptor::flags(&self.0)?;
        descriptor::close_on_exec(&self.0)?;
        descriptor::nonblocking(&self.0).inspect_err(|_| {
            let _ = descriptor::set_flags(&self.0, before);
        })
    }

    /// Returns the descriptor to its owner, without closing it.
    pub(super) fn release(self) {
        let _ = self.0.into_raw_fd();
    }

    /// Returns the descriptor.
    pub(super) fn into_fd(self) -> OwnedFd {
        self.0
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// TUNGETFEATURES: the flags that TUNSETIFF accepts. Needs no device.
    pub(super) fn features(&self) -> Outcome<u32> {
        let mut features = 0;
        // SAFETY: the kernel writes one unsigned int.
        unsafe { ioctl::tungetfeatures(self.0.as_raw_fd(), &mut features) }?;
        Ok(features)
    }

    /// Whether the kernel knows a request that reads an int: with a NULL argument it then fails with EFAULT.
    pub(super) fn knows(&self, request: ioctl::ReadsInt) -> Outcome<bool> {
        // SAFETY: the kernel reads nothing at NULL.
        match unsafe { request(self.0.as_raw_fd(), ptr::null()) } {
            Ok(_) | Err(Errno::EFAULT) => Ok(true),
            Err(Errno::EINVAL | Errno::ENOTTY) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// TUNSETIFF: attaches to the device with this name, or creates it. Returns its name.
    pub(super) fn join(&self, name: &[u8], mode: Mode, exclusive: bool) -> Outcome<Name> {
        let mut flags = mode_bits(mode);
        if exclusive {
            flags |= libc::IFF_TUN_EXCL;
        }
        let mut request = request(name, flags);
        // SAFETY: the kernel reads and writes one ifreq.
        unsafe { ioctl::tunsetiff(self.0.as_raw_fd(), &mut request) }?;
        name_in(&request)
    }

    /// TUNGETIFF. EBADFD if the device is gone: see [`Self::translate`].
    pub(super) fn granted(&self) -> Outcome<Granted> {
        granted(self.fd())
    }

    /// Translates errors of the driver. EIO: the device is down. EBADFD: it is gone. EFAULT: the device was removed
    /// during a read, or the buffer is not valid memory.
    pub(super) fn translate(&self, errno: Errno) -> Errno {
        match errno {
            Errno::EIO => Errno::ENETDOWN,
            Errno::EBADFD => Errno::ENODEV,
            Errno::EFAULT if self.granted().err() == Some(Errno::EBADFD) => Errno::ENODEV,
            _ => errno,
        }
    }

    /// Whether this interface can be the device of the descriptor: all properties that both report are equal.
    pub(super) fn may_be(&self, link: &Link) -> bool {
        let (Ok(granted), Some(tuntap)) = (self.granted(), link.tuntap) else { return false };
        let mode = granted.mode(tuntap.mode.pi);
        let seen = Mode { napi: mode.napi, napi_frags: mode.napi_frags, ..tuntap.mode };
        let same_mac = mode.kind == Kind::Tun || self.mac() == link.mac;
        mode == seen && granted.persist == tuntap.persist && same_mac
    }

    fn mac(&self) -> Option<Mac> {
        let mut request = request(b"", 0);
        // SAFETY: the kernel writes one ifreq, and sets its address.
        let data = unsafe {
            ioctl::siocgifhwaddr(self.0.as_raw_fd(), &mut request).ok()?;
            request.ifr_ifru.ifru_hwaddr.sa_data
        };
        let [a, b, c, d, e, f, ..] = data.map(|byte| byte as u8);
        Some(Mac::reported([a, b, c, d, e, f]))
    }

    /// TUNGETDEVNETNS, since Linux 5.4: the network namespace of the device.
    pub(super) fn namespace(&self) -> Outcome<OwnedFd> {
        // SAFETY: the request has no argument, and returns a new descriptor that nothing else owns.
        unsafe {
            let fd = ioctl::tungetdevnetns(self.0.as_raw_fd())?;
            Ok(OwnedFd::from_raw_fd(fd))
        }
    }

    /// TUNSETCARRIER, since Linux 5.0.
    pub(super) fn set_carrier(&self, on: bool) -> Outcome<()> {
        // SAFETY: the kernel reads one int.
        unsafe { ioctl::tunsetcarrier(self.0.as_raw_fd(), &c_int::from(on)) }.map(drop)
    }

    pub(super) fn send_buffer(&self) -> Outcome<u32> {
        let mut bytes: c_int = 0;
        // SAFETY: the kernel writes one int.
        unsafe { ioctl::tungetsndbuf(self.0.as_raw_fd(), &mut bytes) }?;
        Ok(bytes.unsigned_abs())
    }

    pub(super) fn set_send_buffer(&self, bytes: u32) -> Outcome<()> {
        // SAFETY: the kernel reads one int.
        unsafe { ioctl::tunsetsndbuf(self.0.as_raw_fd(), &(bytes as c_int)) }.map(drop)
    }

    /// TUNSETSTEERINGEBPF or TUNSETFILTEREBPF. -1 removes the program.
    pub(super) fn set_program(&self, program: Program, fd: Option<RawFd>) -> Outcome<()> {
        let set = match program {
            Program::Steering => ioctl::tunsetsteeringebpf,
            Program::Filter => ioctl::tunsetfilterebpf,
        };
        // SAFETY: the kernel reads one int.
        unsafe { set(self.0.as_raw_fd(), &fd.unwrap_or(-1)) }.map(drop)
    }

    /// TUNATTACHFILTER, for all attached queues of a TAP.
    pub(super) fn attach_filter(&self, program: &FilterProgram) -> Outcome<()> {
        // SAFETY: the kernel reads one sock_fprog, and checks the address of its instructions.
        unsafe { ioctl::tunattachfilter(self.0.as_raw_fd(), program) }.map(drop)
    }

    /// TUNDETACHFILTER, from all attached queues of a TAP.
    pub(super) fn detach_filter(&self) -> Outcome<()> {
        let unused = FilterProgram::new(0, ptr::null());
        // SAFETY: the kernel reads at most one sock_fprog.
        unsafe { ioctl::tundetachfilter(self.0.as_raw_fd(), &unused) }.map(drop)
    }

    /// TUNGETFILTER: the argument of the last TUNATTACHFILTER, of any process.
    pub(super) fn filter(&self) -> Outcome<FilterProgram> {
        let mut program = FilterProgram::new(0, ptr::null());
        // SAFETY: the kernel writes one sock_fprog.
        unsafe { ioctl::tungetfilter(self.0.as_raw_fd(), &mut program) }?;
        Ok(program)
    }

    /// TUNSETTXFILTER: struct tun_filter has two 16-bit words, flags and count, followed by the addresses.
    pub(super) fn set_tx_filter(&self, macs: &[Mac], all_groups: bool) -> Outcome<()> {
        let count = u16::try_from(macs.len()).map_err(|_| Errno::EINVAL)?;
        let flags = u16::from(all_groups);
        let head = [flags.to_ne_bytes(), count.to_ne_bytes()];
        let addresses = macs.iter().flat_map(|mac| mac.octets());
        let filter = memory::collect(head.into_iter().flatten().chain(addresses))?;
        // SAFETY: the kernel reads the two words, and the number of addresses in the second one.
        unsafe { ioctl::tunsettxfilter(self.0.as_raw_fd(), filter.as_ptr()) }.map(drop)
    }

    /// TUNSETOFFLOAD: the bits of the ABI are those of TUN_F_*.
    pub(super) fn set_offload(&self, offloads: u64) -> Outcome<()> {
        // SAFETY: takes a number only.
        unsafe { ioctl::tunsetoffload(self.0.as_raw_fd(), offloads as c_int) }.map(drop)
    }

    pub(super) fn set_persist(&self, on: bool) -> Outcome<()> {
        // SAFETY: takes a number only.
        unsafe { ioctl::tunsetpersist(self.0.as_raw_fd(), on.into()) }.map(drop)
    }

    pub(super) fn set_owner(&self, uid: u32) -> Outcome<()> {
        // SAFETY: takes a number only.
        unsafe { ioctl::tunsetowner(self.0.as_raw_fd(), uid as libc::c_int) }.map(drop)
    }

    pub(super) fn set_group(&self, gid: u32) -> Outcome<()> {
        // SAFETY: takes a number only.
        unsafe { ioctl::tunsetgroup(self.0.as_raw_fd(), gid as libc::c_int) }.map(drop)
    }

    /// TUNSETQUEUE. EINVAL if the queue is already in this state.
    pub(super) fn set_attached(&self, on: bool) -> Outcome<()> {
        let request = request(b"", if on { libc::IFF_ATTACH_QUEUE } else { libc::IFF_DETACH_QUEUE });
        // SAFETY: the kernel reads one ifreq.
        unsafe { ioctl::tunsetqueue(self.0.as_raw_fd(), &request) }.map(drop)
    }
}

fn granted(fd: BorrowedFd<'_>) -> Outcome<Granted> {
    let mut request = request(b"", 0);
    // SAFETY: the kernel writes one ifreq.
    unsafe { ioctl::tungetiff(fd.as_raw_fd(), &mut request) }?;
    // SAFETY: TUNGETIFF sets the flags, and any bits are valid.
    let flags = c_int::from(unsafe { request.ifr_ifru.ifru_flags });
    let has = |flag| flags & flag != 0;
    Ok(Granted {
        name: name_in(&request)?,
        kind: if has(libc::IFF_TAP) { Kind::Tap } else { Kind::Tun },
        multi_queue: has(libc::IFF_MULTI_QUEUE),
        offload: has(libc::IFF_VNET_HDR),
        napi: has(libc::IFF_NAPI),
        napi_frags: has(libc::IFF_NAPI_FRAGS),
        persist: has(libc::IFF_PERSIST),
        attached: !has(libc::IFF_DETACH_QUEUE),
        no_pi_or_filter: has(libc::IFF_NO_PI),
    })
}

fn mode_bits(mode: Mode) -> c_int {
    let kind = match mode.kind {
        Kind::Tun => libc::IFF_TUN,
        Kind::Tap => libc::IFF_TAP,
    };
    let no_pi = if mode.pi { 0 } else { libc::IFF_NO_PI };
    let queues = if mode.multi_queue { libc::IFF_MULTI_QUEUE } else { 0 };
    let offload = if mode.offload { libc::IFF_VNET_HDR } else { 0 };
    let napi = if mode.napi { libc::IFF_NAPI } else { 0 };
    let napi_frags = if mode.napi_frags { libc::IFF_NAPI_FRAGS } else { 0 };
    kind | no_pi | queues | offload | napi | napi_frags
}

/// The name that the kernel wrote to the request.
pub(super) fn name_in(request: &libc::ifreq) -> Outcome<Name> {
    let name = request.ifr_name.map(|byte| byte as u8);
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Name::new(name).map_err(|error| error.errno())
}

pub(super) fn request(name: &[u8], flags: c_int) -> libc::ifreq {
    let mut ifr_name: [c_char; libc::IFNAMSIZ] = [0; libc::IFNAMSIZ];
    for (to, from) in ifr_name.iter_mut().zip(name) {
        *to = *from as c_char;
    }
    // The kernel has 16 bits of flags. The highest one is IFF_TUN_EXCL.
    let ifru_flags = flags as libc::c_short;
    libc::ifreq { ifr_name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags } }
}

fn explain_fd(fd: RawFd, errno: Errno) -> Error {
    let action = text!("take over descriptor {fd}");
    match errno {
        Errno::EBADF => Error::new(errno, Reason::Argument, text!("{action}: it is not open")),
        Errno::EBADFD => {
            let text = text!("{action}: its device is gone, or it was never attached to one (TUNSETIFF)");
            Error::new(Errno::ENODEV, Reason::Removed, text)
        }
        Errno::ENOTTY | Errno::EINVAL => Error::new(
            Errno::EINVAL,
            Reason::Kind,
            text!("{action}: it does not belong to a TUN or TAP device"),
        ),
        _ => Error::system(errno, action),
    }
}

fn explain_open(path: &Path, errno: Errno) -> Error {
    let (reason, advice) = match errno {
        Errno::ENOENT | Errno::ENODEV | Errno::ENXIO if path != Path::new(USUAL_NODE) => {
            (Reason::NoDriver, "check the path: the default is /dev/net/tun")
        }
        Errno::ENOENT | Errno::ENODEV | Errno::ENXIO => (
            Reason::NoDriver,
            "load the driver (modprobe tun), or pass the node to the container (--device /dev/net/tun)",
        ),
        Errno::EACCES => {
            (Reason::Privilege, "run as root, or make the node readable and writable for all (mode 0666)")
        }
        // The mode allows it, and the control group or a security module does not.
        Errno::EPERM => (
            Reason::Privilege,
            "allow the node in the container (--device /dev/net/tun) or in the service (DeviceAllow=/dev/net/tun rw)",
        ),
        _ => return Error::system(errno, text!("open the device node {}", shown(path))),
    };
    let text = text!("open the device node {}: {}: {advice}", shown(path), errno.desc());
    Error::new(errno, reason, text)
}
