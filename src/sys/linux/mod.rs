// SPDX-License-Identifier: MIT
//! Linux: packets and modes through the descriptor of the device node, everything else by rtnetlink.
//!
//! A handle has the descriptor of the node, and usually one more when something needs it: a netlink socket in the
//! network namespace of the device, or the event counter, which the first wait creates. From then on each call closes
//! its socket, unless [`Control::close`] keeps it.

mod address;
mod call;
mod capability;
mod control;
mod delete;
mod departure;
mod file;
mod filter;
#[cfg(fuzzing)]
pub mod fuzz;
mod hidden;
mod ids;
mod ifinfo;
mod ioctl;
mod ipv6;
mod join;
mod link;
mod lookup;
mod message;
mod namespace;
mod netlink;
mod node;
mod notice;
mod offload;
mod open;
mod packet;
mod policy;
mod probe;
mod refusal;
mod route;
mod rtmsg;
mod rule;
mod socket;
mod steering;
mod undo;
mod vnet_hdr;
mod wait;
mod watch;

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::wait::{self as waiting, Waker, Wakes};
use super::{Backend, Location, Outcome};
use crate::model::address::Address;
use crate::model::assigned::{Assigned, Options};
use crate::model::default_route::{Bypass, DefaultRoute};
use crate::model::error::{Errno, Error, Result};
use crate::model::feature::Feature;
use crate::model::flags::{Flags, Mode, Reports};
use crate::model::ipv6::Setting;
use crate::model::link::{Link, Mac};
use crate::model::lookup::{Found, Lookup};
use crate::model::memory;
use crate::model::name::{Name, NameRequest};
use crate::model::packet::PI_HEADER;
use crate::model::prefix::{Family, Prefix};
use crate::model::readiness::Readiness;
use crate::model::route::{Details, Installed, Route};
use crate::model::steering::{Instruction, Program};
use crate::model::text::{Text, text};
use crate::model::vnet_hdr::{Layout, Wanted};
use crate::sys::Change;
use address::Existing;
use call::Call;
use control::{Control, Interface};
use filter::Filter;
use message::Refusal;
use namespace::Identity;
pub(crate) use namespace::Namespace;
use netlink::Socket;
use node::{Node, USUAL_NODE};
use packet::MAX_PARTS;
use policy::Policy;
use refusal::refusal;
use undo::Former;
pub(crate) use wait::{Tokens, poll};
pub(crate) use watch::Watch;

/// A queue of a TUN or TAP device.
pub(crate) struct Queue {
    /// The rules for the default route that this handle has added. Dropped first, so that packets take
    /// other routes before the device is gone.
    policy: Mutex<Option<Policy>>,
    node: Node,
    path: PathBuf,
    /// Locked during a request to rtnetlink and its answer.
    control: Mutex<Control>,
    waker: Waker,
    /// A call has waited on the handle: from then on each call closes its netlink socket.
    waited: AtomicBool,
    /// Only for a TAP that can have several queues.
    filter: Option<Filter>,
    mode: Mode,
    layout: Layout,
    read_size: usize,
    /// The offloads that the open of this handle has turned on.
    turned_on: Option<u64>,
    /// The previous state of an existing device.
    former: Option<Former>,
}

/// Calls `action` in the network namespace where a device is opened.
fn inside<T: Send>(location: &Location<'_>, action: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    match location.namespace {
        None => action(),
        Some(namespace) => namespace.inside(action),
    }
}

/// What was found. None if there is no such interface.
fn unless_absent<T>(found: Outcome<T>) -> std::result::Result<Option<T>, Refusal> {
    match found {
        Err(Errno::ENODEV | Errno::ENXIO) => Ok(None),
        found => Ok(Some(found?)),
    }
}

/// The kernel also has errnos for routes that discard packets: EHOSTUNREACH, EACCES and EINVAL. Older kernels have the
/// last one for the source address of another host too.
fn refused_lookup(refusal: Refusal, lookup: &Lookup) -> Error {
    match refusal.errno {
        Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::EACCES | Errno::EINVAL => lookup.no_route(),
        _ => refusal.error(text!("find the route to {}", lookup.destination())),
    }
}

impl Backend for Queue {
    type Call<'a> = Call<'a>;

