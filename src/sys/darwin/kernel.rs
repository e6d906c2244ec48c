// SPDX-License-Identifier: MIT
//! The system calls that are specific to Darwin. On other systems a simulated kernel replaces them:
//! src/sys/darwin/simulated.
//!
//! Descriptors are created close-on-exec where Darwin supports it.

use std::ffi::{CStr, c_int, c_ulong, c_void};
use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::{iter, ptr};

use super::descriptor;
use super::layout::IFDRV_SIZE;
use super::room::Room;
use crate::model::error::Errno;
use crate::model::memory;
use crate::model::name::Name;
use crate::sys::{CancelDisabled, Outcome};

/// The result of a libc function: a negative number is an error.
fn outcome(returned: isize) -> Outcome<usize> {
    usize::try_from(returned).map_err(|_| Errno::last())
}

fn done(returned: c_int) -> Outcome<()> {
    outcome(returned as isize).map(drop)
}

/// Takes ownership of a new descriptor.
fn owned(returned: c_int) -> Outcome<OwnedFd> {
    done(returned)?;
    // SAFETY: a system call has just returned it, and nothing else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(returned) };
    descriptor::close_on_exec(&fd)?;
    Ok(fd)
}

pub(super) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Outcome<OwnedFd> {
    // SAFETY: takes numbers only.
    owned(unsafe { libc::socket(domain, kind, protocol) })
}

/// Opens a file for reading and writing.
pub(super) fn open(path: &CStr) -> Outcome<OwnedFd> {
    // SAFETY: reads a NUL-terminated string.
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

/// Reads a socket option, and returns its length.
pub(super) fn get_option(
    fd: BorrowedFd<'_>,
    level: c_int,
    option: c_int,
    value: &mut [u8],
) -> Outcome<usize> {
    let mut length = value.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most the given length to the value, and sets the length.
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

/// The size of the argument must be the size in the request.
pub(super) fn ioctl(fd: BorrowedFd<'_>, request: c_ulong, argument: &mut [u8]) -> Outcome<()> {
    if (request >> 16) & 0x1fff != argument.len() as c_ulong {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the kernel reads and writes the number of bytes in the request, and they have no pointer.
    done(unsafe { libc::ioctl(fd.as_raw_fd(), request, argument.as_mut_ptr()) })
}

/// Passes an argument to the driver of an interface: SIOCSDRVSPEC.
pub(super) fn set_driver_spec(
    fd: BorrowedFd<'_>,
    name: &Name,
    command: c_ulong,
    argument: &mut [u8],
) -> Outcome<()> {
    #[repr(C)]
    struct DriverSpec {
        name: [u8; 16],
        command: c_ulong,
        length: usize,
        data: *mut c_void,
    }
    const { assert!(size_of::<DriverSpec>() == IFDRV_SIZE) };
    let mut spec = DriverSpec {
        name: name.with_nul(),
        command,
        length: argument.len(),
        data: argument.as_mut_ptr().cast(),
    };
    // SAFETY: the kernel reads the structure, and at most the length of the argument.
    done(unsafe { libc::ioctl(fd.as_raw_fd(), super::layout::SIOCSDRVSPEC, &raw mut spec) })
}

/// Reads a whole sysctl value. It can grow between the query of its size and the read.
pub(super) fn sysctl(path: &[c_int]) -> Outcome<Vec<u8>> {
    let mut path = path.to_vec();
    let mut query = |value: *mut c_void, length: &mut usize| {
        // SAFETY: reads the path, writes at most the given length to the value, and sets the length.
        done(unsafe {
            libc::sysctl(path.as_mut_ptr(), path.len() as libc::c_uint, value, length, ptr::null_mut(), 0)
        })
    };
    loop {
        let mut length = 0;
        query(ptr::null_mut(), &mut length)?;
        length = length.saturating_add(length / 4);
        let mut value = memory::collect(iter::repeat_n(0, length))?;
        match query(value.as_mut_ptr().cast(), &mut length) {
            Err(Errno::ENOMEM) => {}
            asked => {
                asked?;
                value.truncate(length);
                return Ok(value);
            }
        }
    }
}

/// Writes a byte to a pipe, or reads one from it.
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

// On Darwin readv and writev are always cancellation points.

pub(super) fn readv(fd: BorrowedFd<'_>, rooms: &mut [Room<'_>]) -> Outcome<usize> {
    let _cancel_disabled = CancelDisabled::new();
    // SAFETY: a Room is an iovec to writable memory.
    outcome(unsafe { libc::readv(fd.as_raw_fd(), rooms.as_ptr().cast(), rooms.len() as c_int) })
}

pub(super) fn writev(fd: BorrowedFd<'_>, parts: &[IoSlice<'_>]) -> Outcome<usize> {
    let _cancel_disabled = CancelDisabled::new();
    // SAFETY: an IoSlice is an iovec to readable memory.
    outcome(unsafe { libc::writev(fd.as_raw_fd(), parts.as_ptr().cast(), parts.len() as c_int) })
}

/// Limit of the sources of a gathered descriptor.
const SOURCES: usize = 8;

/// A kqueue that is readable if one of these descriptors is. It stays readable until [`refresh`].
pub(super) fn gather(sources: &[BorrowedFd<'_>]) -> Outcome<OwnedFd> {
    // SAFETY: has no arguments.
    let gathered = owned(unsafe { libc::kqueue() })?;
    for (index, source) in sources.iter().enumerate() {
        let change = libc::kevent {
            ident: source.as_raw_fd() as usize,
            flags: libc::EV_ADD,
            udata: ptr::without_provenance_mut(index),
            ..NOTHING
        };
        // SAFETY: the kernel reads one change, and writes no event.
        done(unsafe {
            libc::kevent(gathered.as_raw_fd(), &raw const change, 1, ptr::null_mut(), 0, ptr::null())
        })?;
    }
    Ok(gathered)
}

/// Updates the readiness of a gathered descriptor. Poll only looks at the queue of the kqueue, and only this call
/// removes events from it (kern_event.c, kqueue_select). Returns a bit for each source that is ready, in their order.
pub(super) fn refresh(gathered: BorrowedFd<'_>) -> Outcome<u32> {
    let mut events = [NOTHING; SOURCES];
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel reads no change, reads the time, and writes at most the given number of events.
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
