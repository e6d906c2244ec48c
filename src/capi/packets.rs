// SPDX-License-Identifier: MIT
//! Lists of packets: arrays of `tuntap_packet`, whose element size the caller passes.

use std::ptr;
use std::slice;

use super::argument::{Argument, Growing, check_count, check_size};
use super::reader::CPacket;
use crate::device::reader::MAX_RUN_BYTES;

/// Limit of the packets of a run, so that one send with UDP_SEGMENT can send it; [`MAX_RUN_BYTES`] is the other limit.
/// The kernel accepts 64 segments, and 128 since Linux 6.9. Before 5.17 it also counts the headers of the datagram, at
/// most 48 bytes, which are fewer bytes than four packets.
const MAX_RUN: usize = 60;

// SAFETY: a pointer and two integers without padding.
unsafe impl Growing for CPacket {
    const LEAST: usize = 2 * size_of::<usize>();
    const NAME: &'static str = "tuntap_packet";
}

/// A caller's list of packets.
pub(super) struct Packets {
    places: *mut u8,
    count: usize,
    size: usize,
}

/// The caller's output list: `count` elements of `size` bytes each, at least 1.
#[inline]
pub(super) unsafe fn packets_out(
    places: *mut CPacket,
    count: usize,
    size: usize,
) -> Result<Packets, Argument> {
    if places.is_null() {
        return Err(Argument::Place("packets"));
    }
    if count == 0 {
        return Err(Argument::Wrong("room for 0 packets: give 1 or more"));
    }
    packets(places, count, size)
}

/// The caller's input list: `count` elements of `size` bytes each. It may be empty.
#[inline]
pub(super) unsafe fn packets_in(
    places: *const CPacket,
    count: usize,
    size: usize,
) -> Result<Packets, Argument> {
    if places.is_null() && count != 0 {
        return Err(Argument::Null("the list of packets"));
    }
    let packets = packets(places.cast_mut(), count, size)?;
    packets.check()?;
    Ok(packets)
}

fn packets(places: *mut CPacket, count: usize, size: usize) -> Result<Packets, Argument> {
    check_size::<CPacket>(size)?;
    check_count(count, size)?;
    Ok(Packets { places: places.cast(), count, size })
}

impl Packets {
    #[inline]
    fn place(&self, number: usize) -> *mut u8 {
        self.places.wrapping_add(number.wrapping_mul(self.size))
    }

    /// The packet with this index, which must be less than the count.
    #[inline]
    pub(super) unsafe fn get(&self, number: usize) -> CPacket {
        let place = self.place(number).cast::<CPacket>();
        if self.size >= size_of::<CPacket>() {
            return place.read_unaligned();
        }
        let (data, size) = (ptr::addr_of!((*place).data), ptr::addr_of!((*place).size));
        CPacket { data: data.read_unaligned(), size: size.read_unaligned(), run: 1 }
    }

    /// Writes as much of the packet as the element has room for. Members that this version does not know become 0.
    #[inline]
    pub(super) unsafe fn set(&self, number: usize, packet: CPacket) {
        let place = self.place(number);
        if self.size < size_of::<CPacket>() {
            return place.copy_from_nonoverlapping(ptr::from_ref(&packet).cast(), self.size);
        }
        place.cast::<CPacket>().write_unaligned(packet);
        let unknown = self.size.wrapping_sub(size_of::<CPacket>());
        if unknown > 0 {
            place.add(size_of::<CPacket>()).write_bytes(0, unknown);
        }
    }

    /// Sets the runs of the first `count` packets, which are contiguous in memory, with `room` bytes around each.
    pub(super) unsafe fn set_runs(&self, count: usize, room: usize) {
        if self.size < size_of::<CPacket>() {
            return;
        }
        let (mut next, mut run, mut limit) = (0, 0_usize, 1);
        for number in (0..count).rev() {
            let place = self.place(number).cast::<CPacket>();
            let size = ptr::addr_of!((*place).size).read_unaligned();
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
            ptr::addr_of_mut!((*place).run).write_unaligned(run.min(limit));
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

    /// Whether a member that this version does not know is not 0.
    unsafe fn has_unknown(&self, number: usize) -> bool {
        let bytes = slice::from_raw_parts(self.place(number), self.size);
        bytes.iter().skip(size_of::<CPacket>()).any(|byte| *byte != 0)
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
