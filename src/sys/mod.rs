// SPDX-License-Identifier: MIT
//! The contract between the core and an operating system, and the choice of the one to build for.

#![allow(unsafe_code)]

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Instant;

use crate::model::address::{Address, Assigned, Options};
use crate::model::error::{Errno, Result};
use crate::model::event::Notice;
use crate::model::feature::Feature;
use crate::model::flags::{Flags, Mode};
use crate::model::link::{Link, Mac};
use crate::model::name::{Name, NameRequest};
use crate::model::prefix::Family;
use crate::model::readiness::Readiness;
use crate::model::route::{Installed, Route};
use crate::model::steering::{Instruction, Program};
use crate::model::text::Text;
use crate::model::vnet_hdr::{Layout, Wanted};

// A Linux that plays Darwin, over a simulated kernel, is for tests alone.
#[cfg(all(target_os = "linux", not(tuntap_simulated)))]
mod linux;
#[cfg(all(target_os = "linux", not(tuntap_simulated)))]
use linux as system;

#[cfg(any(target_vendor = "apple", tuntap_simulated))]
mod darwin;
#[cfg(any(target_vendor = "apple", tuntap_simulated))]
use darwin as system;

#[cfg(not(any(target_os = "linux", target_vendor = "apple", tuntap_simulated)))]
mod unsupported;
#[cfg(not(any(target_os = "linux", target_vendor = "apple", tuntap_simulated)))]
use unsupported as system;

/// What all share.
mod allocation;
mod change;
mod fork;
mod shared;

/// What systems with a backend share.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod bytes;
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod cancel;
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod descriptor;
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod stop;
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod wait;

/// What systems without network namespaces share.
#[cfg(any(not(target_os = "linux"), tuntap_simulated))]
mod nowhere;

pub(crate) use allocation::{boxed, zeroed};
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(crate) use cancel::CancelDisabled;
pub(crate) use change::Change;
pub(crate) use fork::PerProcess;
pub(crate) use shared::{Reserved, Shared};
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(crate) use stop::Stop;
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) use system::CancelDisabled;
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) use system::Stop;
#[cfg(all(fuzzing, target_os = "linux"))]
pub use system::fuzz;
pub(crate) use system::{Namespace, Queue, Watch};
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
use system::{Tokens, poll};

/// What a call on the packets' way returns.
pub(crate) type Outcome<T> = std::result::Result<T, Errno>;

/// Where a device is opened, when not at the usual place.
#[derive(Default)]
#[allow(dead_code, reason = "a system without a backend looks at none of it")]
pub(crate) struct Place<'a> {
    pub(crate) node: Option<&'a Path>,
    /// None: that of the calling thread.
    pub(crate) namespace: Option<&'a Namespace>,
}

/// One queue of a device, and the way to the device that it belongs to. Dropping it closes it; a device
/// that is not persistent goes with its last queue.
///
/// A call either does what it says or changes nothing, and does not ask whether it is needed: the core does.
pub(crate) trait Backend: Sized + Send + Sync {
    /// The way to the device, from the first step of a call to the last: what one finds, the others use.
    type Way<'a>
    where
        Self: 'a;

    /// A new call begins.
    fn way(&self) -> Self::Way<'_>;

    /// Whether this operating system has it.
    fn has(feature: Feature) -> bool;
    /// Whether this kernel has it, of what the operating system has.
    fn kernel_has(feature: Feature) -> Result<bool>;
    /// Whether this kernel has it for this device, of what the operating system has.
    fn device_has(&self, feature: Feature) -> Result<bool>;
    /// The TUN and TAP devices of the calling thread's network namespace.
    fn list() -> Result<Vec<Link>>;
    /// Deletes the device of this name, in the calling thread's network namespace, unless it is in use.
    fn delete(name: &Name) -> Result<()>;

