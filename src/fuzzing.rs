// SPDX-License-Identifier: MIT
//! Access for the fuzz targets to parts of the core that are not public. Built only for a fuzzer.
#![allow(missing_docs)]

use crate::device::stream;
use crate::model::error::Errno;
use crate::model::flags::Kind;
use crate::model::vnet_hdr::Layout;

/// The memory of a reader, which the target fills.
pub struct Stream(stream::Stream);

impl Stream {
    /// The memory for a device with offload whose virtio header has this layout.
    pub fn new(kind: Kind, layout: Layout) -> Self {
        match stream::Stream::new(kind, Some(layout), false) {
            Ok(stream) => Self(stream),
            Err(_) => std::process::abort(),
        }
    }

    /// Reads these bytes, a virtio header and a packet, as from a device.
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        self.0.take_from(|room| {
            room.get_mut(..bytes.len()).ok_or(Errno::EMSGSIZE)?.copy_from_slice(bytes);
            Ok(bytes.len())
        })
    }

    /// The next packet, in place.
    pub fn split(&mut self) -> Option<Vec<u8>> {
        self.0.next().map(|packet| packet.to_vec())
    }

    /// As [`Self::split`], but copied to other memory.
    pub fn copy(&mut self) -> Option<Vec<u8>> {
        let mut to = vec![0xaa; self.0.length()?];
        self.0.copy(&mut to).map(|()| to)
    }
}
