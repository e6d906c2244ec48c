// SPDX-License-Identifier: MIT
//! Opens a queue: creates a device, or takes over the descriptor of a utun.

use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::feth::Feth;
use super::link::Present;
use super::refusal::refusal;
use super::utun::{self, Failure, Utun};
use super::{Port, Queue, descriptor, link};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::{Flags, Kind};
use crate::model::name::{Name, NameRequest};
use crate::model::text::text;
use crate::sys::Location;
use crate::sys::wait::Waker;

/// The largest unit number, a signed 16-bit number (net/if_var_private.h, if_unit; net/if_private.h, IF_MAXUNIT). A
/// larger number of a utun would be truncated, and create another device.
const LAST: u32 = 0x7fff;

impl Queue {
    pub(super) fn create(name: &NameRequest, flags: &Flags, location: &Location<'_>) -> Result<Self> {
        check(name, flags, location)?;
        let number = number(name, flags.mode.kind)?;
        let waker = Waker::new();
        match flags.mode.kind {
            Kind::Tap => {
                let feth = Feth::create(number)?;
                let present = present(&feth.name())?;
                Ok(Self::with(Port::Feth(feth), &present, waker))
            }
            Kind::Tun => {
                let utun = Utun::create(number, flags.mode.pi).map_err(|failure| explain(name, failure))?;
                let device = utun.name().map_err(|errno| refusal(errno, format_args!("open {name}")))?;
                let present = present(&device)?;
                utun.resize_queue(present.link.mtu);
                Ok(Self::with(Port::Utun(utun), &present, waker))
            }
        }
    }

    /// Takes over a descriptor, or with `borrow` a copy of it. After an error the descriptor still belongs to the
    /// caller.
    pub(super) fn take_over(fd: RawFd, borrow: bool) -> Result<Self> {
        let failed = |errno: Errno| explain_fd(fd, errno);
        if fd < 0 {
            return Err(failed(Errno::EBADF));
        }
        // SAFETY: borrowed for these calls only, which fail if the descriptor is not open.
        let theirs = unsafe { BorrowedFd::borrow_raw(fd) };
        let name = utun::name_of(theirs).map_err(failed)?;
        if utun::has_longer_header(theirs).map_err(failed)? {
            let text = text!("take over descriptor {fd}: each packet of {name} has a process UUID before it");
            return Err(Error::new(Errno::EINVAL, Reason::Kind, text));
        }
        let waker = Waker::new();
        let present = present(&name)?;
        let utun = Utun::from_fd(descriptor::take(theirs, borrow).map_err(failed)?);
        Ok(Self::with(Port::Utun(utun), &present, waker))
    }

    /// Prepares the descriptor that was taken over. Until then it is unchanged, and after a failure again.
    pub(super) fn keep(&self) -> Result<()> {
        let Port::Utun(utun) = &self.port else { return Ok(()) };
        let mtu = present(&self.name)?.link.mtu;
        utun.prepare().map_err(|errno| explain_fd(utun.fd().as_raw_fd(), errno))?;
        utun.resize_queue(mtu);
        Ok(())
    }

    fn with(port: Port, present: &Present, waker: Waker) -> Self {
        Self {
            port,
            name: present.link.name,
            index: present.link.index,
            waker,
            full: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            bypasses: Mutex::new(None),
        }
    }
}

fn present(name: &Name) -> Result<Present> {
    link::by_name(name).map_err(|errno| refusal(errno, format_args!("query the state of {name}")))
}

/// Refuses what Darwin does not support, before a device is created.
fn check(name: &NameRequest, flags: &Flags, location: &Location<'_>) -> Result<()> {
    let mode = flags.mode;
    let missing = [
        (mode.multi_queue, "with several queues"),
        (mode.offload, "with offload"),
        (mode.napi || mode.napi_frags, "with NAPI"),
        (flags.persist, "that is persistent"),
        (flags.existing, "that exists already"),
        (mode.pi && mode.kind == Kind::Tap, "with packet information before Ethernet frames"),
        (location.node.is_some(), "by a device node"),
        (location.namespace.is_some(), "in a network namespace"),
    ];
    match missing.into_iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(Error::platform(format_args!("open {name} {what}"))),
        None => Ok(()),
    }
}

/// The requested number. None: the first free number.
fn number(request: &NameRequest, kind: Kind) -> Result<Option<u32>> {
    let driver = driver(kind);
    let wrong = || {
        let kind = kind.noun();
        let text = text!(
            "open {request}: on this system the name of a {kind} is {driver} and a number, or \"{driver}%d\" for the \
             first free one"
        );
        Error::new(Errno::EINVAL, Reason::Name, text)
    };
    match request {
        NameRequest::Any => Ok(None),
        NameRequest::Pattern(name) if name.as_bytes() == text!("{driver}%d").as_ref() => Ok(None),
        NameRequest::Pattern(_) => Err(wrong()),
        NameRequest::Exact(name) => match link::number_in(name.as_bytes(), driver).ok_or_else(wrong)? {
            number if number > LAST => Err(no_such_number(request)),
            number => Ok(Some(number)),
        },
    }
}

fn driver(kind: Kind) -> &'static str {
    match kind {
        Kind::Tun => "utun",
        Kind::Tap => "feth",
    }
}

fn no_such_number(name: &NameRequest) -> Error {
    let text = text!("open {name}: the number is larger than the last that this kernel has");
    Error::new(Errno::EINVAL, Reason::Name, text)
}

fn explain(name: &NameRequest, failure: Failure) -> Error {
    let error = |errno, reason, text: &str| Error::new(errno, reason, text!("open {name}: {text}"));
    match failure {
        Failure::NoControl(Errno::ENOENT) => {
            error(Errno::ENOENT, Reason::NoDriver, "this kernel has no utun, which needs macOS 10.6.8")
        }
        Failure::Connect(Errno::EBUSY) => error(Errno::EBUSY, Reason::Busy, "the name is in use"),
        Failure::Connect(errno @ (Errno::EPERM | Errno::EACCES)) => {
            error(errno, Reason::Privilege, "creating a TUN needs root: run as root, or use tuntap_open_fd")
        }
        Failure::NoControl(errno) | Failure::Connect(errno) | Failure::Socket(errno) => {
            refusal(errno, format_args!("open {name}"))
        }
    }
}

fn explain_fd(fd: RawFd, errno: Errno) -> Error {
    let action = text!("take over descriptor {fd}");
    match errno {
        Errno::EBADF => Error::new(errno, Reason::Argument, text!("{action}: it is not open")),
        Errno::ENOTSOCK | Errno::ENOPROTOOPT | Errno::EINVAL | Errno::EOPNOTSUPP => {
            let text = text!("{action}: it is not the control socket of a utun");
            Error::new(Errno::EINVAL, Reason::Kind, text)
        }
        _ => refusal(errno, action),
    }
}
