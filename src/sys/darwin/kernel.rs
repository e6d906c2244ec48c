// SPDX-License-Identifier: MIT
//! The system calls that the backend makes of Darwin's kernel, and of no other. A simulated kernel stands in for them
//! where there is none: src/sys/darwin/simulated.
//!
//! Descriptors are close-on-exec from the beginning, as far as Darwin lets them be.

use std::ffi::{CStr, c_int, c_ulong, c_void};
use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use super::descriptor;
use super::layout::IFDRV_SIZE;
use super::room::Room;
use crate::model::error::Errno;
use crate::model::name::Name;
use crate::sys::{CancelDisabled, Outcome};

/// As libc's and a negative number has failed.
fn outcome(returned: isize) -> Outcome<usize> {
    usize::try_from(returned).map_err(|_| Errno::last())
}

fn done(returned: c_int) -> Outcome<()> {
    outcome(returned as isize).map(drop)
}

/// A descriptor that was made just now, for nobody else.
fn owned(returned: c_int) -> Outcome<OwnedFd> {
    done(returned)?;
    // SAFETY: the caller has it of a system call that makes one.
    let fd = unsafe { OwnedFd::from_raw_fd(returned) };
    descriptor::close_on_exec(&fd)?;
    Ok(fd)
}

pub(super) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Outcome<OwnedFd> {
    // SAFETY: takes numbers only.
    owned(unsafe { libc::socket(domain, kind, protocol) })
}

/// Opens a file to read and write.
pub(super) fn open(path: &CStr) -> Outcome<OwnedFd> {
    // SAFETY: reads a text with a NUL.
    owned(unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) })
}

pub(super) fn connect(fd: BorrowedFd<'_>, address: &[u8]) -> Outcome<()> {
    // SAFETY: the kernel reads at most the length of the address from it.
    done(unsafe { libc::connect(fd.as_raw_fd(), address.as_ptr().cast(), address.len() as libc::socklen_t) })
}

pub(super) fn bind(fd: BorrowedFd<'_>, address: &[u8]) -> Outcome<()> {
    // SAFETY: as above.
    done(unsafe { libc::bind(fd.as_raw_fd(), address.as_ptr().cast(), address.len() as libc::socklen_t) })
}

/// Reads an option; how many bytes it has.
pub(super) fn get_option(
    fd: BorrowedFd<'_>,
    level: c_int,
    option: c_int,
    value: &mut [u8],
) -> Outcome<usize> {
    let mut length = value.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most the given length to the value, and the length that it took.
    done(unsafe {
        libc::getsockopt(fd.as_raw_fd(), level, option, value.as_mut_ptr().cast(), &raw mut length)
    })?;
    Ok(length as usize)
}

pub(super) fn set_option(fd: BorrowedFd<'_>, level: c_int, option: c_int, value: &[u8]) -> Outcome<()> {
    let length = value.len() as libc::socklen_t;
    // SAFETY: the kernel reads at most the length of the value from it.
    done(unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, value.as_ptr().cast(), length) })
}

