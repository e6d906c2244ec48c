// SPDX-License-Identifier: MIT
//! Lists of packets, each a `tuntap_packet` of the size that the caller has for it.

use std::ptr;
use std::slice;

use super::argument::{Argument, Growing, check_count, check_size};
use super::reader::CPacket;
use crate::device::reader::MAX_RUN_BYTES;

/// Limit of the packets of a run, which one send with UDP_SEGMENT takes; [`MAX_RUN_BYTES`] is the other limit. The kernel
/// takes 64 segments, and 128 since Linux 6.9. Before 5.17 it also counts the headers of the datagram, at most 48 bytes,
/// which are fewer bytes than four packets.
const MAX_RUN: usize = 60;

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

/// The caller's places for packets: `count` of them, of `size` bytes each, and 1 at least.
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

/// A caller's packets: `count` of them, of `size` bytes each, which may be none.
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

    /// The packet of this number, which is less than the count.
    #[inline]
    pub(super) unsafe fn get(&self, number: usize) -> CPacket {
        let place = self.place(number).cast::<CPacket>();
        if self.size >= size_of::<CPacket>() {
            return place.read_unaligned();
        }
        let (data, size) = (ptr::addr_of!((*place).data), ptr::addr_of!((*place).size));
        CPacket { data: data.read_unaligned(), size: size.read_unaligned(), run: 1 }
    }

    /// Writes as much of it as the caller has room for; what this version does not know is zeroed.
    #[inline]
    pub(super) unsafe fn set(&self, number: usize, packet: CPacket) {
        let place = self.place(number);
        if self.size >= size_of::<CPacket>() {
            place.cast::<CPacket>().write_unaligned(packet);
            let unknown = self.size.wrapping_sub(size_of::<CPacket>());
            place.add(size_of::<CPacket>()).write_bytes(0, unknown);
        } else {
            place.copy_from_nonoverlapping(ptr::from_ref(&packet).cast(), self.size);
        }
    }

    /// Finds the runs of the first so many packets, which lie one behind the other, with this room around each.
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

    /// That each has an address and a size that can be, and nothing that this version does not know.
    pub(super) unsafe fn check(&self) -> Result<(), Argument> {
        for number in 0..self.count {
            let CPacket { data, size, .. } = self.get(number);
            if data.is_null() {
                return Err(Argument::Null("a packet"));
            }
            if size > isize::MAX as usize {
                return Err(Argument::Wrong("a packet is longer than memory can be"));
            }
            let bytes = slice::from_raw_parts(self.place(number), self.size);
            if bytes.iter().skip(size_of::<CPacket>()).any(|byte| *byte != 0) {
                return Err(Argument::Wrong("a member of a packet that this version does not know is not 0"));
            }
        }
        Ok(())
    }

    /// The bytes of each packet.
    pub(super) unsafe fn iter<'a>(&'a self) -> impl Iterator<Item = &'a [u8]> + 'a {
        (0..self.count).map(|number| self.bytes(number))
    }

    /// The bytes of a packet, or none behind the last.
    pub(super) unsafe fn bytes<'a>(&self, number: usize) -> &'a [u8] {
        if number >= self.count {
            return &[];
        }
        let CPacket { data, size, .. } = self.get(number);
        slice::from_raw_parts(data.cast(), size)
    }
}
