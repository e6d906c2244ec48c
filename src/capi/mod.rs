// SPDX-License-Identifier: MIT
//! The C ABI: converts pointers to references, and has no other logic. The `///` comment of each function is its
//! reference text. include/tuntap.h is generated from it, so it uses the terms of C.
//!
//! Safety, for every function: the caller follows the rules of include/tuntap.h. Each pointer is NULL or points to a
//! valid object of its type and size until the call returns. Handles come from this library and are not used after
//! they are freed.

#![allow(unsafe_code)]
#![allow(unsafe_op_in_unsafe_fn, reason = "the caller in C upholds the contract above")]
#![allow(clippy::missing_safety_doc, reason = "as above")]

mod argument;
mod entry;
mod field;

pub mod error;
pub mod feature;
pub mod size;

pub mod config;

pub mod device;
pub mod ipv6;
pub mod link;
pub mod master;
pub mod namespace;
pub mod presence;

pub mod address;
mod assigned;
pub mod default_route;
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