/// The argument has the size that is part of the request.
pub(super) fn ioctl(fd: BorrowedFd<'_>, request: c_ulong, argument: &mut [u8]) -> Outcome<()> {
    if (request >> 16) & 0x1fff != argument.len() as c_ulong {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the kernel reads and writes as many bytes as the request says, and no pointer is among them.
    done(unsafe { libc::ioctl(fd.as_raw_fd(), request, argument.as_mut_ptr()) })
}

/// Hands an argument to the driver of an interface: SIOCSDRVSPEC.
pub(super) fn drive(fd: BorrowedFd<'_>, name: &Name, command: c_ulong, argument: &mut [u8]) -> Outcome<()> {
    #[repr(C)]
    struct Drive {
        name: [u8; 16],
        command: c_ulong,
        length: usize,
        data: *mut c_void,
    }
    const { assert!(size_of::<Drive>() == IFDRV_SIZE) };
    let mut drive =
        Drive { name: name.with_nul(), command, length: argument.len(), data: argument.as_mut_ptr().cast() };
    // SAFETY: the kernel reads the structure, and at most the length of the argument from that.
    done(unsafe { libc::ioctl(fd.as_raw_fd(), super::layout::SIOCSDRVSPEC, &raw mut drive) })
}

/// What a management information base has, whole. It can grow between asking for its size and for itself.
pub(super) fn sysctl(path: &[c_int]) -> Outcome<Vec<u8>> {
    let mut path = path.to_vec();
    let mut ask = |value: *mut c_void, length: &mut usize| {
        // SAFETY: reads the path, and writes at most the given length to the value, and the length that it took.
        done(unsafe {
            libc::sysctl(path.as_mut_ptr(), path.len() as libc::c_uint, value, length, ptr::null_mut(), 0)
        })
    };
    loop {
        let mut length = 0;
        ask(ptr::null_mut(), &mut length)?;
        length = length.saturating_add(length / 4);
        let mut value = vec![0; length];
        match ask(value.as_mut_ptr().cast(), &mut length) {
            Err(Errno::ENOMEM) => {}
            asked => {
                asked?;
                value.truncate(length);
                return Ok(value);
            }
        }
    }
}

/// Writes a byte to a pipe, or takes one out of it.
pub(super) fn move_byte(pipe: BorrowedFd<'_>, into: bool) -> Outcome<()> {
    let mut byte = 0_u8;
    // SAFETY: reads or writes one byte.
    outcome(unsafe {
        match into {
            true => libc::write(pipe.as_raw_fd(), (&raw const byte).cast(), 1),
            false => libc::read(pipe.as_raw_fd(), (&raw mut byte).cast(), 1),
        }
    })
    .map(drop)
}

// Darwin has readv and writev as cancellation points only.

pub(super) fn readv(fd: BorrowedFd<'_>, rooms: &mut [Room<'_>]) -> Outcome<usize> {
    let _cancel_disabled = CancelDisabled::new();
    // SAFETY: a Room is an iovec to memory that may be written.
    outcome(unsafe { libc::readv(fd.as_raw_fd(), rooms.as_ptr().cast(), rooms.len() as c_int) })
}

pub(super) fn writev(fd: BorrowedFd<'_>, parts: &[IoSlice<'_>]) -> Outcome<usize> {
    let _cancel_disabled = CancelDisabled::new();
    // SAFETY: an IoSlice is an iovec to memory that may be read.
    outcome(unsafe { libc::writev(fd.as_raw_fd(), parts.as_ptr().cast(), parts.len() as c_int) })
}

/// Sources that a gathered descriptor has, at most.
const SOURCES: usize = 8;

/// A descriptor that is readable when one of these is, and stays so until [`refresh`]: a kqueue.
pub(super) fn gather(sources: &[BorrowedFd<'_>]) -> Outcome<OwnedFd> {
    // SAFETY: takes nothing.
    let gathered = owned(unsafe { libc::kqueue() })?;
    for (place, source) in sources.iter().enumerate() {
        let change = libc::kevent {
            ident: source.as_raw_fd() as usize,
            flags: libc::EV_ADD,
            udata: ptr::without_provenance_mut(place),
            ..NOTHING
        };
        // SAFETY: the kernel reads one change, and writes no event.
        done(unsafe {
            libc::kevent(gathered.as_raw_fd(), &raw const change, 1, ptr::null_mut(), 0, ptr::null())
        })?;
    }
    Ok(gathered)
}

/// Has a gathered descriptor tell the truth again, as poll answers from what was queued and only this takes it from the
/// queue (kern_event.c, kqueue_select). The sources that are ready, a bit for each, in their order.
pub(super) fn refresh(gathered: BorrowedFd<'_>) -> Outcome<u32> {
    let mut events = [NOTHING; SOURCES];
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel reads no change and the time, and writes at most as many events as there is room for.
    let count = outcome(unsafe {
        libc::kevent(
            gathered.as_raw_fd(),
            ptr::null(),
            0,
            events.as_mut_ptr(),
            SOURCES as c_int,
            &raw const now,
        )
    } as isize)?;
    let bit = |event: &libc::kevent| 1_u32.checked_shl(event.udata as u32).unwrap_or(0);
    Ok(events.iter().take(count).fold(0, |bits, event| bits | bit(event)))
}

const NOTHING: libc::kevent = libc::kevent {
    ident: 0,
    filter: libc::EVFILT_READ,
    flags: 0,
    fflags: 0,
    data: 0,
    udata: ptr::null_mut(),
};
