// SPDX-License-Identifier: MIT
//! Programs and filters in the kernel that select packets and queues.

use std::os::fd::RawFd;

use super::Device;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::link::Mac;
use crate::model::steering::{ALL_MULTICAST, Instruction, Program};
use crate::model::text::text;
use crate::sys::Backend;

/// The number of addresses that match exactly. Further ones match by a hash.
const EXACT_TX_ADDRESSES: usize = 8;

impl Device {
    /// Sets the eBPF program, or removes it (None).
    pub fn set_program(&self, program: Program, fd: Option<RawFd>) -> Result<()> {
        self.backend.set_program(program, fd)
    }

    /// Sets the classic filter, or removes it (no instructions).
    pub fn set_filter_bpf(&self, instructions: &[Instruction]) -> Result<()> {
        self.needs_tap("classic filter")?;
        self.backend.set_filter_bpf(instructions)
    }

    /// Sets the address filter, or removes it (no addresses and no flags).
    pub fn set_filter_mac(&self, macs: &[Mac], bits: u64) -> Result<()> {
        self.needs_tap("address filter")?;
        if bits & !ALL_MULTICAST != 0 {
            let text = text!("flags {bits:#x} of an address filter: only TUNTAP_ALL_MULTICAST is valid");
            return Err(Error::new(Errno::EINVAL, Reason::Flags, text));
        }
        // Linux would accept it and let all frames pass.
        if let Some(mac) = macs.iter().skip(EXACT_TX_ADDRESSES).find(|mac| !mac.is_group()) {
            let name = self.label();
            let text = text!(
                "set the address filter of {name}: {mac} comes after the first eight, where only \
                 multicast addresses are allowed"
            );
            return Err(Error::new(Errno::EINVAL, Reason::Address, text));
        }
        self.backend.set_filter_mac(macs, bits & ALL_MULTICAST != 0)
    }
}
