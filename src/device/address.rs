// SPDX-License-Identifier: MIT
//! Adding, changing and removing the addresses of a device.

use std::net::{IpAddr, Ipv4Addr};

use super::{Call, Device};
use crate::model::address::{Address, AddressRequest, IPV6_MTU, too_small_for_ipv6};
use crate::model::assigned::Label;
use crate::model::assigned::{Assigned, Options};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::memory;
use crate::model::prefix::{Family, Prefix};
use crate::model::text::text;
use crate::sys::Backend;

/// The number of attempts to add an address that others add and remove at the same time.
const TRIES: usize = 16;

/// One step of a change of the addresses.
enum Step<'a> {
    Keep(&'a Assigned),
    Add(Address, Options),
    /// Replaces an address that is removed first, even if it is the same one.
    Swap(Address, Options),
}

impl Step<'_> {
    fn address(&self) -> &Address {
        match self {
            Step::Keep(assigned) => &assigned.address,
            Step::Add(address, _) | Step::Swap(address, _) => address,
        }
    }

    fn keeps(&self, present: &Address) -> bool {
        !matches!(self, Step::Swap(..)) && self.address() == present
    }
}

fn is_among(address: &Address, assigned: &[Assigned]) -> bool {
    assigned.iter().any(|has| has.address == *address)
}

impl Device {
    /// The addresses of both families, in the order of the system.
    pub fn addresses(&self) -> Result<Vec<Assigned>> {
        self.backend.addresses(&mut self.backend.begin_call(), None)
    }

    /// Makes this the only address of its set. A request without a prefix keeps an address that the device has.
    pub fn set_addr(&self, request: &AddressRequest) -> Result<()> {
        let _configuring = self.lock_configuration();
        let (wanted, call) = (request.address(), &mut self.backend.begin_call());
        self.check_ipv6_mtu(call, &wanted)?;
        let before = self.backend.addresses(call, Some(wanted.family()))?;
        let present = before.iter().find(|assigned| request.is_met_by(&assigned.address));
        let first = present.map_or(Step::Add(wanted, Options::default()), Step::Keep);
        let others = before.iter().filter(|assigned| assigned.address.set() != wanted.set());
        let steps = match wanted.family() {
            Family::V4 => memory::collect([first]),
            // IPv6 steps keep an address wherever it is in the list.
            Family::V6 => memory::collect(others.map(Step::Keep).chain([first])),
        }?;
        self.replace_addresses(call, wanted.family(), &before, &steps)
    }

    /// Adds an address, unless the device has it. Replaces a conflicting one if `replace` is set.
    pub fn add_addr(&self, request: &AddressRequest, options: &Options, replace: bool) -> Result<()> {
        let _configuring = self.lock_configuration();
        let (address, call) = (request.address(), &mut self.backend.begin_call());
        options.check(&address)?;
        self.check_ipv6_mtu(call, &address)?;
        let options = &self.without_usual(call, address.family(), options)?;
        let before = self.backend.addresses(call, Some(address.family()))?;
        let Some(present) = before.iter().find(|assigned| request.conflicts_with(&assigned.address)) else {
            return self.add_if_absent(call, &Step::Add(address, *options));
        };
        if request.is_met_by(&present.address) && present.meets(options) {
            return Ok(());
        }
        if replace {
            return self.replace_address(call, &before, present, request, options);
        }
        let text = text!(
            "add the address {address} to {}: it has {} with other properties: use TUNTAP_REPLACE to replace it",
            self.label(),
            present.address
        );
        Err(Error::new(Errno::EEXIST, Reason::Busy, text))
    }

    /// Changes the address in place where the system can, so that the device always has one.
    fn replace_address(
        &self,
        call: &mut Call<'_>,
        before: &[Assigned],
        present: &Assigned,
        request: &AddressRequest,
        options: &Options,
    ) -> Result<()> {
        let address = request.in_place_of(&present.address);
        let options = options.merged_with(&present.options);
        if self.backend.changes_address(present, &address, &options) {
            return self.backend.change_address(call, &address, &options);
        }
        let steps = memory::collect(before.iter().map(|had| match had.address == present.address {
            true => Step::Swap(address, options),
            false => Step::Keep(had),
        }))?;
        self.replace_addresses(call, address.family(), before, &steps)
    }

