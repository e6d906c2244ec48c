// SPDX-License-Identifier: MIT
//! A model of Darwin's kernel, for tests on another system: the system calls of kernel.rs, over interfaces, addresses and
//! routes that are kept here. It answers as XNU's sources say (xnu-11417), whose files and functions are named where a
//! fact comes from one.
//!
//! Its descriptors are real ones, one end of a socket pair whose other end is here: so poll, close, and all that is done
//! to a descriptor by POSIX are the host's own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "it is for tests"
)]
#![cfg_attr(not(test), allow(dead_code, reason = "tests play the host"))]

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
pub(super) use host::{Machine, boot, settle};
pub(super) use ioctls::{drive, ioctl};
pub(super) use packets::{move_byte, readv, writev};
