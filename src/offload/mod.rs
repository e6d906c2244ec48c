// SPDX-License-Identifier: MIT
//! Segmentation offload in memory: segments super-packets, and coalesces packets into super-packets. It works on bytes
//! only, without a device.
//!
//! All numbers are offsets and lengths within one packet of at most 65,557 bytes. Bytes are accessed only with `get`,
//! so a wrong number cannot read or write outside of a packet.

pub mod checksum;
mod flow;
mod flows;
pub mod headers;
mod ip;
mod item;
pub mod join;
mod segments;
mod slots;
pub mod split;
pub mod tunnel;
