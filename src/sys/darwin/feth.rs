// SPDX-License-Identifier: MIT
//! A TAP: one of a pair of feth interfaces is the device. Frames that the host sends through the device are received by
//! the other end and read with BPF. Frames that are written with AF_NDRV to the other end are received by the device.

use std::ffi::{CString, c_ulong};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::burst::{Burst, Mark, translate};
use super::busy::retry_while_busy;
use super::layout::*;
use super::message::{put, request, sockaddr_ndrv};
use super::refusal::refusal;
use super::{descriptor, kernel, link};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::name::Name;
use crate::model::packet::{copy, scatter};
use crate::model::text::text;
use crate::sys::{CancelDisabled, Outcome};

/// The largest MTU that if_fake.c supports, with an Ethernet header and a VLAN tag.
pub(super) const LARGEST_FRAME: usize = 16 * 1024 + 4;
/// The requested size of the buffer in which BPF collects frames for one read. The kernel may reduce it.
const BURST: u32 = 256 * 1024;
/// The bits of the sources that are readable only after their interface is gone.
const GONE: u32 = 0b1100;
/// Limit of the BPF devices that are tried until one is free.
const NODES: u32 = 256;

pub(super) struct Feth {
    /// Readable if there is a frame in the kernel or in the burst, or if an interface is gone. The caller polls it.
    readiness: OwnedFd,
    bpf: OwnedFd,
    /// Transmits frames on the other end. Reads end-of-file if the other end is gone.
    ndrv: OwnedFd,
    /// The same kind of socket on the device, only to detect that the device is gone.
    removal: OwnedFd,
    mark: Mark,
    burst: Mutex<Burst>,
    // Last: dropped after the descriptors that are bound to it.
    pair: Pair,
}

/// Two interfaces, which are connected to each other.
struct Pair {
    device: Interface,
    end: Interface,
}

/// An interface that is destroyed on drop.
struct Interface {
    name: Name,
    /// Distinguishes it from a later interface of the same name.
    index: u32,
    control: OwnedFd,
}

impl Feth {
    /// Creates the feth with this number, or the first free one, and its other end.
    pub(super) fn create(number: Option<u32>) -> Result<Self> {
        let pair = Pair::create(number)?;
        let (device, end) = (pair.device.name, pair.end.name);
        let failed = |step: &'static str| move |errno| refusal(errno, format_args!("open {device}: {step}"));
        link::set_up(&end, true).map_err(failed("bring up its other end"))?;
        let ndrv = open_ndrv(&end).map_err(failed("open a socket to send frames on its other end"))?;
        let removal = watch_removal(&device).map_err(failed("open a socket to detect its removal"))?;
        let (bpf, size) = open_bpf(&end)?;
        let mark = Mark::new().map_err(failed("create a pipe to show whether frames are left"))?;
        let sources = [bpf.as_fd(), mark.fd(), ndrv.as_fd(), removal.as_fd()];
        let readiness = kernel::gather(&sources).map_err(failed("create a kqueue to wait on"))?;
        Ok(Self { readiness, bpf, ndrv, removal, mark, burst: Mutex::new(Burst::new(size)?), pair })
    }

    pub(super) fn name(&self) -> Name {
        self.pair.device.name
    }

    /// The name of the other end.
    pub(super) fn end(&self) -> Name {
        self.pair.end.name
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.readiness.as_fd()
    }

    /// Keeps only the descriptor to wait on.
    pub(super) fn into_fd(self) -> OwnedFd {
        self.readiness
    }

