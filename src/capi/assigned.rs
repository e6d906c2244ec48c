// SPDX-License-Identifier: MIT
//! `tuntap_addr` to and from the addresses of the core.

use super::address::{CAddr, family, family_of, protocol};
use super::argument::Growing;
use super::field::{c_bytes, c_text, field, field_bytes, optional_field, zero};
use super::size::TUNTAP_ADDR_SIZE;
use crate::model::address::AddressRequest;
use crate::model::assigned::{Assigned, Label, Options, Scope};
use crate::model::error::Result;
use crate::model::prefix::{self, Parsed};

impl From<Assigned> for CAddr {
    fn from(assigned: Assigned) -> Self {
        let Assigned { address, options, flags, .. } = assigned;
        Self {
            family: family(address.family()),
            prefix: address.prefix().bits().into(),
            scope: options.scope.map_or(0, |scope| scope as u32),
            metric: options.metric,
            flags,
            valid: options.lifetimes.valid,
            preferred: options.lifetimes.preferred,
            protocol: options.protocol.into(),
            reserved: 0,
            addr: c_text(format_args!("{}/{}", address.local(), address.prefix().bits())),
            peer: address.peer().map_or([0; TUNTAP_ADDR_SIZE], c_text),
            broadcast: options.broadcast.map_or([0; TUNTAP_ADDR_SIZE], c_text),
            label: c_bytes(options.label.as_bytes()),
        }
    }
}

impl CAddr {
    /// The address that a function adds or removes.
    pub(super) fn request(&self) -> Result<AddressRequest> {
        let text = field(&self.addr, "the address")?;
        let parsed = Parsed::new(text)?.combined_with(family_of(self.family)?, self.prefix, text)?;
        AddressRequest::new(parsed, text, optional_field(&self.peer, "the peer address")?)
    }

    /// The other properties of the address.
    pub(super) fn options(&self) -> Result<Options> {
        zero(self.reserved, "reserved", Self::NAME)?;
        let broadcast = optional_field(&self.broadcast, "the broadcast address")?;
        Ok(Options {
            broadcast: broadcast.map(prefix::parse_ipv4).transpose()?,
            scope: Scope::parse(self.scope)?,
            metric: self.metric,
            protocol: protocol(self.protocol)?,
            label: Label::new(field_bytes(&self.label, "the label")?)?,
            ..Options::parse(self.flags, self.valid, self.preferred)?
        })
    }
}
