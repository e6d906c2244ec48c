// SPDX-License-Identifier: MIT
//! Replaces network namespaces on an operating system that has none.

use std::convert::Infallible;
use std::os::fd::RawFd;
use std::path::Path;

use crate::model::error::{Error, Result};

/// A network namespace that cannot exist.
pub(crate) struct Namespace(Infallible);

impl Namespace {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Err(Error::platform(format_args!("open the network namespace {}", path.display())))
    }

    pub(crate) fn duplicate(fd: RawFd) -> Result<Self> {
        Err(Error::platform(format_args!("use descriptor {fd} as a network namespace")))
    }

    /// Any result: this code is unreachable.
    #[allow(dead_code, reason = "a system without a backend does not use it")]
    pub(crate) fn absurd<T>(&self) -> T {
        match self.0 {}
    }
}

/// The state of a call. It is empty, because a device cannot be moved.
#[allow(dead_code, reason = "a system without a backend does not use it")]
pub(crate) struct Call;
