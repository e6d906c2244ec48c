// SPDX-License-Identifier: MIT
//! An operating system without a backend: no open succeeds, so other functions are unreachable.

use std::convert::Infallible;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::time::Instant;

pub(crate) use super::nowhere::{Call, Namespace};
use super::{Backend, Location, Outcome, Watching};
use crate::model::address::Address;
use crate::model::assigned::{Assigned, Options};
use crate::model::default_route::{Bypass, DefaultRoute};
use crate::model::error::{Error, Result};
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
use crate::sys::Change;

/// Does nothing: no call can be cancelled with a lock held.
pub(crate) struct CancelDisabled;

impl CancelDisabled {
    pub(crate) fn new() -> Self {
        Self
    }
}

/// There are no wakes.
#[derive(Clone, Copy)]
pub(crate) struct Wakes;

/// Does nothing: there are no waits.
pub(crate) struct Waker;

impl Waker {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn shut_down(&self) {}

    pub(crate) fn is_shut_down(&self) -> bool {
        false
    }
}

/// A queue that cannot exist.
pub(crate) struct Queue(Infallible);

/// A watch that cannot exist.
pub(crate) struct Watch(Infallible);

/// Unreachable methods of types that cannot exist.
macro_rules! unreached {
    ($(fn $name:ident(&self $(, $argument:ty)*) $(-> $returned:ty)?;)*) => {
        $(fn $name(&self $(, _: $argument)*) $(-> $returned)? {
            match self.0 {}
        })*
    };
}

impl Backend for Queue {
    type Call<'a> = Call;

    fn has(_: Feature) -> bool {
        false
    }

    fn kernel_has(_: Feature) -> Result<bool> {
        Ok(false)
    }

    fn list() -> Result<Vec<Link>> {
        Err(Error::platform("list the TUN and TAP devices"))
    }

    fn delete(name: &Name) -> Result<()> {
        Err(Error::platform(format_args!("delete {name}")))
    }

    fn find_route(_: Option<&Self>, lookup: &Lookup) -> Result<Found> {
        Err(Error::platform(format_args!("find the route to {}", lookup.destination())))
    }

    fn into_fd(self) -> OwnedFd {
        match self.0 {}
    }

    fn open(name: &NameRequest, _: &Flags, _: Wanted, _: &Location<'_>) -> Result<Self> {
        Err(Error::platform(format_args!("open {name}")))
    }

    fn open_fd(fd: RawFd, _: bool) -> Result<Self> {
        Err(Error::platform(format_args!("take over descriptor {fd}")))
    }

    fn undo_open_fd(self, _: bool) {
        match self.0 {}
    }

    // An open must fail because the system is not supported, not because of an id.
    fn knows_user(_: u32) -> bool {
        true
    }

    fn knows_group(_: u32) -> bool {
        true
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }

