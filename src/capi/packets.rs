// SPDX-License-Identifier: MIT
//! Lists of packets: arrays of `tuntap_packet`, whose element size the caller passes.

use std::ffi::c_void;
use std::ptr;
use std::slice;

use super::argument::{Argument, Growing, List};
use crate::device::reader::MAX_RUN_BYTES;

/// Limit of the packets of a run, so that one send with UDP_SEGMENT can send it; [`MAX_RUN_BYTES`] is the other limit.
/// The kernel accepts 64 segments, and 128 since Linux 6.9. Before 5.17 it also counts the headers of the datagram, at
/// most 48 bytes, which are fewer bytes than four packets.
const MAX_RUN: usize = 60;

/// A packet of a batch.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CPacket {
    /// Address of the packet.
    pub data: *mut c_void,
    /// Size of the packet in bytes.
    pub size: usize,
    /// The number of packets, from this one on, that have this size and lie evenly spaced in memory. The
    /// last one may be shorter. One sendmsg with UDP_SEGMENT can send such a run, from data - headroom
    /// on, in segments of headroom + size + tailroom bytes (see tuntap_reader_set_room): therefore a run
    /// has at most 60 packets, and at most 65507 bytes with their room. Each segment must also fit the
    /// path's MTU. It is 1 for a single packet. In a run of three packets the values are 3, 2 and 1.
    /// Only packets that this call returned are counted. A function that takes packets ignores it.
    pub run: usize,
}

// SAFETY: a pointer and two integers without padding.
unsafe impl Growing for CPacket {
    const LEAST: usize = 2 * size_of::<usize>();
    const NAME: &'static str = "tuntap_packet";
}

/// A caller's list of packets.
pub(super) type Packets = List<CPacket>;

/// The caller's output list: `count` elements of `size` bytes each, at least 1.
#[inline]
pub(super) unsafe fn packets_out(
    items: *mut CPacket,
    count: usize,
    size: usize,
) -> Result<Packets, Argument> {
    if items.is_null() {
        return Err(Argument::Out("packets"));
    }
    if count == 0 {
        return Err(Argument::Wrong("room for 0 packets: give 1 or more"));
    }
    List::new(items, count, size)
}

/// The caller's input list: `count` elements of `size` bytes each. It may be empty.
#[inline]
pub(super) unsafe fn packets_in(
    items: *const CPacket,
    count: usize,
    size: usize,
) -> Result<Packets, Argument> {
    if items.is_null() && count != 0 {
        return Err(Argument::Null("the list of packets"));
    }
    let packets = List::new(items.cast_mut(), count, size)?;
    packets.check()?;
    Ok(packets)
}

impl Packets {
    /// Sets the runs of the first `count` packets, which are contiguous in memory, with `room` bytes around each.
    pub(super) unsafe fn set_runs(&self, count: usize, room: usize) {
        if self.size < size_of::<CPacket>() {
            return;
        }
        let (mut next, mut run, mut limit) = (0, 0_usize, 1);
        for number in (0..count).rev() {
            let packet = self.at(number);
            let size = ptr::addr_of!((*packet).size).read_unaligned();
            if next != size {
                let segments = MAX_RUN_BYTES.checked_div(size.saturating_add(room));
                limit = segments.unwrap_or(1).clamp(1, MAX_RUN);
            }
            run = if next == size {
                run.wrapping_add(1)
            } else if next != 0 && next < size {
                2
            } else {
                1
            };
            ptr::addr_of_mut!((*packet).run).write_unaligned(run.min(limit));
            next = size;
        }
    }

    /// Checks that each packet has an address and a possible size, and that unknown members are 0.
    pub(super) unsafe fn check(&self) -> Result<(), Argument> {
        for number in 0..self.count {
            let CPacket { data, size, .. } = self.get(number);
            if data.is_null() {
                return Err(Argument::Null("a packet"));
            }
            if size > isize::MAX as usize {
                return Err(Argument::Wrong("a packet is larger than any memory"));
            }
            if self.size > size_of::<CPacket>() && self.has_unknown(number) {
                return Err(Argument::Wrong("a member of a packet that this version does not know is not 0"));
            }
        }
        Ok(())
    }

    /// The bytes of each packet.
    pub(super) unsafe fn iter<'a>(&'a self) -> impl Iterator<Item = &'a [u8]> + 'a {
        (0..self.count).map(|number| self.bytes(number))
    }

    /// The bytes of a packet. Empty after the last packet.
    pub(super) unsafe fn bytes<'a>(&self, number: usize) -> &'a [u8] {
        if number >= self.count {
            return &[];
        }
        let CPacket { data, size, .. } = self.get(number);
        slice::from_raw_parts(data.cast(), size)
    }
}
