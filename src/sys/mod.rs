// SPDX-License-Identifier: MIT
//! The interface between the core and an operating system, and the selection of the operating system to build for.

#![allow(unsafe_code)]

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Instant;

use crate::model::address::Address;
use crate::model::assigned::{Assigned, Options};
use crate::model::default_route::{Bypass, DefaultRoute};
use crate::model::error::{Errno, Result};
use crate::model::event::Notice;
use crate::model::feature::Feature;
use crate::model::flags::{Flags, Mode, Reports};
use crate::model::ipv6::Setting;
use crate::model::link::{Link, Mac};
use crate::model::lookup::{Found, Lookup};
use crate::model::name::{Name, NameRequest};
use crate::model::prefix::Family;
use crate::model::readiness::Readiness;
use crate::model::route::{Installed, Route};
use crate::model::steering::{Instruction, Program};
use crate::model::text::Text;
use crate::model::vnet_hdr::{Layout, Wanted};

// The Darwin backend on Linux, with a simulated kernel, is for tests only.
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

// Common to all systems.
mod allocation;
mod change;
mod fork;
mod shared;

// Common to systems with a backend.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod bytes;
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod cancel;
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod descriptor;
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod wait;

// Common to systems without network namespaces.
#[cfg(any(not(target_os = "linux"), tuntap_simulated))]
mod nowhere;

pub(crate) use allocation::{boxed, zeroed};
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(crate) use cancel::CancelDisabled;
pub(crate) use change::Change;
pub(crate) use fork::PerProcess;
pub(crate) use shared::{Reserved, Shared};
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) use system::CancelDisabled;
#[cfg(all(fuzzing, target_os = "linux"))]
pub use system::fuzz;
pub(crate) use system::{Namespace, Queue, Watch};
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
use system::{Tokens, poll};
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) use system::{Waker, Wakes};
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(crate) use wait::{Waker, Wakes};

/// The result of a call on the path of packets.
pub(crate) type Outcome<T> = std::result::Result<T, Errno>;

/// Where to open a device, if not at the usual location.
#[derive(Default)]
#[allow(dead_code, reason = "a system without a backend does not use it")]
pub(crate) struct Location<'a> {
    pub(crate) node: Option<&'a Path>,
    /// None: the one of the calling thread.
    pub(crate) namespace: Option<&'a Namespace>,
}

/// One queue of a device, and access to its device. Dropping it closes the queue. The last queue of a device that is
/// not persistent removes the device.
///
/// A call that fails changes nothing. A call does not check whether it is needed: the core does.
pub(crate) trait Backend: Sized + Send + Sync {
    /// The state of a call: its steps share what the first one found about the device.
    type Call<'a>
    where
        Self: 'a;

    /// Begins a call.
    fn begin_call(&self) -> Self::Call<'_>;

    /// Whether this operating system has the feature.
    fn has(feature: Feature) -> bool;
    /// Whether this kernel has a feature that the operating system has.
    fn kernel_has(feature: Feature) -> Result<bool>;
    /// Whether this kernel has, for this device, a feature that the operating system has.
    fn device_has(&self, feature: Feature) -> Result<bool>;
    /// The TUN and TAP devices in the network namespace of the calling thread.
    fn list() -> Result<Vec<Link>>;
    /// Deletes the device of this name in the network namespace of the calling thread, unless it is in use.
    fn delete(name: &Name) -> Result<()>;

