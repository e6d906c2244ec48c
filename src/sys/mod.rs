// SPDX-License-Identifier: MIT
//! The contract between the core and an operating system, and the choice of the one to build for.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::path::Path;

use crate::address::Address;
use crate::error::{Errno, Result};
use crate::feature::Feature;
use crate::flags::{Flags, Mode};
use crate::link::{Link, Mac};
use crate::name::NameRequest;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{Queue as Platform, Uncancelled};

#[cfg(not(target_os = "linux"))]
mod unsupported;
#[cfg(not(target_os = "linux"))]
pub(crate) use unsupported::{Queue as Platform, Uncancelled};

/// One queue of a device, and the way to the device that it belongs to. Dropping it closes it; a device
/// that is not persistent goes with its last queue.
///
/// A call either does what it says or changes nothing, and does not ask whether it is needed: the core does.
pub(crate) trait Backend: Sized + Send + Sync {
    /// Whether this operating system has it.
    fn has(feature: Feature) -> bool;

    /// Attaches to the device of this name, or makes it. `flags.persist` is left to the core.
    fn open(name: &NameRequest, flags: &Flags, node: Option<&Path>) -> Result<Self>;
    /// Opens another queue of the same device.
    fn open_queue(&self, nonblock: bool) -> Result<Self>;
    /// How packets pass through, as granted.
    fn mode(&self) -> Mode;
    /// The descriptor to wait on.
    fn fd(&self) -> BorrowedFd<'_>;
    /// Whether reads and writes do not wait.
    fn nonblock(&self) -> Result<bool>;
    fn set_nonblock(&self, on: bool) -> Result<()>;

    /// Bytes that no packet of this device exceeds, at any MTU.
    fn read_size(&self) -> usize;
    /// Takes one packet. EMSGSIZE when it was longer than the buffer and is lost, ENODEV when the device is
    /// gone.
    fn read(&self, buf: &mut [MaybeUninit<u8>]) -> std::result::Result<usize, Errno>;
    /// Hands over one packet. ENODEV when the device is gone, ENETDOWN when the device is down.
    fn write(&self, packet: &[u8]) -> std::result::Result<usize, Errno>;

    /// The name for a message, or what stands for it: a failure to find it must not hide the one to report.
    fn label(&self) -> String;
    /// The present state.
    fn link(&self) -> Result<Link>;
    fn set_up(&self, up: bool) -> Result<()>;
    fn set_mtu(&self, mtu: u32) -> Result<()>;
    fn set_mac(&self, mac: Mac) -> Result<()>;

    fn set_persist(&self, on: bool) -> Result<()>;
    /// Whether the system has this user, so that a device can be given to it.
    fn knows_user(uid: u32) -> bool;
    fn knows_group(gid: u32) -> bool;
    fn set_owner(&self, uid: u32) -> Result<()>;
    fn set_group(&self, gid: u32) -> Result<()>;
    /// Attaches or detaches this queue; Ok when it already is so.
    fn set_attached(&self, on: bool) -> Result<()>;

    /// The IPv4 addresses, the first of them first.
    fn addresses(&self) -> Result<Vec<Address>>;
    fn add_address(&self, address: &Address) -> Result<()>;
    fn remove_address(&self, address: &Address) -> Result<()>;
}
