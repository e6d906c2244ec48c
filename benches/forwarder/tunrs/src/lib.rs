// SPDX-License-Identifier: MIT
//! Buffers for tun-rs with a fixed capacity, of which only the length changes. A Vec would be zeroed each time.

use tun_rs::{ExpandBuffer, VIRTIO_NET_HDR_LEN};

/// Size of the largest packet and its virtio header.
pub const ROOM: usize = VIRTIO_NET_HDR_LEN + 65_535;

/// A buffer for one packet.
pub struct Buffer {
    bytes: Box<[u8]>,
    length: usize,
}

impl Buffer {
    pub fn new() -> Self {
        Self { bytes: vec![0; ROOM].into_boxed_slice(), length: ROOM }
    }

    /// A buffer with the full length, for a read.
    pub fn reset(&mut self) {
        self.length = ROOM;
    }

    pub fn set_length(&mut self, length: usize) {
        self.length = length.min(ROOM);
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }
}

impl ExpandBuffer for Buffer {
    fn buf_capacity(&self) -> usize {
        ROOM
    }

    fn buf_resize(&mut self, length: usize, value: u8) {
        if length > self.length {
            self.bytes[self.length..length].fill(value);
        }
        self.length = length;
    }

    fn buf_extend_from_slice(&mut self, from: &[u8]) {
        let end = self.length + from.len();
        self.bytes[self.length..end].copy_from_slice(from);
        self.length = end;
    }
}
