// SPDX-License-Identifier: MIT
//! Programs and filters that decide, in the kernel, what goes out through a device and through which queue.

use std::os::fd::RawFd;

use super::Device;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::link::Mac;
use crate::model::steering::{ALL_MULTICAST, Instruction, Program};
use crate::model::text::text;
use crate::sys::Backend;

/// Addresses that are told apart one by one; the others are by a hash.
const EXACT_TX_ADDRESSES: usize = 8;

impl Device {
    /// Has a program run for each packet, or with None none any more.
    pub fn set_program(&self, program: Program, fd: Option<RawFd>) -> Result<()> {
        self.backend.set_program(program, fd)
    }

    /// Lets a classic filter decide what goes out, or with an empty one everything.
    pub fn set_filter_bpf(&self, instructions: &[Instruction]) -> Result<()> {
        self.needs_tap("classic filter")?;
        self.backend.set_filter_bpf(instructions)
    }

    /// Lets out only frames to these addresses; without any and without flags, everything.
    pub fn set_filter_mac(&self, macs: &[Mac], bits: u64) -> Result<()> {
        self.needs_tap("address filter")?;
        if bits & !ALL_MULTICAST != 0 {
            let text = text!("flags {bits:#x} of an address filter: only TUNTAP_ALL_MULTICAST is one");
            return Err(Error::new(Errno::EINVAL, Reason::Flags, text));
        }
        // Linux would let everything out, without a word.
        if let Some(mac) = macs.iter().skip(EXACT_TX_ADDRESSES).find(|mac| !mac.is_group()) {
            let name = self.label();
            let text = text!(
                "set the address filter of {name}: {mac} comes after the first eight, where only groups' addresses can be"
            );
            return Err(Error::new(Errno::EINVAL, Reason::Address, text));
        }
        self.backend.set_filter_mac(macs, bits & ALL_MULTICAST != 0)
    }
}
