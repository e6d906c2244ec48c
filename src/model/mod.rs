// SPDX-License-Identifier: MIT
//! The values and errors that all layers share. Nothing here depends on an operating system.

pub mod address;
pub mod assigned;
pub mod default_route;
pub mod errno;
pub mod error;
pub mod event;
pub mod feature;
pub mod flags;
pub mod ipv6;
pub mod limit;
pub mod link;
pub mod lookup;
pub mod memory;
pub mod name;
pub mod offload;
pub mod packet;
pub mod prefix;
pub mod readiness;
pub mod route;
pub mod steering;
pub mod table;
pub mod text;
pub mod vnet_hdr;
