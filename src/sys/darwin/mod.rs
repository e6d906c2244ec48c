// SPDX-License-Identifier: MIT
//! Darwin: a TUN is a utun, a TAP a pair of feth interfaces; everything else by ioctl and PF_ROUTE.
//!
//! A device has one queue and one name for as long as it lives, and it lives as long as its handle.

mod address;
mod burst;
mod busy;
mod bypass;
mod call;
mod capability;
mod feth;
#[cfg(not(tuntap_simulated))]
mod kernel;
mod layout;
mod link;
mod lookup;
mod message;
mod open;
mod refusal;
mod room;
mod route;
mod routing;
#[cfg(tuntap_simulated)]
mod simulated;
#[cfg(all(test, tuntap_simulated))]
mod tests;
mod utun;
mod wait;
mod watch;

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[cfg(tuntap_simulated)]
use simulated as kernel;

use super::descriptor;
pub(crate) use super::nowhere::{Call, Namespace};
use super::wait::{Waker, Wakes};
use super::{Backend, Location, Outcome, Watching};
use crate::model::address::Address;
use crate::model::assigned::{Assigned, Options};
use crate::model::default_route::{Bypass, DefaultRoute};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::feature::Feature;
use crate::model::flags::{Flags, Kind, Mode, Reports};
use crate::model::ipv6::Setting;
use crate::model::link::{Link, Mac};
use crate::model::lookup::{Found, Lookup};
use crate::model::name::{Name, NameRequest};
use crate::model::packet::PI_HEADER;
use crate::model::prefix::{Family, Prefix};
use crate::model::readiness::Readiness;
use crate::model::route::{Details, Installed, Route};
use crate::model::steering::{Instruction, Program};
use crate::model::text::{Text, text};
use crate::model::vnet_hdr::{Layout, Wanted};
use crate::sys::Change;
use bypass::Bypasses;
use feth::{Feth, LARGEST_FRAME};
use layout::{SO_SNDBUF, SOL_SOCKET};
use refusal::refusal;
use utun::Utun;
pub(crate) use wait::{Tokens, poll};
pub(crate) use watch::Watch;

/// Size of the largest packet of a utun, and the limits of its MTU (net/if_var.h).
const LARGEST_PACKET: usize = 65_535;
const MTU_OF_UTUN: (u32, u32) = (72, 65_535);
/// How long a writer waits before it tries again: poll reports a full queue as writable.
const WRITE_AGAIN: Duration = Duration::from_millis(1);

/// A TUN or TAP device.
pub(crate) struct Queue {
    port: Port,
    name: Name,
    index: u32,
    waker: Waker,
    /// The last write found the kernel's queue full.
    full: AtomicBool,
    /// The last write found no room, for any reason.
    blocked: AtomicBool,
    bypasses: Mutex<Option<Bypasses>>,
}

/// The descriptors that packets pass through.
enum Port {
    Utun(Utun),
    Feth(Feth),
}

impl Backend for Queue {
    type Call<'a> = Call;

    fn begin_call(&self) -> Call {
        Call
    }

    fn has(feature: Feature) -> bool {
        capability::has(feature)
    }

    fn kernel_has(feature: Feature) -> Result<bool> {
        Ok(capability::has(feature))
    }

    fn device_has(&self, feature: Feature) -> Result<bool> {
        self.has_capability(feature)
    }

    fn list() -> Result<Vec<Link>> {
        link::list().map_err(|errno| Error::system(errno, "list the TUN and TAP devices"))
    }

    /// Always fails: each device is removed with its handle.
    fn delete(name: &Name) -> Result<()> {
        Err(Error::platform(format_args!("delete {name}")))
    }

    fn open(name: &NameRequest, flags: &Flags, _: Wanted, location: &Location<'_>) -> Result<Self> {
        Self::create(name, flags, location)
    }

    fn open_fd(fd: RawFd, borrow: bool) -> Result<Self> {
        Self::take_over(fd, borrow)
    }

    fn keep_fd(&self) -> Result<()> {
        self.keep()
    }

    fn undo_open_fd(self, borrow: bool) {
        match self.port {
            Port::Utun(utun) if !borrow => utun.release(),
            _ => {}
        }
    }

    fn check_into_fd(&self) -> Result<()> {
        match &self.port {
            Port::Utun(_) => Ok(()),
            Port::Feth(_) => self.missing("release the descriptor of"),
        }
    }

    fn into_fd(self) -> OwnedFd {
        match self.port {
            Port::Utun(utun) => utun.into_fd(),
            // Not reached: check_into_fd refuses it.
            Port::Feth(feth) => feth.into_fd(),
        }
    }