    fn begin_call(&self) -> Call<'_> {
        Call::new(self)
    }

    fn has(feature: Feature) -> bool {
        capability::has(feature)
    }

    fn kernel_has(feature: Feature) -> Result<bool> {
        capability::kernel_has(feature)
    }

    fn device_has(&self, feature: Feature) -> Result<bool> {
        self.close_afterwards(|| self.has_capability(feature))
    }

    fn list() -> Result<Vec<Link>> {
        link::list(&mut netlink::Socket::open()?)
    }

    fn delete(name: &Name) -> Result<()> {
        delete::delete(name)
    }

    fn open(name: &NameRequest, flags: &Flags, wanted: Wanted, location: &Location<'_>) -> Result<Self> {
        let path = location.node.unwrap_or(Path::new(USUAL_NODE));
        let foreign = location.namespace.is_some_and(|namespace| namespace.identity() != Identity::own());
        inside(location, || {
            let queue = Self::open_in_own_namespace(path, name, flags, wanted)?;
            if foreign {
                queue.control().keep_socket()?
            } else {
                queue.control().close()
            }
            Ok(queue)
        })
    }

    fn undo_open(self, location: &Location<'_>) {
        self.close_and_restore(location);
    }

    fn open_fd(fd: RawFd, borrow: bool) -> Result<Self> {
        Self::take_over(fd, borrow)
    }

    fn keep_fd(&self) -> Result<()> {
        let failed = |errno| refusal(self.node.translate(errno), None, open::TAKE_OVER);
        self.node.keep().map_err(failed)
    }

    fn undo_open_fd(self, borrow: bool) {
        if !borrow {
            self.node.release();
        }
    }

    fn check_into_fd(&self) -> Result<()> {
        Ok(())
    }

    fn into_fd(self) -> OwnedFd {
        self.node.into_fd()
    }

    fn open_queue(&self) -> Result<Self> {
        self.close_afterwards(|| self.open_another())
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn layout(&self) -> Layout {
        self.layout
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.node.fd()
    }

    fn read_size(&self) -> usize {
        self.read_size
    }

    #[inline]
    fn read(&self, buf: &mut [MaybeUninit<u8>]) -> Outcome<usize> {
        let length = if buf.len() >= self.read_size {
            self.node.read(buf)
        } else if self.mode.pi && buf.len() < PI_HEADER {
            Err(Errno::EINVAL)
        } else {
            self.node.read_short(buf)
        };
        length.map_err(|errno| self.node.translate(errno))
    }

    fn readv(&self, bufs: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
        let room = bufs.iter().fold(0_usize, |sum, buf| sum.saturating_add(buf.len()));
        if bufs.len() >= MAX_PARTS || (self.mode.pi && room < PI_HEADER) {
            return Err(Errno::EINVAL);
        }
        self.node.readv(bufs, room >= self.read_size).map_err(|errno| self.node.translate(errno))
    }

    #[inline]
    fn write(&self, packet: &[u8]) -> Outcome<usize> {
        self.node.write(packet).map_err(|errno| self.node.translate(errno))
    }

    fn writev(&self, parts: &[IoSlice<'_>]) -> Outcome<usize> {
        self.node.writev(parts).map_err(|errno| self.node.translate(errno))
    }

    fn read_framed(&self, header: &mut [u8], buf: &mut [MaybeUninit<u8>]) -> Outcome<usize> {
        let enough = buf.len() >= self.read_size;
        self.node.read_framed(header, buf, enough).map_err(|errno| self.node.translate(errno))
    }

    fn writev_framed(&self, header: &[u8], parts: &[IoSlice<'_>]) -> Outcome<usize> {
        self.node.writev_framed(header, parts).map_err(|errno| self.node.translate(errno))
    }

    fn ready(&self, interest: Readiness) -> Outcome<Readiness> {
        waiting::ready(&[(self.fd(), interest)])
    }

    fn wait(&self, since: Wakes, interest: Readiness, deadline: Option<Instant>) -> Outcome<Readiness> {
        if !self.waker.has_waited() {
            self.begin_wait()?;
        }
        wait::wait_for(&self.waker, since, (self.fd(), interest), deadline)
    }

    /// Always false: poll reports when there is room.
    fn is_full(&self) -> bool {
        false
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
        self.node.granted().map_or_else(|_| "the device".into(), |granted| text!("{}", granted.name))
    }

    fn name(&self) -> Result<Name> {
        self.node
            .granted()
            .map(|granted| granted.name)
            .map_err(|errno| self.refused("query the name of", errno))
    }

    fn link(&self, call: &mut Call<'_>) -> Result<Link> {
        self.control().link(&self.node, &mut call.located)
    }

    fn change_link(&self, call: &mut Call<'_>, change: &Change<'_>) -> Result<()> {
        self.change(call, |netlink, index| link::change(netlink, index, change), |device| change.of(device))?;
        if matches!(change, Change::Namespace(_)) {
            // The rules have no effect in a namespace without the device.
            self.policy().take();
        }
        Ok(())
    }

    fn index_of(&self, call: &mut Call<'_>, name: &Name) -> Result<Option<u32>> {
        let query = |netlink: &mut Socket, _| unless_absent(link::index_of(netlink.fd(), name));
        self.query(call, query, "find an interface in the network namespace of")
    }

    fn name_of(&self, call: &mut Call<'_>, index: u32) -> Result<Option<Name>> {
        let query = |netlink: &mut Socket, _| unless_absent(link::name_of(netlink.fd(), index));
        self.query(call, query, "find an interface in the network namespace of")
    }

    fn set_ipv6(&self, call: &mut Call<'_>, setting: Setting, value: u32) -> Result<()> {
        self.set_ipv6_setting(call, setting, value)
    }

    fn is_in(&self, namespace: &Namespace) -> bool {
        let seen = self.control().namespace();
        seen.is_some() && seen == namespace.identity()
    }

    fn set_carrier(&self, on: bool) -> Result<()> {
        let action = if on { "turn on the carrier of" } else { "turn off the carrier of" };
        self.node.set_carrier(on).map_err(|errno| self.refused_new(action, errno, "5.0"))
    }

    fn send_buffer(&self) -> Result<u32> {
        self.node.send_buffer().map_err(|errno| self.refused("query the send buffer of", errno))
    }

    fn set_send_buffer(&self, bytes: u32) -> Result<()> {
        self.node.set_send_buffer(bytes).map_err(|errno| self.refused("set the send buffer of", errno))
    }

    fn offloads(&self) -> Result<u64> {
        let query = |netlink: &mut Socket, it: Interface| Ok(offload::list(netlink.fd(), &it.name)?);
        self.close_afterwards(|| self.query(&mut self.begin_call(), query, "query the offloads of"))
    }

    fn offloads_at_open(&self) -> Result<u64> {
        self.turned_on.map_or_else(|| self.offloads(), Ok)
    }

    fn set_offloads(&self, offloads: u64) -> Result<()> {
        self.node.set_offload(offloads).map_err(|errno| self.refused_offloads(offloads, errno))
    }

    fn persist(&self) -> Result<bool> {
        let granted = self.node.granted().map_err(|errno| self.refused("query the modes of", errno))?;
        Ok(granted.persist)
    }

    fn set_persist(&self, on: bool) -> Result<()> {
        self.node.set_persist(on).map_err(|errno| self.refused("set the persistence of", errno))
    }

    fn knows_user(uid: u32) -> bool {
        ids::are_mapped("/proc/self/uid_map", uid)
    }

    fn knows_group(gid: u32) -> bool {
        ids::are_mapped("/proc/self/gid_map", gid)
    }

    fn set_owner(&self, uid: u32) -> Result<()> {
        self.node.set_owner(uid).map_err(|errno| self.refused("set the owner of", errno))
    }

    fn set_group(&self, gid: u32) -> Result<()> {
        self.node.set_group(gid).map_err(|errno| self.refused("set the group of", errno))
    }

    fn set_attached(&self, on: bool) -> Result<()> {
        let action = if on { "attach a queue of" } else { "detach a queue of" };
        self.attach(on).map_err(|errno| self.refused(action, errno))
    }

    fn addresses(&self, call: &mut Call<'_>, family: Option<Family>) -> Result<Vec<Assigned>> {
        let family = family.map_or(0, address::number);
        let kind = self.mode.kind;
        self.query(
            call,
            |netlink, interface| address::list(netlink, &interface, kind, family),
            "list the addresses of",
        )
    }

    fn add_address(&self, call: &mut Call<'_>, address: &Address, options: &Options) -> Result<()> {
        self.put_address(call, address, options, Existing::Refused)
    }

    fn changes_address(&self, present: &Assigned, address: &Address, options: &Options) -> bool {
        address::changes_in_place(present, address, options)
    }

    fn change_address(&self, call: &mut Call<'_>, address: &Address, options: &Options) -> Result<()> {
        self.put_address(call, address, options, Existing::Changed)
    }

    fn restore_address(&self, call: &mut Call<'_>, assigned: &Assigned, exists: bool) -> Result<()> {
        let existing = if exists { Existing::Changed } else { Existing::Refused };
        self.change(
            call,
            |netlink, _| address::restore(netlink, assigned, existing),
            |device| text!("restore the address {} of {device}", assigned.address),
        )
    }

    fn remove_address(&self, call: &mut Call<'_>, address: &Address) -> Result<()> {
        self.change(
            call,
            |netlink, index| address::remove(netlink, index, address),
            |device| text!("remove the address {address} from {device}"),
        )
    }

    fn routes(&self, call: &mut Call<'_>) -> Result<Vec<Installed>> {
        self.query(
            call,
            |netlink, interface| route::list(netlink, interface.index),
            "list the routes through",
        )
    }

    /// IPv6 has no metric 0.
    fn usual_route(&self, family: Family) -> (u32, u32) {
        match family {
            Family::V4 => (0, rtmsg::MAIN_TABLE),
            Family::V6 => (rtmsg::IPV6_METRIC, rtmsg::MAIN_TABLE),
        }
    }

    /// Without CAP_NET_ADMIN adding a route would fail, so the list is read first.
    fn adds_without_listing(&self) -> bool {
        ids::is_net_admin()
    }

    fn add_route(&self, call: &mut Call<'_>, route: &Route) -> Result<()> {
        capability::check_route(route)?;
        self.change(
            call,
            |netlink, index| route::add(netlink, index, route),
            |device| text!("add the route {route} through {device}"),
        )
    }

    fn replace_route(&self, call: &mut Call<'_>, route: &Route) -> Result<()> {
        capability::check_route(route)?;
        self.change(
            call,
            |netlink, index| route::replace(netlink, index, route),
            |device| text!("replace the route {route} through {device}"),
        )
    }

    fn restore_route(&self, call: &mut Call<'_>, installed: &Installed) -> Result<()> {
        self.change(
            call,
            |netlink, _| route::restore(netlink, installed),
            |device| text!("restore the route {} through {device}", installed.route),
        )
    }

    fn remove_route(&self, call: &mut Call<'_>, installed: &Installed) -> Result<()> {
        self.change(
            call,
            |netlink, index| route::remove(netlink, index, installed),
            |device| text!("delete the route {} through {device}", installed.route),
        )
    }

    fn default_routes(
        &self,
        call: &mut Call<'_>,
        family: Family,
        gateway: Option<IpAddr>,
    ) -> Result<Vec<Route>> {
        // Without rules the kernel uses the main table for every table, and its default route must stay.
        let action = "add the default route through";
        let listed = self.query(call, |netlink, _| Ok(rule::list_family(netlink, family).err()), action)?;
        if let Some(refusal) = listed {
            return Err(self.refused_policy(refusal, action));
        }
        let table = rule::table_of(self.link(call)?.index);
        let details = Details { table, ..Details::default() };
        let route = Route::reported(family.unspecified(), Prefix::ALL, gateway, None, details);
        Ok(memory::collect(route)?)
    }

    fn add_policy(&self, call: &mut Call<'_>, families: &[Family], wanted: &DefaultRoute) -> Result<()> {
        let add = |policy: &mut Policy| policy.add_default(families, wanted.overriding, wanted.keep);
        self.change_policy(call, &add, "add the default route through").map(drop)
    }

    fn remove_policy(&self, call: &mut Call<'_>, families: &[Family]) -> Result<bool> {
        let remove = |policy: &mut Policy| policy.remove_default(families);
        self.change_policy(call, &remove, "delete the default route through")
    }

    fn add_bypass(
        &self,
        call: &mut Call<'_>,
        families: &[Family],
        bypass: &Bypass,
        keep: bool,
    ) -> Result<()> {
        let add = |policy: &mut Policy| policy.add_bypass(families, bypass, keep);
        self.change_policy(call, &add, "add a bypass of").map(drop)
    }

    fn remove_bypass(&self, call: &mut Call<'_>, families: &[Family], bypass: &Bypass) -> Result<bool> {
        let remove = |policy: &mut Policy| policy.remove_bypass(families, bypass);
        self.change_policy(call, &remove, "delete a bypass of")
    }

    fn find_route(device: Option<&Self>, lookup: &Lookup) -> Result<Found> {
        let find = |netlink: &mut Socket| lookup::find(netlink, lookup);
        let found = match device {
            Some(queue) => queue.close_afterwards(|| {
                let action = "find a route in the network namespace of";
                queue.query(&mut queue.begin_call(), |netlink, _| Ok(find(netlink)), action)
            })?,
            None => find(&mut Socket::open()?),
        };
        found.map_err(|refusal| refused_lookup(refusal, lookup))
    }

    fn set_program(&self, program: Program, fd: Option<RawFd>) -> Result<()> {
        self.node.set_program(program, fd).map_err(|errno| self.refused_program(program, errno))
    }

    fn set_filter_bpf(&self, instructions: &[Instruction]) -> Result<()> {
        self.filter(instructions).map_err(|errno| self.refused_filter(errno))
    }

    fn set_filter_mac(&self, macs: &[Mac], all_groups: bool) -> Result<()> {
        self.node
            .set_tx_filter(macs, all_groups)
            .map_err(|errno| self.refused("set the address filter of", errno))
    }

    fn watch(&self, reports: Reports) -> Result<(Watch, Link)> {
        self.close_afterwards(|| self.watch_namespace(reports))
    }
}
