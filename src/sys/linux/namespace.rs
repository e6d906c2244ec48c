// SPDX-License-Identifier: MIT
//! Network namespaces, and calls in another one.

use std::ffi::{c_int, c_void};
use std::fs::{self, File, Metadata};
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::ptr;

use super::file::{self, shown};
use super::ioctl;
use super::socket::KernelSocket;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::text::{Text, text};
use crate::sys::descriptor;

/// An open network namespace.
pub(crate) struct Namespace(File);

impl Namespace {
    /// Opens the file of a namespace, such as /run/netns/blue or /proc/1234/ns/net.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let action = || text!("open the network namespace {}", shown(path));
        let fd = file::open(path, libc::O_RDONLY | libc::O_NONBLOCK)
            .map_err(|errno| Error::system(errno, action()))?;
        Self(fd.into()).checked(action)
    }

    /// Duplicates a descriptor, which still belongs to the caller.
    pub(crate) fn duplicate(fd: RawFd) -> Result<Self> {
        let action = || text!("use descriptor {fd} as a network namespace");
        if fd < 0 {
            return Err(Error::new(Errno::EBADF, Reason::Argument, text!("{}: it is negative", action())));
        }
        // SAFETY: borrowed for one call, which fails if the descriptor is not open.
        let copy =
            descriptor::take(unsafe { BorrowedFd::borrow_raw(fd) }, true).map_err(|errno| match errno {
                Errno::EBADF => Error::new(errno, Reason::Argument, text!("{}: it is not open", action())),
                _ => Error::system(errno, action()),
            })?;
        Self(copy.into()).checked(action)
    }

    pub(super) fn of(fd: OwnedFd) -> Self {
        Self(fd.into())
    }

    fn checked(self, action: impl Fn() -> Text) -> Result<Self> {
        // SAFETY: the request has no argument.
        match unsafe { ioctl::ns_get_nstype(self.0.as_raw_fd()) } {
            Ok(libc::CLONE_NEWNET) => Ok(self),
            // Errors of other kinds of files for an unknown request. EBADFD: a TUN node without a device.
            Ok(_) | Err(Errno::ENOTTY | Errno::EINVAL | Errno::EOPNOTSUPP | Errno::EBADF | Errno::EBADFD) => {
                let text = "this is not a network namespace, such as /run/netns/NAME or /proc/PID/ns/net";
                Err(Error::new(Errno::EINVAL, Reason::Namespace, text!("{}: {text}", action())))
            }
            Err(errno) => Err(Error::system(errno, action())),
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    pub(super) fn identity(&self) -> Option<Identity> {
        Some(Identity::of(&self.0.metadata().ok()?))
    }

    /// Calls `action` in this namespace, on a separate thread, so that the thread of the caller never changes its
    /// namespace.
    pub(super) fn inside<T: Send>(&self, action: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        if self.identity().is_some_and(|identity| Some(identity) == Identity::own()) {
            return action();
        }
        let task = Task { action: Some(|| self.enter().and_then(|()| action())), result: None };
        task.run().unwrap_or_else(|errno| {
            let limit = match errno {
                Errno::ENOMEM => ", or the limit of threads is reached (RLIMIT_NPROC, pids.max)",
                _ => "",
            };
            let text = text!("start a thread for the network namespace: {}{limit}", errno.desc());
            Err(Error::new(errno, Reason::System, text))
        })
    }

    fn enter(&self) -> Result<()> {
        // SAFETY: takes numbers only.
        let returned = unsafe { libc::setns(self.0.as_raw_fd(), libc::CLONE_NEWNET) };
        Errno::result(returned).map(drop).map_err(|errno| match errno {
            Errno::EPERM => Error::new(
                errno,
                Reason::Privilege,
                "enter the network namespace: this needs CAP_SYS_ADMIN in it and in the caller's own",
            ),
            _ => Error::system(errno, "enter the network namespace"),
        })
    }
}

/// Size of the thread's stack, of which it uses less than 16 KiB. The usual size is often 8 MiB, which is much for a
/// process with limited memory.
const STACK: usize = 256 * 1024;

/// A call on a separate thread. Not with std, which keeps memory for each thread that starts one.
struct Task<F, T> {
    action: Option<F>,
    result: Option<T>,
}

impl<F: FnOnce() -> T + Send, T: Send> Task<F, T> {
    /// Makes the call, and waits for its end.
    fn run(mut self) -> std::result::Result<T, Errno> {
        let own: *mut c_void = (&raw mut self).cast();
        let blocked = BlockedSignals::new();
        let mut thread = MaybeUninit::uninit();
        // SAFETY: only the thread uses the task until pthread_join returns.
        let mut start =
            |attributes| unsafe { libc::pthread_create(thread.as_mut_ptr(), attributes, Self::main, own) };
        let errno = match with_small_stack(&mut start) {
            // The C library has no room in it for the thread-local variables of the program.
            libc::EINVAL => start(ptr::null()),
            errno => errno,
        };
        drop(blocked);
        match errno {
            0 => {}
            // No memory, or too many threads. EAGAIN would mean that the call would wait.
            libc::EAGAIN => return Err(Errno::ENOMEM),
            _ => return Err(Errno::from_raw(errno)),
        }
        // SAFETY: pthread_create has started the thread, and nothing else joins it.
        unsafe { libc::pthread_join(thread.assume_init(), ptr::null_mut()) };
        self.result.ok_or(Errno::EIO)
    }

    extern "C" fn main(task: *mut c_void) -> *mut c_void {
        // SAFETY: `run` passes the task to this thread only.
        let task: &mut Self = unsafe { &mut *task.cast() };
        task.result = task.action.take().map(|action| action());
        ptr::null_mut()
    }
}

/// Calls `start` with the attributes of a thread that has a small stack. Returns an errno, or 0.
fn with_small_stack(start: impl FnOnce(*const libc::pthread_attr_t) -> c_int) -> c_int {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: pthread_attr_init initializes the attributes, and pthread_attr_destroy is their last use.
    unsafe {
        match libc::pthread_attr_init(attributes.as_mut_ptr()) {
            0 => {}
            errno => return errno,
        }
        libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), STACK);
        let errno = start(attributes.as_ptr());
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        errno
    }
}

/// The identity of a namespace: the device and the inode of its file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    fn of(file: &Metadata) -> Self {
        Self(file.dev(), file.ino())
    }

    /// The namespace of the calling thread. Without /proc it is queried by SIOCGSKNS (Linux 4.9), which needs
    /// CAP_NET_ADMIN.
    pub(super) fn own() -> Option<Self> {
        match fs::metadata("/proc/thread-self/ns/net") {
            Ok(file) => Some(Self::of(&file)),
            Err(_) => {
                let socket = KernelSocket::new().ok()?;
                // SAFETY: the request has no argument, and returns a new descriptor that nothing else owns.
                let fd = unsafe { OwnedFd::from_raw_fd(ioctl::siocgskns(socket.fd().as_raw_fd()).ok()?) };
                Namespace::of(fd).identity()
            }
        }
    }
}

/// While it exists, the calling thread blocks all signals, and a new thread inherits that: handlers of the program run
/// only on threads of the program.
struct BlockedSignals(libc::sigset_t);

impl BlockedSignals {
    fn new() -> Self {
        // SAFETY: both sets are local; sigfillset and pthread_sigmask write them.
        unsafe {
            let (mut all, mut before) = (mem::zeroed(), mem::zeroed());
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            Self(before)
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: reads the set that pthread_sigmask wrote; the output may be NULL.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) };
    }
}