    /// Attaches to the device of this name, or makes it. `flags.persist` and `flags.nonblock` are left to the core.
    fn open(name: &NameRequest, flags: &Flags, wanted: Wanted, place: &Place<'_>) -> Result<Self>;
    /// Closes what `open` opened, and gives a device that was there before what that changed of it: a later step failed.
    fn undo_open(self, _: &Place<'_>) {}
    /// Takes over a descriptor, or with `borrow` a copy of it.
    fn open_fd(fd: RawFd, borrow: bool) -> Result<Self>;
    /// The last step of taking over a descriptor, which until then is as it was.
    fn keep_fd(&self) -> Result<()> {
        Ok(())
    }
    /// Closes what `open_fd` made, but not the caller's descriptor: a later step failed.
    fn undo_open_fd(self, _borrow: bool) {}
    /// Whether one descriptor is all that packets need, so that [`Self::into_fd`] can give it away.
    fn check_into_fd(&self) -> Result<()>;
    /// Closes all but the descriptor of the queue.
    fn into_fd(self) -> OwnedFd;
    /// Opens another queue of the same device.
    fn open_queue(&self) -> Result<Self>;
    /// How packets pass through, as granted.
    fn mode(&self) -> Mode;
    /// The layout of the virtio header, on a device with offload, as it was when the queue was opened.
    fn layout(&self) -> Layout;
    /// The descriptor to wait on.
    fn fd(&self) -> BorrowedFd<'_>;

    /// Bytes that no packet of this device exceeds, at any MTU, without a virtio header.
    fn read_size(&self) -> usize;
    /// Takes one packet, without waiting, as the device has it: with a virtio header on one with offload. EMSGSIZE when
    /// it was longer than the buffer and is lost, ENODEV when the device is gone.
    fn read(&self, buf: &mut [MaybeUninit<u8>]) -> Outcome<usize>;
    fn readv(&self, bufs: &mut [IoSliceMut<'_>]) -> Outcome<usize>;
    /// Hands over one packet, without waiting, as the device has it. ENODEV when the device is gone, and ENETDOWN when it is
    /// down, where the kernel looks at that: it is not worth a system call for each packet.
    fn write(&self, packet: &[u8]) -> Outcome<usize>;
    fn writev(&self, parts: &[IoSlice<'_>]) -> Outcome<usize>;
    /// Takes one packet of a device with offload, and the bytes of its virtio header.
    fn read_framed(&self, header: &mut [u8], buf: &mut [MaybeUninit<u8>]) -> Outcome<usize>;
    /// Hands over one packet of a device with offload, behind the bytes of its virtio header; the packet's length.
    fn writev_framed(&self, header: &[u8], parts: &[IoSlice<'_>]) -> Outcome<usize>;
    /// What is ready at this moment.
    fn ready(&self, interest: Readiness) -> Outcome<Readiness>;
    /// Waits until a read or write is worth trying; which of them. None where it is time to try again without being told.
    /// ECANCELED when woken or shut down, ETIMEDOUT, EINTR.
    fn wait(&self, interest: Readiness, deadline: Option<Instant>) -> Outcome<Readiness>;
    /// Whether the last write found no room of a kind that poll does not tell of.
    fn is_full(&self) -> bool;
    /// Ends every wait, or the next one when there is none. Allowed in a signal handler.
    fn wake(&self);
    /// Takes a pending wake, and tells whether there was one.
    fn take_wake(&self) -> bool;
    /// Ends every wait, and every later one. Allowed in a signal handler.
    fn shut_down(&self);
    /// Whether it was shut down.
    fn is_shut_down(&self) -> bool;

    /// The name for a message, or what stands for it: a failure to find it must not hide the one to report.
    fn label(&self) -> Text;
    /// The name, wherever the device is.
    fn name(&self) -> Result<Name>;
    /// The present state.
    fn link(&self, way: &mut Self::Way<'_>) -> Result<Link>;
    fn change_link(&self, way: &mut Self::Way<'_>, change: &Change<'_>) -> Result<()>;
    /// Whether the device was in this namespace when it was last looked at.
    fn is_in(&self, namespace: &Namespace) -> bool;
    fn set_carrier(&self, on: bool) -> Result<()>;
    fn send_buffer(&self) -> Result<u32>;
    fn set_send_buffer(&self, bytes: u32) -> Result<()>;
    /// The offloads that are turned on, as the ABI's bits.
    fn offloads(&self) -> Result<u64>;
    /// Turns on these offloads and no others, for the whole device.
    fn set_offloads(&self, offloads: u64) -> Result<()>;

    fn persist(&self) -> Result<bool>;
    fn set_persist(&self, on: bool) -> Result<()>;
    /// Whether the system has this user, so that a device can be given to it.
    fn knows_user(uid: u32) -> bool;
    fn knows_group(gid: u32) -> bool;
    fn set_owner(&self, uid: u32) -> Result<()>;
    fn set_group(&self, gid: u32) -> Result<()>;
    /// Attaches or detaches this queue; Ok when it already is so.
    fn set_attached(&self, on: bool) -> Result<()>;

    /// The addresses, of one family or of both, the first of them first.
    fn addresses(&self, way: &mut Self::Way<'_>, family: Option<Family>) -> Result<Vec<Assigned>>;
    /// One that is there is EEXIST.
    fn add_address(&self, way: &mut Self::Way<'_>, address: &Address, options: &Options) -> Result<()>;
    /// Whether the system makes the one of the other where it is, so that the device has an address all the time.
    fn changes_address(&self, present: &Assigned, address: &Address, options: &Options) -> bool;
    /// Does that.
    fn change_address(&self, way: &mut Self::Way<'_>, address: &Address, options: &Options) -> Result<()>;
    /// Gives back what it told of an address, which is there in another way or not at all.
    fn restore_address(&self, way: &mut Self::Way<'_>, assigned: &Assigned, there: bool) -> Result<()>;
    fn remove_address(&self, way: &mut Self::Way<'_>, address: &Address) -> Result<()>;

    /// The routes through the device.
    fn routes(&self, way: &mut Self::Way<'_>) -> Result<Vec<Installed>>;
    /// The metric and the table that 0 stands for.
    fn usual_route(&self, family: Family) -> (u32, u32);
    /// Whether to add a route that may be there is better than to list the routes first.
    fn adds_before_it_looks(&self) -> bool;
    /// A route that is there, or has the place of this one, is EEXIST.
    fn add_route(&self, way: &mut Self::Way<'_>, route: &Route) -> Result<()>;
    /// The same where only routes through this device have its place: the first of them becomes this one. EEXIST when
    /// another interface has one there.
    fn replace_route(&self, way: &mut Self::Way<'_>, route: &Route) -> Result<()>;
    /// Gives back what it listed of a route.
    fn restore_route(&self, way: &mut Self::Way<'_>, installed: &Installed) -> Result<()>;
    /// Deletes this one of those that it listed.
    fn remove_route(&self, way: &mut Self::Way<'_>, installed: &Installed) -> Result<()>;

    /// Runs a program for each packet that goes out, or none any more.
    fn set_program(&self, program: Program, fd: Option<RawFd>) -> Result<()>;
    /// Lets the classic program decide what goes out, or with an empty one everything.
    fn set_filter_bpf(&self, instructions: &[Instruction]) -> Result<()>;
    /// Lets out only frames to these addresses, or to all; and to every group's.
    fn set_filter_mac(&self, macs: &[Mac], all_groups: bool) -> Result<()>;

    /// Watches the namespace where the device is; of routes, those through the device.
    fn watch(&self, routes: bool) -> Result<Watch>;
}

/// Which routes are watched.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "a system without a backend looks at none of it")]
pub(crate) enum Routes {
    None,
    /// Those through the interface of this index.
    Of(u32),
    All,
}

/// What the system announces of its interfaces, in order.
pub(crate) trait Watching: Sized + Send {
    /// The IPv4 routes of a device go when it goes down, and nothing is announced of them.
    const IPV4_ROUTES_NEED_UP: bool;

    /// Watches the calling thread's network namespace. What is present is told first.
    fn open(routes: Routes) -> Result<Self>;
    /// The descriptor to wait on.
    fn fd(&self) -> BorrowedFd<'_>;
    /// Takes what is announced, without waiting: EAGAIN when nothing is.
    fn take(&mut self, notices: &mut Vec<Notice>) -> Result<()>;
    /// Tells again what is present.
    fn restart(&mut self);
    /// Lists the routes again: some may have gone without an announcement.
    fn list_routes(&mut self);
    /// Waits until something is announced. ECANCELED when stopped, ETIMEDOUT, EINTR.
    fn wait(&self, stop: &Stop, deadline: Option<Instant>) -> Outcome<()>;
}