    /// Removes the address that the request names completely, or else each that it matches. Other IPv4 addresses of
    /// the network, which the system removes with the first one, are added again.
    pub fn del_addr(&self, request: &AddressRequest) -> Result<()> {
        let _configuring = self.lock_configuration();
        let (family, call) = (request.family(), &mut self.backend.begin_call());
        let before = self.backend.addresses(call, Some(family))?;
        let exact = before.iter().any(|assigned| request.is_exactly(&assigned.address));
        let goes = |address| if exact { request.is_exactly(address) } else { request.names(address) };
        let others = before.iter().filter(|assigned| !goes(&assigned.address));
        let kept = memory::collect(others.map(Step::Keep))?;
        if kept.len() == before.len() {
            return Err(Error::new(
                Errno::ENOENT,
                Reason::Unset,
                text!("{} does not have the address {}", self.label(), request.address().local()),
            ));
        }
        self.replace_addresses(call, family, &before, &kept)
    }

    /// The first IPv4 address.
    pub fn addr(&self) -> Result<IpAddr> {
        Ok(self.first_ipv4()?.local())
    }

    /// The peer of the first IPv4 address.
    pub fn dstaddr(&self) -> Result<IpAddr> {
        let peer = self.first_ipv4()?.peer();
        peer.ok_or_else(|| self.unset("destination address", "tuntap_set_dstaddr"))
    }

    /// Sets the peer of the first IPv4 address.
    pub fn set_dstaddr(&self, peer: Ipv4Addr) -> Result<()> {
        let peer = IpAddr::from(peer);
        self.change_first(|first| first.with_peer(peer))
    }

    /// The netmask of the first IPv4 address.
    pub fn netmask(&self) -> Result<Ipv4Addr> {
        Ok(self.first_ipv4()?.prefix().netmask())
    }

    /// Sets the prefix of the first IPv4 address, from a netmask.
    pub fn set_netmask(&self, prefix: Prefix) -> Result<()> {
        self.change_first(|first| first.with_prefix(prefix))
    }

    fn first_ipv4(&self) -> Result<Address> {
        self.first_of(&self.backend.addresses(&mut self.backend.begin_call(), Some(Family::V4))?)
    }

    fn first_of(&self, addresses: &[Assigned]) -> Result<Address> {
        let first = addresses.first().map(|assigned| assigned.address);
        first.ok_or_else(|| self.unset("IPv4 address", "tuntap_set_addr"))
    }

    /// Changes the first IPv4 address. The others stay after it, in the same order.
    fn change_first(&self, change: impl FnOnce(Address) -> Address) -> Result<()> {
        let _configuring = self.lock_configuration();
        let call = &mut self.backend.begin_call();
        let before = self.backend.addresses(call, Some(Family::V4))?;
        let changed = change(self.first_of(&before)?);
        let others = before.iter().skip(1).map(Step::Keep);
        let steps = memory::collect([Step::Add(changed, Options::default())].into_iter().chain(others))?;
        self.replace_addresses(call, Family::V4, &before, &steps)
    }

    /// Restores the addresses of before, as far as possible.
    pub(super) fn restore_addresses(&self, call: &mut Call<'_>, before: &[Assigned]) {
        self.undo_replacements(call, before);
        for family in [Family::V4, Family::V6] {
            let of_family = before.iter().filter(|assigned| assigned.address.family() == family);
            if let Ok(steps) = memory::collect(of_family.map(Step::Keep)) {
                let _ = self.go_back(call, family, &steps);
            }
        }
    }

    /// Restores the properties of changed addresses in place, or removes the addresses, to be added again later.
    fn undo_replacements(&self, call: &mut Call<'_>, before: &[Assigned]) {
        let Ok(present) = self.backend.addresses(call, None) else { return };
        let changed = |had: &&Assigned| {
            present.iter().find(|has| has.address == had.address && has.options != had.options)
        };
        for (had, has) in before.iter().filter_map(|had| changed(&had).map(|has| (had, has))) {
            let _ = match self.backend.changes_address(has, &had.address, &had.options) {
                true => self.backend.restore_address(call, had, true),
                false => self.backend.remove_address(call, &had.address),
            };
        }
    }

