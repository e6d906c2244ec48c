// SPDX-License-Identifier: MIT
//! Programs and filters that decide, in the kernel, what goes out through a device and through which queue.

use crate::model::table::constants;

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

constants! {
    bits FLAGS: u64 {
        /// tuntap_set_filter_mac: frames to every group's address go out.
        ALL_MULTICAST = 0x1, "TUNTAP_ALL_MULTICAST";
    }
}
