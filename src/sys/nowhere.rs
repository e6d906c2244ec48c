// SPDX-License-Identifier: MIT
//! Network namespaces, where an operating system has none.

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

    /// What follows from it.
    #[allow(dead_code, reason = "a system without a backend looks at none of it")]
    pub(crate) fn absurd<T>(&self) -> T {
        match self.0 {}
    }
}

/// An interface is always where it was.
#[allow(dead_code, reason = "a system without a backend makes none")]
pub(crate) struct Way;
