// SPDX-License-Identifier: MIT
//! A model of Darwin's kernel for tests on other systems: the system calls of kernel.rs, with simulated interfaces,
//! addresses and routes. It behaves like the sources of XNU (xnu-11417). Comments name the file and function of a fact.
//!
//! Its descriptors are real: one end of a socket pair whose other end is here. So poll, close, and all other POSIX
//! functions on descriptors are those of the host.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "it is for tests"
)]
#![cfg_attr(not(test), allow(dead_code, reason = "only tests use all of it"))]

mod addresses;
mod calls;
mod gather;
#[cfg(test)]
mod host;
mod interface;
mod ioctls;
mod machine;
mod messages;
mod packets;
mod routes;
mod utun;

pub(super) use calls::{bind, connect, get_option, open, set_option, socket, sysctl};
pub(super) use gather::{gather, refresh};
#[cfg(test)]
pub(super) use host::{Machine, boot, run_pending};
pub(super) use ioctls::{ioctl, set_driver_spec};
pub(super) use packets::{move_byte, readv, writev};
