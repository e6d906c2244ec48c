// SPDX-License-Identifier: MIT
//! An operating system without a backend yet: nothing opens, so nothing else can be reached.

use std::convert::Infallible;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::path::Path;

use super::Backend;
use crate::address::Address;
use crate::error::{Errno, Error, Result};
use crate::feature::Feature;
use crate::flags::{Flags, Mode};
use crate::link::{Link, Mac};
use crate::name::NameRequest;

/// Nothing here is worth holding off a cancellation for.
pub(crate) struct Uncancelled;

impl Uncancelled {
    pub(crate) fn new() -> Self {
        Self
    }
}

/// A queue that cannot exist.
pub(crate) struct Queue(Infallible);

impl Backend for Queue {
    fn has(_: Feature) -> bool {
        false
    }

    fn open(name: &NameRequest, _: &Flags, _: Option<&Path>) -> Result<Self> {
        Err(Error::platform(format_args!("open {name}")))
    }

    fn open_queue(&self, _: bool) -> Result<Self> {
        match self.0 {}
    }

    fn mode(&self) -> Mode {
        match self.0 {}
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }

    fn nonblock(&self) -> Result<bool> {
        match self.0 {}
    }

    fn set_nonblock(&self, _: bool) -> Result<()> {
        match self.0 {}
    }

    fn read_size(&self) -> usize {
        match self.0 {}
    }

    fn read(&self, _: &mut [MaybeUninit<u8>]) -> std::result::Result<usize, Errno> {
        match self.0 {}
    }

    fn write(&self, _: &[u8]) -> std::result::Result<usize, Errno> {
        match self.0 {}
    }

    fn label(&self) -> String {
        match self.0 {}
    }

    fn link(&self) -> Result<Link> {
        match self.0 {}
    }

    fn set_up(&self, _: bool) -> Result<()> {
        match self.0 {}
    }

    fn set_mtu(&self, _: u32) -> Result<()> {
        match self.0 {}
    }

    fn set_mac(&self, _: Mac) -> Result<()> {
        match self.0 {}
    }

    fn set_persist(&self, _: bool) -> Result<()> {
        match self.0 {}
    }

    // An open is to fail for what is missing here, not for an id.
    fn knows_user(_: u32) -> bool {
        true
    }

    fn knows_group(_: u32) -> bool {
        true
    }

    fn set_owner(&self, _: u32) -> Result<()> {
        match self.0 {}
    }

    fn set_group(&self, _: u32) -> Result<()> {
        match self.0 {}
    }

    fn set_attached(&self, _: bool) -> Result<()> {
        match self.0 {}
    }

    fn addresses(&self) -> Result<Vec<Address>> {
        match self.0 {}
    }

    fn add_address(&self, _: &Address) -> Result<()> {
        match self.0 {}
    }

    fn remove_address(&self, _: &Address) -> Result<()> {
        match self.0 {}
    }
}
