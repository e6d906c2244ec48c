// SPDX-License-Identifier: MIT
//! Programs and filters in the kernel that select packets and queues.

use crate::model::table::constants;

/// The purpose of an eBPF program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// It selects the queue of a packet.
    Steering,
    /// It selects packets: all bytes of a packet are sent, none, or only the first ones.
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

/// An instruction of a classic filter, in the layout of struct sock_filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
#[allow(missing_docs, reason = "the names are those of the kernel")]
pub struct Instruction {
    pub code: u16,
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

/// The maximum length of a classic filter: BPF_MAXINSNS.
pub const MAX_INSTRUCTIONS: usize = 4096;

/// The maximum number of addresses in the filter of a TAP: the driver's count has 16 bits.
pub const MAX_TX_ADDRESSES: usize = u16::MAX as usize;

constants! {
    bits FLAGS: u64 {
        /// tuntap_set_filter_mac: all multicast frames pass.
        ALL_MULTICAST = 0x1, "TUNTAP_ALL_MULTICAST";
    }
}