    /// The socket for writes.
    pub(super) fn writing_fd(&self) -> BorrowedFd<'_> {
        self.ndrv.as_fd()
    }

    /// The descriptors to wait on. Not the kqueue, because it stays readable after its frame was read.
    pub(super) fn sources(&self) -> [BorrowedFd<'_>; 4] {
        [self.bpf.as_fd(), self.mark.fd(), self.ndrv.as_fd(), self.removal.as_fd()]
    }

    /// Whether frames are left that the mark does not show because it could not be set. Then do not wait.
    pub(super) fn has_unmarked_frames(&self) -> bool {
        let burst = self.burst();
        !burst.is_empty() && !self.mark.is_on()
    }

    pub(super) fn read(&self, buf: &mut [MaybeUninit<u8>]) -> Outcome<usize> {
        self.next(|frame| copy(frame, buf))
    }

    pub(super) fn readv(&self, bufs: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
        self.next(|frame| scatter(frame, bufs))
    }

    /// Passes the next frame to `give`, and updates the descriptors, which are readable while frames are left.
    fn next(&self, give: impl FnOnce(&[u8]) -> Outcome<usize>) -> Outcome<usize> {
        let mut burst = self.burst();
        let given = burst.next(self.bpf.as_fd()).and_then(give);
        self.mark.set(!burst.is_empty());
        if !burst.is_empty() {
            return given;
        }
        // If this fails, no frame is lost: the next read refreshes again.
        let ready = kernel::refresh(self.readiness.as_fd()).unwrap_or(0);
        match given {
            // BPF does not report that the device is gone, and does not wake a reader if its own interface is gone
            // (bpf.c, bpfdetach and filt_bpfread).
            Err(Errno::EAGAIN) if ready & GONE != 0 => Err(Errno::ENODEV),
            given => given,
        }
    }

    pub(super) fn writev(&self, parts: &[IoSlice<'_>]) -> Outcome<usize> {
        kernel::writev(self.ndrv.as_fd(), parts).map_err(translate)
    }

    fn burst(&self) -> MutexGuard<'_, Burst> {
        self.burst.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pair {
    fn create(number: Option<u32>) -> Result<Self> {
        let text = number.map_or_else(|| "feth".into(), |number| text!("feth{number}"));
        let device = retry_while_busy(text.as_str(), || Interface::create(text.as_str())).map_err(
            |errno| match errno {
                Errno::EEXIST | Errno::EBUSY => {
                    Error::new(Errno::EBUSY, Reason::Busy, text!("open {text}: the name is in use"))
                }
                Errno::EINVAL => Error::new(
                    Errno::ENODEV,
                    Reason::NoDriver,
                    text!("open {text}: this kernel has no feth, which needs macOS 10.13"),
                ),
                Errno::EPERM => {
                    Error::new(errno, Reason::Privilege, text!("open {text}: creating a TAP needs root"))
                }
                _ => refusal(errno, format_args!("open {text}")),
            },
        )?;
        let failed = |errno| refusal(errno, format_args!("open {}: create its other end", device.name));
        let end = Interface::create("feth").map_err(failed)?;
        device.join(&end).map_err(failed)?;
        Ok(Self { device, end })
    }
}

impl Interface {
    /// Creates the interface with this name. Without a number, the first free one.
    fn create(name: &str) -> Outcome<Self> {
        let control = kernel::socket(AF_INET, SOCK_DGRAM, 0)?;
        let mut request: [u8; IFREQ_SIZE] = request(name.as_bytes(), &[]);
        kernel::ioctl(control.as_fd(), SIOCIFCREATE, &mut request)?;
        let made = request.get(..IF_NAME_SIZE).unwrap_or_default();
        let made = made.split(|byte| *byte == 0).next().unwrap_or_default();
        let name = Name::new(made).map_err(|_| Errno::EPROTO)?;
        match link::by_name(&name) {
            Ok(present) => Ok(Self { name, index: present.link.index, control }),
            Err(errno) => {
                let _ = kernel::ioctl(control.as_fd(), SIOCIFDESTROY, &mut request);
                Err(errno)
            }
        }
    }

    fn join(&self, other: &Self) -> Outcome<()> {
        let mut request = [0; IF_FAKE_REQUEST_SIZE];
        put(&mut request, IF_FAKE_REQUEST_PEER, other.name.as_bytes());
        kernel::set_driver_spec(self.control.as_fd(), &self.name, FAKE_SET_PEER, &mut request)
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        let _cancel_disabled = CancelDisabled::new();
        // Another program may have destroyed it, and created one with the same name. Interfaces are destroyed by name
        // only.
        if !link::by_name(&self.name).is_ok_and(|present| present.link.index == self.index) {
            return;
        }
        let mut request: [u8; IFREQ_SIZE] = request(self.name.as_bytes(), &[]);
        let _ = kernel::ioctl(self.control.as_fd(), SIOCIFDESTROY, &mut request);
    }
}

/// A socket that is attached to the interface. It requests no frames, so it receives none, and is readable if the
/// interface is gone. The kernel compares only family and unit (ndrv.c, ndrv_handle_ifp_detach): the socket is also
/// disconnected if an Ethernet card with the same number is removed while another program has such a socket on the
/// card.
fn attach(name: &Name) -> Outcome<OwnedFd> {
    let socket = kernel::socket(PF_NDRV, SOCK_RAW, 0)?;
    kernel::bind(socket.as_fd(), &sockaddr_ndrv(name))?;
    Ok(socket)
}

/// Attaches such a socket to a new device, and keeps the device down: attaching a protocol sets an interface up
/// (dlil.c, dlil_handle_proto_attach).
fn watch_removal(name: &Name) -> Outcome<OwnedFd> {
    let socket = attach(name)?;
    link::set_up(name, false)?;
    Ok(socket)
}

/// A socket whose writes are frames that the interface transmits.
fn open_ndrv(name: &Name) -> Outcome<OwnedFd> {
    let socket = attach(name)?;
    kernel::connect(socket.as_fd(), &sockaddr_ndrv(name))?;
    kernel::set_option(socket.as_fd(), SOL_SOCKET, SO_NOSIGPIPE, &1_i32.to_ne_bytes())?;
    // A frame is sent as a whole, and the default buffer is smaller than the largest frame.
    kernel::set_option(socket.as_fd(), SOL_SOCKET, SO_SNDBUF, &(BURST as i32).to_ne_bytes())?;
    descriptor::nonblocking(&socket)?;
    Ok(socket)
}

/// A BPF device that receives the frames of the interface, and its buffer size, which each read must use.
fn open_bpf(name: &Name) -> Result<(OwnedFd, usize)> {
    let bpf = free_node()?;
    let set = |request: c_ulong, value: &mut [u8]| kernel::ioctl(bpf.as_fd(), request, value);
    let prepare = || {
        let mut size = BURST.to_ne_bytes();
        set(BIOCSBLEN, &mut size)?;
        let mut interface: [u8; IFREQ_SIZE] = request(name.as_bytes(), &[]);
        set(BIOCSETIF, &mut interface)?;
        // Deliver each frame at once, none that are written here, and frames to any address.
        set(BIOCIMMEDIATE, &mut 1_u32.to_ne_bytes())?;
        set(BIOCSSEESENT, &mut 0_u32.to_ne_bytes())?;
        set(BIOCPROMISC, &mut [])?;
        descriptor::nonblocking(&bpf)?;
        Ok(u32::from_ne_bytes(size) as usize)
    };
    let size = prepare()
        .map_err(|errno| refusal(errno, format_args!("open a TAP: receive the frames of {name}")))?;
    Ok((bpf, size))
}

/// A BPF device can be open once. The kernel adds a new device after the last one.
fn free_node() -> Result<OwnedFd> {
    for number in 0..NODES {
        let path = CString::new(format!("/dev/bpf{number}")).unwrap_or_default();
        match kernel::open(&path) {
            Err(Errno::EBUSY) => {}
            Err(errno @ (Errno::ENOENT | Errno::ENXIO)) => {
                let text = text!("open /dev/bpf{number}: {}: a TAP needs a BPF device", errno.desc());
                return Err(Error::new(errno, Reason::NoDriver, text));
            }
            opened => return opened.map_err(|errno| refusal(errno, format_args!("open /dev/bpf{number}"))),
        }
    }
    let text = text!("open a TAP: each of {NODES} BPF devices is in use");
    Err(Error::new(Errno::EBUSY, Reason::Busy, text))
}