    fn open_queue(&self) -> Result<Self> {
        self.missing("open another queue of")
    }

    fn mode(&self) -> Mode {
        let pi = matches!(&self.port, Port::Utun(utun) if utun.pi);
        Mode { pi, ..Mode::plain(self.kind()) }
    }

    fn layout(&self) -> Layout {
        Layout::default()
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match &self.port {
            Port::Utun(utun) => utun.fd(),
            Port::Feth(feth) => feth.fd(),
        }
    }

    fn read_size(&self) -> usize {
        match &self.port {
            Port::Utun(utun) if utun.pi => const { LARGEST_PACKET + PI_HEADER },
            Port::Utun(_) => LARGEST_PACKET,
            Port::Feth(_) => LARGEST_FRAME,
        }
    }

    fn read(&self, buf: &mut [MaybeUninit<u8>]) -> Outcome<usize> {
        match &self.port {
            Port::Utun(utun) if utun.pi && buf.len() < PI_HEADER => Err(Errno::EINVAL),
            Port::Utun(utun) => utun.read(buf),
            Port::Feth(feth) => feth.read(buf),
        }
    }

    fn readv(&self, bufs: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
        let room = || bufs.iter().fold(0_usize, |sum, buf| sum.saturating_add(buf.len()));
        match &self.port {
            Port::Utun(utun) if utun.pi && room() < PI_HEADER => Err(Errno::EINVAL),
            Port::Utun(utun) => utun.readv(bufs),
            Port::Feth(feth) => feth.readv(bufs),
        }
    }

    fn write(&self, packet: &[u8]) -> Outcome<usize> {
        self.note_room(match &self.port {
            Port::Utun(utun) => utun.write(packet),
            Port::Feth(feth) => feth.writev(&[IoSlice::new(packet)]),
        })
    }

