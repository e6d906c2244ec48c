// SPDX-License-Identifier: MIT
//! ioctl requests to the driver, to ethtool and to a namespace, each with the type of its argument. An error keeps its
//! errno, also one without a name.

use std::ffi::{c_int, c_ulong};
use std::os::fd::RawFd;

use crate::model::error::Errno;
use crate::model::steering::Instruction;
use crate::sys::Outcome;

/// struct sock_fprog as a 64-bit kernel has it, for 32-bit programs too. A 32-bit kernel has the address where a
/// 64-bit kernel has padding.
#[repr(C)]
pub(super) struct FilterProgram {
    pub(super) len: u16,
    unused: u16,
    short_address: u32,
    address: u64,
}

impl FilterProgram {
    pub(super) fn new(len: u16, filter: *const Instruction) -> Self {
        let address = filter.expose_provenance();
        Self { len, unused: 0, short_address: address as u32, address: address as u64 }
    }

    /// The address of the instructions, which may be one of a 64-bit process.
    pub(super) fn address(&self) -> u64 {
        match self.address {
            0 => self.short_address.into(),
            address => address,
        }
    }
}

/// A request for which the kernel reads an int.
pub(super) type ReadsInt = unsafe fn(RawFd, *const c_int) -> Outcome<c_int>;

/// `reads T`: the kernel reads a T from the argument. `writes T`: it writes one there. `takes`: the argument is a
/// number, or there is none. `_program`: the data is a sock_fprog.
macro_rules! requests {
    ($($name:ident = $request:expr, $kind:ident $($data:ty)?;)*) => {
        $(requests!(@ $name, $request, $kind $($data)?);)*
    };
    (@ $name:ident, $request:expr, reads $data:ty) => {
        pub(super) unsafe fn $name(fd: RawFd, data: *const $data) -> Outcome<c_int> {
            Errno::result(unsafe { libc::ioctl(fd, $request as libc::Ioctl, data) })
        }
    };
    (@ $name:ident, $request:expr, writes $data:ty) => {
        pub(super) unsafe fn $name(fd: RawFd, data: *mut $data) -> Outcome<c_int> {
            Errno::result(unsafe { libc::ioctl(fd, $request as libc::Ioctl, data) })
        }
    };
    (@ $name:ident, $request:expr, reads_program) => {
        pub(super) unsafe fn $name(fd: RawFd, data: *const FilterProgram) -> Outcome<c_int> {
            unsafe { with_program(fd, $request as libc::Ioctl, data.cast_mut()) }
        }
    };
    (@ $name:ident, $request:expr, writes_program) => {
        pub(super) unsafe fn $name(fd: RawFd, data: *mut FilterProgram) -> Outcome<c_int> {
            unsafe { with_program(fd, $request as libc::Ioctl, data) }
        }
    };
    (@ $name:ident, $request:expr, takes $data:ty) => {
        pub(super) unsafe fn $name(fd: RawFd, data: $data) -> Outcome<c_int> {
            Errno::result(unsafe { libc::ioctl(fd, $request as libc::Ioctl, data as c_ulong) })
        }
    };
    (@ $name:ident, $request:expr, takes) => {
        pub(super) unsafe fn $name(fd: RawFd) -> Outcome<c_int> {
            Errno::result(unsafe { libc::ioctl(fd, $request as libc::Ioctl, 0 as c_ulong) })
        }
    };
}

requests! {
    tungetfeatures = libc::TUNGETFEATURES, writes u32;
    tunsetiff = libc::TUNSETIFF, writes libc::ifreq;
    tungetiff = libc::TUNGETIFF, writes libc::ifreq;
    tunsetqueue = libc::TUNSETQUEUE, reads libc::ifreq;
    tunsetpersist = libc::TUNSETPERSIST, takes c_int;
    tunsetowner = libc::TUNSETOWNER, takes c_int;
    tunsetgroup = libc::TUNSETGROUP, takes c_int;
    tunsetcarrier = libc::TUNSETCARRIER, reads c_int;
    tungetsndbuf = libc::TUNGETSNDBUF, writes c_int;
    tunsetsndbuf = libc::TUNSETSNDBUF, reads c_int;
    tungetdevnetns = libc::TUNGETDEVNETNS, takes;
    tunsetsteeringebpf = libc::TUNSETSTEERINGEBPF, reads c_int;
    tunsetfilterebpf = libc::TUNSETFILTEREBPF, reads c_int;
    tunattachfilter = libc::TUNATTACHFILTER, reads_program;
    tundetachfilter = libc::TUNDETACHFILTER, reads_program;
    tungetfilter = libc::TUNGETFILTER, writes_program;
    tunsettxfilter = libc::TUNSETTXFILTER, reads u8;
    tunsetoffload = libc::TUNSETOFFLOAD, takes c_int;
    tungetvnethdrsz = libc::TUNGETVNETHDRSZ, writes c_int;
    tunsetvnethdrsz = libc::TUNSETVNETHDRSZ, reads c_int;
    tungetvnetle = libc::TUNGETVNETLE, writes c_int;
    tunsetvnetle = libc::TUNSETVNETLE, reads c_int;
    tungetvnetbe = libc::TUNGETVNETBE, writes c_int;
    tunsetvnetbe = libc::TUNSETVNETBE, reads c_int;
    siocgifindex = libc::SIOCGIFINDEX, writes libc::ifreq;
    siocgifname = libc::SIOCGIFNAME, writes libc::ifreq;
    siocgifhwaddr = libc::SIOCGIFHWADDR, writes libc::ifreq;
    ethtool = libc::SIOCETHTOOL, writes libc::ifreq;
    // linux/nsfs.h.
    ns_get_nstype = libc::_IO(0xb7, 3), takes;
    // linux/sockios.h.
    siocgskns = 0x894c, takes;
}

/// A request whose number contains the size of sock_fprog. A 64-bit kernel knows only the number with its own size,
/// also from a 32-bit program, and refuses the other one with EINVAL.
unsafe fn with_program(fd: RawFd, request: libc::Ioctl, program: *mut FilterProgram) -> Outcome<c_int> {
    const MORE: usize = size_of::<FilterProgram>() - size_of::<libc::sock_fprog>();
    const IOC_SIZESHIFT: u32 = 16;
    let wider = request.wrapping_add((MORE << IOC_SIZESHIFT) as libc::Ioctl);
    match Errno::result(unsafe { libc::ioctl(fd, request, program) }) {
        Err(Errno::EINVAL) if wider != request => Errno::result(unsafe { libc::ioctl(fd, wider, program) }),
        answer => answer,
    }
}
