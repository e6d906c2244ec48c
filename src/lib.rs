// SPDX-License-Identifier: MIT
//! libtuntap: create, configure and drive TUN and TAP devices from any language.
//!
//! Imports run one way: [`capi`] (C's pointers) to the core (checked types) to `sys` (the operating
//! system). Each noun has one file of its name in every layer: `device`, `link`, `address`, `packet`, `queue`.

pub mod capi;

pub mod address;
pub mod config;
pub mod cpu;
pub mod device;
pub mod errno;
pub mod error;
pub mod feature;
pub mod flags;
pub mod link;
pub mod memory;
pub mod monitor;
pub mod name;
pub mod offload;
pub mod packet;
pub mod prefix;
pub mod queue;
pub mod reader;
pub mod route;
pub mod steering;
pub mod text;
pub mod writer;

#[cfg(fuzzing)]
pub mod fuzzing;

mod fault;
mod stream;
mod sys;

/// What is private, for fuzz/targets.
#[cfg(all(fuzzing, target_os = "linux"))]
pub use sys::fuzz;