    /// Attaches to the device of this name, or creates it. The core handles `flags.persist` and `flags.nonblock`.
    fn open(name: &NameRequest, flags: &Flags, wanted: Wanted, location: &Location<'_>) -> Result<Self>;
    /// Undoes `open` after a later step failed: closes the queue, and restores what `open` changed of an existing
    /// device.
    fn undo_open(self, _: &Location<'_>) {}
    /// Takes over a descriptor. With `borrow`, takes a copy.
    fn open_fd(fd: RawFd, borrow: bool) -> Result<Self>;
    /// The last step of taking over a descriptor. Until then the descriptor is unchanged.
    fn keep_fd(&self) -> Result<()>;
    /// Undoes `open_fd` after a later step failed. Does not close the descriptor of the caller.
    fn undo_open_fd(self, borrow: bool);
    /// Fails if packets need more than one descriptor, so that [`Self::into_fd`] is not possible.
    fn check_into_fd(&self) -> Result<()>;
    /// Returns the descriptor of the queue, and closes everything else.
    fn into_fd(self) -> OwnedFd;
    /// Opens another queue of the device.
    fn open_queue(&self) -> Result<Self>;
    /// How packets pass through, as granted by the system.
    fn mode(&self) -> Mode;
    /// The layout of the virtio header when the queue was opened, on a device with offload.
    fn layout(&self) -> Layout;
    /// The descriptor to wait on.
    fn fd(&self) -> BorrowedFd<'_>;

    /// The size of the largest packet of this device at any MTU, without a virtio header.
    fn read_size(&self) -> usize;
    /// Reads one packet without waiting, with its virtio header on a device with offload. EMSGSIZE if the packet was
    /// longer than the buffer and is lost, ENODEV if the device is gone.
    fn read(&self, buf: &mut [MaybeUninit<u8>]) -> Outcome<usize>;
    fn readv(&self, bufs: &mut [IoSliceMut<'_>]) -> Outcome<usize>;
    /// Writes one packet without waiting, with its virtio header on a device with offload. ENODEV if the device is
    /// gone. ENETDOWN if it is down and the kernel checks that: a system call for each packet would cost too much.
    fn write(&self, packet: &[u8]) -> Outcome<usize>;
    fn writev(&self, parts: &[IoSlice<'_>]) -> Outcome<usize>;
    /// Reads one packet of a device with offload, and the bytes of its virtio header.
    fn read_framed(&self, header: &mut [u8], buf: &mut [MaybeUninit<u8>]) -> Outcome<usize>;
    /// Writes one packet to a device with offload, after the bytes of its virtio header. Returns the length of the
    /// packet.
    fn writev_framed(&self, header: &[u8], parts: &[IoSlice<'_>]) -> Outcome<usize>;
    /// What is ready now.
    fn ready(&self, interest: Readiness) -> Outcome<Readiness>;
    /// Waits until a read or a write can succeed, and returns which. Empty if it is time to try again without a report
    /// of the system. ECANCELED after a shutdown or a wake since the call began, ETIMEDOUT, EINTR.
    fn wait(&self, since: Wakes, interest: Readiness, deadline: Option<Instant>) -> Outcome<Readiness>;
    /// The number of wakes so far.
    fn wakes(&self) -> Wakes;
    /// Whether the last write found a full queue that poll does not report.
    fn is_full(&self) -> bool;
    /// Ends every wait, or the next one if there is none. Safe in a signal handler.
    fn wake(&self);
    /// Clears a pending wake, and returns whether there was one.
    fn take_wake(&self) -> bool;
    /// Ends every current and later wait. Safe in a signal handler.
    fn shut_down(&self);
    /// Whether it was shut down.
    fn is_shut_down(&self) -> bool;

    /// The name for a message, or a substitute: a failure to find the name must not hide the failure to report.
    fn label(&self) -> Text;
    /// The name, in any namespace.
    fn name(&self) -> Result<Name>;
    /// The current state.
    fn link(&self, call: &mut Self::Call<'_>) -> Result<Link>;
    fn change_link(&self, call: &mut Self::Call<'_>, change: &Change<'_>) -> Result<()>;
    /// The index of the interface with this name, in the namespace of the device. None if there is none.
    fn index_of(&self, call: &mut Self::Call<'_>, name: &Name) -> Result<Option<u32>>;
    /// The name of the interface with this index, in the namespace of the device. None if there is none.
    fn name_of(&self, call: &mut Self::Call<'_>, index: u32) -> Result<Option<Name>>;
    fn set_ipv6(&self, call: &mut Self::Call<'_>, setting: Setting, value: u32) -> Result<()>;
    /// Whether the device was in this namespace at the last check.
    fn is_in(&self, namespace: &Namespace) -> bool;
    fn set_carrier(&self, on: bool) -> Result<()>;
    fn send_buffer(&self) -> Result<u32>;
    fn set_send_buffer(&self, bytes: u32) -> Result<()>;
    /// The offloads that are turned on, as bits of the ABI.
    fn offloads(&self) -> Result<u64>;
    /// The same for a handle that was just opened. Without a query if this handle has turned them on.
    fn offloads_at_open(&self) -> Result<u64> {
        self.offloads()
    }
    /// Turns on exactly these offloads, for the whole device.
    fn set_offloads(&self, offloads: u64) -> Result<()>;

    fn persist(&self) -> Result<bool>;
    fn set_persist(&self, on: bool) -> Result<()>;
    /// Whether the system has this user, so that a device can be given to it.
    fn knows_user(uid: u32) -> bool;
    fn knows_group(gid: u32) -> bool;
    fn set_owner(&self, uid: u32) -> Result<()>;
    fn set_group(&self, gid: u32) -> Result<()>;
    /// Attaches or detaches this queue. Ok if it is already so.
    fn set_attached(&self, on: bool) -> Result<()>;

    /// The addresses, of one family or of both, the first of them first.
    fn addresses(&self, call: &mut Self::Call<'_>, family: Option<Family>) -> Result<Vec<Assigned>>;
    /// Adds an address. EEXIST if the device already has it.
    fn add_address(&self, call: &mut Self::Call<'_>, address: &Address, options: &Options) -> Result<()>;
    /// Whether [`Self::change_address`] can change the address in place, so that the device always has an address.
    fn changes_address(&self, present: &Assigned, address: &Address, options: &Options) -> bool;
    /// Changes an address in place.
    fn change_address(&self, call: &mut Self::Call<'_>, address: &Address, options: &Options) -> Result<()>;
    /// Restores an address that was listed. `exists`: the device has it, with other properties.
    fn restore_address(&self, call: &mut Self::Call<'_>, assigned: &Assigned, exists: bool) -> Result<()>;
    fn remove_address(&self, call: &mut Self::Call<'_>, address: &Address) -> Result<()>;

    /// The routes through the device.
    fn routes(&self, call: &mut Self::Call<'_>) -> Result<Vec<Installed>>;
    /// The metric and the table that 0 stands for.
    fn usual_route(&self, family: Family) -> (u32, u32);
    /// Whether adding a route that may exist is better than listing the routes first.
    fn adds_without_listing(&self) -> bool;
    /// Adds a route. EEXIST if the device already has it, or a conflicting one.
    fn add_route(&self, call: &mut Self::Call<'_>, route: &Route) -> Result<()>;
    /// Replaces the first conflicting route through this device. EEXIST if a conflicting route leads through another
    /// interface.
    fn replace_route(&self, call: &mut Self::Call<'_>, route: &Route) -> Result<()>;
    /// Restores a route that was listed, after others with its key.
    fn restore_route(&self, call: &mut Self::Call<'_>, installed: &Installed) -> Result<()>;
    /// Deletes a route that was listed.
    fn remove_route(&self, call: &mut Self::Call<'_>, installed: &Installed) -> Result<()>;

    /// The routes through the device that together lead to all destinations of a family.
    fn default_routes(
        &self,
        call: &mut Self::Call<'_>,
        family: Family,
        gateway: Option<IpAddr>,
    ) -> Result<Vec<Route>>;
    /// Makes the system use these routes of all families in place of its own default routes.
    fn add_policy(&self, call: &mut Self::Call<'_>, families: &[Family], wanted: &DefaultRoute)
    -> Result<()>;
    /// Undoes [`Self::add_policy`], of any handle. Returns whether there was anything to undo.
    fn remove_policy(&self, call: &mut Self::Call<'_>, families: &[Family]) -> Result<bool>;
    /// Excludes packets from the default routes through the device.
    fn add_bypass(
        &self,
        call: &mut Self::Call<'_>,
        families: &[Family],
        bypass: &Bypass,
        keep: bool,
    ) -> Result<()>;
    /// Undoes [`Self::add_bypass`], of any handle. Returns whether there was anything to undo.
    fn remove_bypass(&self, call: &mut Self::Call<'_>, families: &[Family], bypass: &Bypass) -> Result<bool>;
    /// The route that the system selects for a packet, in the network namespace of a device or of the calling thread.
    fn find_route(device: Option<&Self>, lookup: &Lookup) -> Result<Found>;

    /// Runs a program for each packet that the kernel sends. None removes the program.
    fn set_program(&self, program: Program, fd: Option<RawFd>) -> Result<()>;
    /// Filters sent packets by a classic BPF program. An empty one removes the filter.
    fn set_filter_bpf(&self, instructions: &[Instruction]) -> Result<()>;
    /// Sends only frames to these addresses, or to all if there are none, and with `all_groups` to all group addresses.
    fn set_filter_mac(&self, macs: &[Mac], all_groups: bool) -> Result<()>;

    /// Watches the namespace of the device, and the routes that the reports need. Also returns the state of the device.
    fn watch(&self, reports: Reports) -> Result<(Watch, Link)>;
}

/// The notices of the system about its interfaces, in order.
pub(crate) trait Watching: Sized + Send {
    /// The table with the default route of the system.
    const MAIN_TABLE: u32;
    /// The IPv4 routes of a device are removed without a notice when it goes down.
    const IPV4_ROUTES_NEED_UP: bool;

    /// Watches the network namespace of the calling thread. The current state is reported first. Routes are reported
    /// through the interface of index `own`, or through all without one, as far as the reports need them.
    fn open(own: Option<u32>, reports: Reports) -> Result<Self>;
    /// The descriptor to wait on.
    fn fd(&self) -> BorrowedFd<'_>;
    /// Reads notices without waiting. EAGAIN if there are none.
    fn take(&mut self, notices: &mut Vec<Notice>) -> Result<()>;
    /// Reports the current state again.
    fn restart(&mut self);
    /// Lists the routes again, because some may be gone without a notice.
    fn list_routes(&mut self);
    /// Waits for a notice. ECANCELED if shut down, ETIMEDOUT, EINTR.
    fn wait(&self, waker: &Waker, deadline: Option<Instant>) -> Outcome<()>;
}