    fn writev(&self, parts: &[IoSlice<'_>]) -> Outcome<usize> {
        self.note_room(match &self.port {
            Port::Utun(utun) => utun.writev(parts),
            Port::Feth(feth) => feth.writev(parts),
        })
    }

    fn read_framed(&self, _: &mut [u8], _: &mut [MaybeUninit<u8>]) -> Outcome<usize> {
        Err(Errno::EOPNOTSUPP)
    }

    fn writev_framed(&self, _: &[u8], _: &[IoSlice<'_>]) -> Outcome<usize> {
        Err(Errno::EOPNOTSUPP)
    }

    /// Poll reports a full queue as writable. Only a write shows whether there is room.
    fn ready(&self, interest: Readiness) -> Outcome<Readiness> {
        let write = interest.write && !self.blocked.load(Ordering::Relaxed);
        let read = if interest.read { self.ready_to_read()? } else { Readiness::NONE };
        Ok(Readiness { write, ..read })
    }

    fn wait(&self, since: Wakes, interest: Readiness, deadline: Option<Instant>) -> Outcome<Readiness> {
        if !interest.write {
            return self.wait_to_read(since, deadline);
        }
        if !self.blocked.load(Ordering::Relaxed) && !self.is_shut_down() {
            return self.ready(interest);
        }
        let again = Instant::now().checked_add(WRITE_AGAIN);
        let until = again.into_iter().chain(deadline).min();
        let waited =
            if interest.read { self.wait_to_read(since, until) } else { self.waker.wait(since, &[], until) };
        match waited {
            Err(Errno::ETIMEDOUT) if deadline.is_none_or(|deadline| Instant::now() < deadline) => {
                Ok(Readiness::WRITE)
            }
            waited => waited,
        }
    }

    fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    fn wake(&self) {
        self.waker.wake();
    }

    #[inline]
    fn wakes(&self) -> Wakes {
        self.waker.wakes()
    }

    fn take_wake(&self) -> bool {
        self.waker.take_pending()
    }

    fn shut_down(&self) {
        self.waker.shut_down();
    }

    #[inline]
    fn is_shut_down(&self) -> bool {
        self.waker.is_shut_down()
    }

    fn label(&self) -> Text {
        text!("{}", self.name)
    }

    fn name(&self) -> Result<Name> {
        Ok(self.name)
    }

    fn link(&self, _: &mut Call) -> Result<Link> {
        let mtu_range = match self.kind() {
            Kind::Tun => Some(MTU_OF_UTUN),
            Kind::Tap => link::mtu_range(&self.name).ok(),
        };
        Ok(Link { mtu_range, ..self.present()?.link })
    }

    fn change_link(&self, _: &mut Call, change: &Change<'_>) -> Result<()> {
        let changed = match change {
            Change::Up(up) => link::set_up(&self.name, *up),
            Change::Mtu(mtu) => self.set_mtu(*mtu),
            Change::Mac(mac) => link::set_mac(&self.name, *mac),
            Change::Name(_) | Change::Alias(_) | Change::TxQueueLength(_) | Change::Master(_) => {
                return Err(Error::platform(change.of(self.label())));
            }
            Change::Namespace(namespace) => namespace.absurd(),
        };
        changed.map_err(|errno| refusal(errno, change.of(self.label())))
    }

    fn index_of(&self, _: &mut Call, _: &Name) -> Result<Option<u32>> {
        Err(Error::platform(text!("find a master for {}", self.name)))
    }

    fn name_of(&self, _: &mut Call, _: u32) -> Result<Option<Name>> {
        Err(Error::platform(text!("find the master of {}", self.name)))
    }

    fn set_ipv6(&self, _: &mut Call, setting: Setting, _: u32) -> Result<()> {
        Err(Error::platform(text!("set {} of {}", setting.name(), self.name)))
    }

    fn is_in(&self, namespace: &Namespace) -> bool {
        namespace.absurd()
    }

    fn set_carrier(&self, _: bool) -> Result<()> {
        self.missing("set the carrier of")
    }

    fn send_buffer(&self) -> Result<u32> {
        let mut bytes = [0; 4];
        kernel::get_option(self.writing_fd(), SOL_SOCKET, SO_SNDBUF, &mut bytes)
            .map_err(|errno| self.refused("query the send buffer of", errno))?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn set_send_buffer(&self, bytes: u32) -> Result<()> {
        kernel::set_option(self.writing_fd(), SOL_SOCKET, SO_SNDBUF, &bytes.to_ne_bytes())
            .map_err(|errno| self.refused("set the send buffer of", errno))
    }

    fn offloads(&self) -> Result<u64> {
        Ok(0)
    }

    fn set_offloads(&self, _: u64) -> Result<()> {
        self.missing("set the offloads of")
    }

    fn persist(&self) -> Result<bool> {
        Ok(false)
    }

    fn set_persist(&self, _: bool) -> Result<()> {
        self.missing("set the persistence of")
    }

    // An open must fail because owners are not supported, not because of the id.
    fn knows_user(_: u32) -> bool {
        true
    }

    fn knows_group(_: u32) -> bool {
        true
    }

    fn set_owner(&self, _: u32) -> Result<()> {
        self.missing("set the owner of")
    }

    fn set_group(&self, _: u32) -> Result<()> {
        self.missing("set the group of")
    }

    fn set_attached(&self, _: bool) -> Result<()> {
        self.missing("attach or detach a queue of")
    }

    fn addresses(&self, _: &mut Call, family: Option<Family>) -> Result<Vec<Assigned>> {
        let mut addresses = self.present()?.addresses;
        addresses.retain(|assigned| family.is_none_or(|family| assigned.address.family() == family));
        Ok(addresses.into_iter().map(|assigned| address::with_flags(&self.name, assigned)).collect())
    }

    fn add_address(&self, _: &mut Call, address: &Address, options: &Options) -> Result<()> {
        address::check(&self.name, self.kind(), address, options)?;
        address::add(&self.name, self.index, self.kind(), address, options)
            .map_err(|errno| refusal(errno, format_args!("add the address {address} to {}", self.name)))
    }

    fn changes_address(&self, _: &Assigned, _: &Address, _: &Options) -> bool {
        false
    }

    fn change_address(&self, _: &mut Call, _: &Address, _: &Options) -> Result<()> {
        self.missing("change an address of")
    }

    fn restore_address(&self, call: &mut Call, assigned: &Assigned, _: bool) -> Result<()> {
        let nodad = assigned.options.nodad;
        self.add_address(call, &assigned.address, &Options { nodad, ..Options::default() })
    }

    fn remove_address(&self, _: &mut Call, address: &Address) -> Result<()> {
        let others = self.present()?.addresses;
        address::remove(&self.name, self.index, self.kind(), address, &others)
            .map_err(|errno| refusal(errno, format_args!("remove the address {address} from {}", self.name)))
    }

    fn routes(&self, _: &mut Call) -> Result<Vec<Installed>> {
        let list = |family| route::list(self.index, family);
        let listed = list(Family::V4).and_then(|ipv4| Ok([ipv4, list(Family::V6)?].concat()));
        listed.map_err(|errno| self.refused("list the routes through", errno))
    }

    /// Darwin has no metrics and no tables.
    fn usual_route(&self, _: Family) -> (u32, u32) {
        (0, 0)
    }

    fn adds_without_listing(&self) -> bool {
        false
    }

    fn add_route(&self, _: &mut Call, route: &Route) -> Result<()> {
        let action = text!("add the route {route} through {}", self.name);
        if route.details != Details::default()
            || route.source().is_some()
            || route.has_gateway_of_another_family()
        {
            return Err(Error::platform(action));
        }
        route::add(self.index, route).map_err(|errno| match errno {
            Errno::EEXIST => Error::new(
                errno,
                Reason::Busy,
                text!("{action}: another route has this destination: use two routes with a longer prefix"),
            ),
            Errno::ENETUNREACH => {
                Error::new(errno, Reason::Argument, text!("{action}: {}", unreachable(route)))
            }
            _ => refusal(errno, action),
        })
    }

    /// The kernel has one route for a destination.
    fn replace_route(&self, call: &mut Call, route: &Route) -> Result<()> {
        let has_place =
            |it: &&Installed| (it.route.network(), it.route.prefix()) == (route.network(), route.prefix());
        let Some(present) = self.routes(call)?.into_iter().find(|it| has_place(&it)) else {
            return self.add_route(call, route);
        };
        self.remove_route(call, &present)?;
        self.add_route(call, route).inspect_err(|_| {
            let _ = self.restore_route(call, &present);
        })
    }

    fn restore_route(&self, call: &mut Call, installed: &Installed) -> Result<()> {
        self.add_route(call, &installed.route)
    }

    fn remove_route(&self, _: &mut Call, Installed { route, .. }: &Installed) -> Result<()> {
        route::remove(self.index, route)
            .map_err(|errno| refusal(errno, format_args!("delete the route {route} through {}", self.name)))
    }

    /// Both halves of the addresses, which precede the default route of the system.
    fn default_routes(&self, _: &mut Call, family: Family, gateway: Option<IpAddr>) -> Result<Vec<Route>> {
        let upper: IpAddr = match family {
            Family::V4 => Ipv4Addr::new(128, 0, 0, 0).into(),
            Family::V6 => Ipv6Addr::new(0x8000, 0, 0, 0, 0, 0, 0, 0).into(),
        };
        let half =
            |network| Route::reported(network, Prefix::new(family, 1)?, gateway, None, Details::default());
        Ok([family.unspecified(), upper].into_iter().filter_map(half).collect())
    }

    fn add_policy(&self, _: &mut Call, _: &[Family], wanted: &DefaultRoute) -> Result<()> {
        match wanted {
            DefaultRoute { overriding: false, keep: false, .. } => Ok(()),
            _ => Err(Error::platform(text!(
                "add a default route that overrides others, or stays, to {}",
                self.name
            ))),
        }
    }

    /// Nothing to do: the routes are enough.
    fn remove_policy(&self, _: &mut Call, _: &[Family]) -> Result<bool> {
        Ok(false)
    }

    fn add_bypass(&self, _: &mut Call, _: &[Family], bypass: &Bypass, keep: bool) -> Result<()> {
        self.present()?;
        self.change_bypass("add", bypass, |bypasses, destination| bypasses.add(destination, keep))
    }

    fn remove_bypass(&self, _: &mut Call, _: &[Family], bypass: &Bypass) -> Result<bool> {
        self.change_bypass("delete", bypass, Bypasses::remove)
    }

    fn find_route(_: Option<&Self>, lookup: &Lookup) -> Result<Found> {
        lookup::find(lookup)
    }

    fn set_program(&self, program: Program, _: Option<RawFd>) -> Result<()> {
        self.missing(text!("set the {} of", program.noun()).as_str())
    }

    fn set_filter_bpf(&self, _: &[Instruction]) -> Result<()> {
        self.missing("set the classic filter of")
    }

    fn set_filter_mac(&self, _: &[Mac], _: bool) -> Result<()> {
        self.missing("set the address filter of")
    }

    fn watch(&self, reports: Reports) -> Result<(Watch, Link)> {
        let watch = Watch::open(Some(self.index), reports)?;
        Ok((watch, self.link(&mut self.begin_call())?))
    }
}

/// Why a route is unreachable: the gateway is in no network of the device, or the device has no address of its family
/// (route.c, ifa_ifwithroute_common_locked).
fn unreachable(route: &Route) -> &'static str {
    match (route.gateway(), route.family()) {
        (Some(_), _) => "the gateway is unreachable: add an address in its network to the device",
        (None, Family::V4) => "add an IPv4 address to the device first",
        (None, Family::V6) => "add an IPv6 address to the device first",
    }
}
