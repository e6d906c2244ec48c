// SPDX-License-Identifier: MIT
//! libtuntap: create, configure and drive TUN and TAP devices from any language.
//!
//! Layers, the lowest first. A file uses its own layer and lower ones only: tests/layers.rs checks it.

/// Values and errors that all layers share.
pub mod model;

/// Sums of 16-bit words by the processor's vector instructions.
pub mod cpu;

/// The operating systems, behind one contract.
mod sys;

/// Super-packets in memory.
pub mod offload;

/// A device and what it does.
pub mod device;

/// The C ABI.
pub mod capi;

#[cfg(fuzzing)]
pub mod fuzzing;

mod fault;

// What is private, for fuzz/targets.
#[cfg(all(fuzzing, target_os = "linux"))]
pub use sys::fuzz;
