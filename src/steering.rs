// SPDX-License-Identifier: MIT
//! Programs and filters that decide, in the kernel, what goes out through a device and through which queue.

use std::os::fd::RawFd;

use crate::device::Device;
use crate::error::{Errno, Error, Reason, Result};
use crate::link::Mac;
use crate::sys::Backend;
use crate::text::text;

/// What an eBPF program of a device decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The queue that a packet goes to.
    Steering,
    /// How much of a packet goes out: nothing, all, or its beginning.
    Filter,
}

impl Program {
    /// The noun for messages.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Steering => "steering program",
            Self::Filter => "filter program",
        }
    }
}

/// An instruction of a classic filter, as struct sock_filter has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
#[allow(missing_docs, reason = "the names are the kernel's and say it all")]
pub struct Instruction {
    pub code: u16,
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

/// Instructions that a classic filter can have: BPF_MAXINSNS.
pub const MAX_INSTRUCTIONS: usize = 4096;

/// Addresses that the filter of a TAP can have: what the driver's count can say.
pub const MAX_TX_ADDRESSES: usize = u16::MAX as usize;

/// Addresses that are told apart one by one; the others are by a hash.
const EXACT_TX_ADDRESSES: usize = 8;

/// Lets frames to every group's address out.
pub const ALL_MULTICAST: u64 = 0x1;

impl Device {
    /// Has a program run for each packet, or with None none any more.
    pub fn set_program(&self, program: Program, fd: Option<RawFd>) -> Result<()> {
        self.backend.set_program(program, fd)
    }

    /// Lets a classic filter decide what goes out, or with an empty one everything.
    pub fn set_filter(&self, instructions: &[Instruction]) -> Result<()> {
        self.needs_tap("classic filter")?;
        self.backend.set_filter(instructions)
    }

    /// Lets out only frames to these addresses; without any and without flags, everything.
    pub fn set_tx_filter(&self, macs: &[Mac], bits: u64) -> Result<()> {
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
        self.backend.set_tx_filter(macs, bits & ALL_MULTICAST != 0)
    }
}
