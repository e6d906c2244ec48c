// SPDX-License-Identifier: MIT
//! The C ABI: pointers in, references out, no logic. The `///` of each function here is its reference text;
//! include/tuntap.h is made from it, so it speaks C.
//!
//! Safety, for every function: the caller keeps what include/tuntap.h says of pointers. Each is NULL or points
//! to what its type says, alive and large enough, until the call returns; handles come from this library and
//! are not used after they are freed.

#![allow(unsafe_code)]
#![allow(unsafe_op_in_unsafe_fn, reason = "C upholds the one contract above, not each block")]
#![allow(clippy::missing_safety_doc, reason = "as above")]

mod argument;
mod entry;
mod field;

pub mod error;
pub mod feature;
pub mod size;

pub mod config;

pub mod device;
pub mod link;
pub mod namespace;
pub mod presence;

pub mod address;
pub mod route;

pub mod packet;
mod packets;
pub mod queue;
pub mod wait;

pub mod joiner;
pub mod offload;
pub mod reader;
pub mod splitter;
pub mod writer;

pub mod steering;

pub mod monitor;
