// SPDX-License-Identifier: MIT
//! Options of an open that have no flag.

use std::path::PathBuf;

/// What an open does beyond its flags. A new one changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The user that may open the device without privilege.
    pub owner: Option<u32>,
    /// The group whose members may open the device without privilege.
    pub group: Option<u32>,
    /// The device node, where it is not the usual one.
    pub node: Option<PathBuf>,
}
