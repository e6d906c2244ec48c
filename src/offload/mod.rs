// SPDX-License-Identifier: MIT
//! Segmentation offload in memory: splitting a super-packet into the packets that it stands for, and
//! joining packets to one. Bytes in, bytes out: no device is needed.
//!
//! The numbers here are places and lengths within one packet, of 65,557 bytes at the most, and whatever they are,
//! bytes are reached by `get`: a wrong one finds nothing.

pub mod checksum;
mod flow;
mod flows;
pub mod headers;
mod item;
pub mod join;
mod segments;
mod slots;
pub mod split;