    unreached! {
        fn begin_call(&self) -> Call;
        fn device_has(&self, Feature) -> Result<bool>;
        fn keep_fd(&self) -> Result<()>;
        fn check_into_fd(&self) -> Result<()>;
        fn open_queue(&self) -> Result<Self>;
        fn mode(&self) -> Mode;
        fn layout(&self) -> Layout;
        fn read_size(&self) -> usize;
        fn read(&self, &mut [MaybeUninit<u8>]) -> Outcome<usize>;
        fn readv(&self, &mut [IoSliceMut<'_>]) -> Outcome<usize>;
        fn write(&self, &[u8]) -> Outcome<usize>;
        fn writev(&self, &[IoSlice<'_>]) -> Outcome<usize>;
        fn ready(&self, Readiness) -> Outcome<Readiness>;
        fn wait(&self, Wakes, Readiness, Option<Instant>) -> Outcome<Readiness>;
        fn wakes(&self) -> Wakes;
        fn is_full(&self) -> bool;
        fn wake(&self);
        fn take_wake(&self) -> bool;
        fn shut_down(&self);
        fn is_shut_down(&self) -> bool;
        fn label(&self) -> Text;
        fn name(&self) -> Result<Name>;
        fn link(&self, &mut Call) -> Result<Link>;
        fn change_link(&self, &mut Call, &Change<'_>) -> Result<()>;
        fn index_of(&self, &mut Call, &Name) -> Result<Option<u32>>;
        fn name_of(&self, &mut Call, u32) -> Result<Option<Name>>;
        fn set_ipv6(&self, &mut Call, Setting, u32) -> Result<()>;
        fn is_in(&self, &Namespace) -> bool;
        fn set_carrier(&self, bool) -> Result<()>;
        fn send_buffer(&self) -> Result<u32>;
        fn set_send_buffer(&self, u32) -> Result<()>;
        fn offloads(&self) -> Result<u64>;
        fn set_offloads(&self, u64) -> Result<()>;
        fn read_framed(&self, &mut [u8], &mut [MaybeUninit<u8>]) -> Outcome<usize>;
        fn writev_framed(&self, &[u8], &[IoSlice<'_>]) -> Outcome<usize>;
        fn persist(&self) -> Result<bool>;
        fn set_persist(&self, bool) -> Result<()>;
        fn set_owner(&self, u32) -> Result<()>;
        fn set_group(&self, u32) -> Result<()>;
        fn set_attached(&self, bool) -> Result<()>;
        fn addresses(&self, &mut Call, Option<Family>) -> Result<Vec<Assigned>>;
        fn add_address(&self, &mut Call, &Address, &Options) -> Result<()>;
        fn changes_address(&self, &Assigned, &Address, &Options) -> bool;
        fn change_address(&self, &mut Call, &Address, &Options) -> Result<()>;
        fn restore_address(&self, &mut Call, &Assigned, bool) -> Result<()>;
        fn remove_address(&self, &mut Call, &Address) -> Result<()>;
        fn routes(&self, &mut Call) -> Result<Vec<Installed>>;
        fn usual_route(&self, Family) -> (u32, u32);
        fn adds_without_listing(&self) -> bool;
        fn add_route(&self, &mut Call, &Route) -> Result<()>;
        fn replace_route(&self, &mut Call, &Route) -> Result<()>;
        fn restore_route(&self, &mut Call, &Installed) -> Result<()>;
        fn remove_route(&self, &mut Call, &Installed) -> Result<()>;
        fn default_routes(&self, &mut Call, Family, Option<IpAddr>) -> Result<Vec<Route>>;
        fn add_policy(&self, &mut Call, &[Family], &DefaultRoute) -> Result<()>;
        fn remove_policy(&self, &mut Call, &[Family]) -> Result<bool>;
        fn add_bypass(&self, &mut Call, &[Family], &Bypass, bool) -> Result<()>;
        fn remove_bypass(&self, &mut Call, &[Family], &Bypass) -> Result<bool>;
        fn set_program(&self, Program, Option<RawFd>) -> Result<()>;
        fn set_filter_bpf(&self, &[Instruction]) -> Result<()>;
        fn set_filter_mac(&self, &[Mac], bool) -> Result<()>;
        fn watch(&self, Reports) -> Result<(Watch, Link)>;
    }
}

impl Watching for Watch {
    const MAIN_TABLE: u32 = 0;
    const IPV4_ROUTES_NEED_UP: bool = false;

    fn open(_: Option<u32>, _: Reports) -> Result<Self> {
        Err(Error::platform("monitor the network interfaces"))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }

    fn take(&mut self, _: &mut Vec<Notice>) -> Result<()> {
        match self.0 {}
    }

    fn restart(&mut self) {
        match self.0 {}
    }

    fn list_routes(&mut self) {
        match self.0 {}
    }

    unreached! {
        fn wait(&self, &Waker, Option<Instant>) -> Outcome<()>;
    }
}
