// SPDX-License-Identifier: MIT
//! Network namespaces, and acting in another one.

use std::ffi::c_void;
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
    /// One that has a file, such as /run/netns/blue or /proc/1234/ns/net.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let action = || text!("open the network namespace {}", shown(path));
        let fd = file::open(path, libc::O_RDONLY | libc::O_NONBLOCK)
            .map_err(|errno| Error::system(errno, action()))?;
        Self(fd.into()).checked(action)
    }

    /// That of a caller's descriptor, which stays the caller's.
    pub(crate) fn duplicate(fd: RawFd) -> Result<Self> {
        let action = || text!("use descriptor {fd} as a network namespace");
        if fd < 0 {
            return Err(Error::new(Errno::EBADF, Reason::Argument, text!("{}: it is negative", action())));
        }
        // SAFETY: borrowed for one call, which fails when there is no such descriptor.
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
            // What files of other kinds say to a request that they do not know; EBADFD is a TUN's without a device.
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

    /// Does something in this namespace, on a thread of its own: so the caller's thread is never in another
    /// namespace, whatever fails.
    pub(super) fn inside<T: Send>(&self, action: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        if self.identity().is_some_and(|identity| Some(identity) == Identity::own()) {
            return action();
        }
        let task = Task { action: Some(|| self.enter().and_then(|()| action())), result: None };
        task.run().unwrap_or_else(|errno| {
            let text = text!("start a thread for the network namespace: {}", errno.desc());
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

/// Something to do on a thread of its own. Not std's, which keeps something for each thread that starts one.
struct Task<F, T> {
    action: Option<F>,
    result: Option<T>,
}

impl<F: FnOnce() -> T + Send, T: Send> Task<F, T> {
    /// Does it, and waits for it.
    fn run(mut self) -> std::result::Result<T, Errno> {
        let own: *mut c_void = (&raw mut self).cast();
        let blocked = BlockedSignals::new();
        let mut thread = MaybeUninit::uninit();
        // SAFETY: the thread alone uses the task until it ends, which is waited for.
        let errno = unsafe { libc::pthread_create(thread.as_mut_ptr(), ptr::null(), Self::main, own) };
        drop(blocked);
        if errno != 0 {
            return Err(Errno::from_raw(errno));
        }
        // SAFETY: pthread_create has made the thread, and nobody else waits for it.
        unsafe { libc::pthread_join(thread.assume_init(), ptr::null_mut()) };
        self.result.ok_or(Errno::EIO)
    }

    extern "C" fn main(task: *mut c_void) -> *mut c_void {
        // SAFETY: `run` gives this thread the task.
        let task: &mut Self = unsafe { &mut *task.cast() };
        task.result = task.action.take().map(|action| action());
        ptr::null_mut()
    }
}

/// Which namespace it is: the device and the inode of its file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    fn of(file: &Metadata) -> Self {
        Self(file.dev(), file.ino())
    }

    /// That of the calling thread's namespace. Where /proc is missing, a socket tells those who have CAP_NET_ADMIN
    /// (SIOCGSKNS, Linux 4.9).
    pub(super) fn own() -> Option<Self> {
        match fs::metadata("/proc/thread-self/ns/net") {
            Ok(file) => Some(Self::of(&file)),
            Err(_) => {
                let socket = KernelSocket::new().ok()?;
                // SAFETY: the request has no argument, and makes a descriptor for nobody else.
                let fd = unsafe { OwnedFd::from_raw_fd(ioctl::siocgskns(socket.fd().as_raw_fd()).ok()?) };
                Namespace::of(fd).identity()
            }
        }
    }
}

/// As long as it lives, a new thread starts with every signal blocked: the program's handlers run on the
/// program's own threads.
struct BlockedSignals(libc::sigset_t);

impl BlockedSignals {
    fn new() -> Self {
        // SAFETY: both sets are the function's own; sigfillset and pthread_sigmask fill them in.
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
        // SAFETY: takes the set that it gave; a NULL place for the old one is allowed.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) };
    }
}