    /// Changes the addresses from one list to another, and back on failure. Also restores the routes then, because the
    /// system removes routes with the address that they need.
    fn replace_addresses(
        &self,
        call: &mut Call<'_>,
        family: Family,
        before: &[Assigned],
        wanted: &[Step<'_>],
    ) -> Result<()> {
        let is_wanted = |had: &Assigned| wanted.iter().any(|step| step.keeps(&had.address));
        let routes = match before.iter().all(is_wanted) {
            true => Vec::new(),
            false => self.backend.routes(call)?,
        };
        let back = memory::collect(before.iter().map(Step::Keep))?;
        self.reconcile(call, family, before, wanted).inspect_err(|_| {
            self.undo_replacements(call, before);
            let _ = self.go_back(call, family, &back);
            self.restore_routes(call, &routes, []);
        })
    }

    /// Changes the addresses from the present list back to `wanted`.
    fn go_back(&self, call: &mut Call<'_>, family: Family, wanted: &[Step<'_>]) -> Result<()> {
        let present = self.backend.addresses(call, Some(family))?;
        self.reconcile(call, family, &present, wanted)
    }

    /// Removes the addresses that are not wanted or in the wrong place, and adds those that are missing. Of IPv4 it
    /// keeps only the beginning of `wanted`, to preserve the order and the first address. IPv6 needs no order. The list
    /// is read again after a removal, because Linux removes a secondary IPv4 address with the primary one of its
    /// network.
    fn reconcile(
        &self,
        call: &mut Call<'_>,
        family: Family,
        before: &[Assigned],
        wanted: &[Step<'_>],
    ) -> Result<()> {
        let (mut next, mut removed) = (wanted.iter().peekable(), false);
        for present in before {
            let kept = match family {
                Family::V4 => next.next_if(|step| step.keeps(&present.address)).is_some(),
                Family::V6 => wanted.iter().any(|step| step.keeps(&present.address)),
            };
            if kept {
                continue;
            }
            removed = true;
            match self.backend.remove_address(call, &present.address) {
                Err(error) if error.errno() != Errno::EADDRNOTAVAIL => return Err(error),
                _ => {}
            }
        }
        let after = if removed { Some(self.backend.addresses(call, Some(family))?) } else { None };
        let present = after.as_deref().unwrap_or(before);
        let mut missing = wanted.iter().filter(|step| !is_among(step.address(), present));
        missing.try_for_each(|step| self.add_if_absent(call, step))
    }

    /// Adds an address. Others may add and remove it at the same time, with another handle or without one.
    fn add_if_absent(&self, call: &mut Call<'_>, step: &Step<'_>) -> Result<()> {
        let add = |call: &mut Call<'_>| match step {
            Step::Keep(assigned) => self.backend.restore_address(call, assigned, false),
            Step::Add(address, options) | Step::Swap(address, options) => {
                self.backend.add_address(call, address, options)
            }
        };
        let address = step.address();
        let mut added = add(call);
        for _ in 1..TRIES {
            match &added {
                Err(error) if error.errno() == Errno::EEXIST => {}
                _ => break,
            }
            if is_among(address, &self.backend.addresses(call, Some(address.family()))?) {
                return Ok(());
            }
            added = add(call);
        }
        added
    }

    /// Without what is not a request: the scope of an IPv6 address, which the system derives from the address, and the
    /// default label, which is the name of the device.
    fn without_usual(&self, call: &mut Call<'_>, family: Family, options: &Options) -> Result<Options> {
        if family == Family::V6 {
            return Ok(Options { scope: None, ..*options });
        }
        let none = Label::default();
        let usual =
            options.label != none && options.label.as_bytes() == self.backend.link(call)?.name.as_bytes();
        Ok(Options { label: if usual { none } else { options.label }, ..*options })
    }

    fn check_ipv6_mtu(&self, call: &mut Call<'_>, address: &Address) -> Result<()> {
        if address.family() == Family::V4 {
            return Ok(());
        }
        let link = self.backend.link(call)?;
        if link.mtu >= IPV6_MTU {
            return Ok(());
        }
        Err(too_small_for_ipv6(text!("add the address {address} to {}", link.name), link.mtu))
    }
}
