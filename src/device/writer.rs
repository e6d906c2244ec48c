// SPDX-License-Identifier: MIT
//! Writes packets in batches. The packets of a flow are coalesced, and written with one system call.
//!
//! A packet that was accepted belongs to the writer: it goes out, or stays for the next call, or is lost. A flush
//! reports each loss once. A call that accepts one packet reports only whether it accepted that packet.

use crate::cpu::Cpu;
use crate::device::Device;
use crate::model::error::Errno;
use crate::model::limit::Limit;
use crate::model::memory::NoMemory;
use crate::model::readiness::Readiness;
use crate::offload::join::{Joiner, MAX_FRAMED, Protocols};
use crate::sys::{Backend, zeroed};

/// Writes to a queue in batches. Only one thread may use it at a time.
pub struct Writer {
    /// None on a device without offload: each packet is written at once.
    joiner: Option<Joiner>,
    losses: Losses,
    /// Memory for one packet. The first `reserved` bytes are reserved.
    buffer: Box<[u8]>,
    reserved: usize,
}

/// Packets that the writer accepted and the kernel refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Why the first packet was refused.
    pub errno: Errno,
    /// Number of lost packets.
    pub packets: usize,
}

/// The packets that the kernel refused.
#[derive(Default)]
struct Losses {
    /// Those that were not reported yet.
    unreported: Option<Loss>,
    /// The number of all.
    packets: u64,
}

impl Losses {
    fn add(&mut self, errno: Errno, packets: usize) {
        let before = self.unreported.unwrap_or(Loss { errno, packets: 0 });
        self.unreported = Some(Loss { packets: before.packets.saturating_add(packets), ..before });
        self.packets = self.packets.saturating_add(packets as u64);
    }
}

/// Why not all packets were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// This packet was not accepted.
    Refused(Errno),
    /// There was no room, and the wait for it ended. Accepted packets that did not go out stay in the writer.
    Kept(Errno),
    /// Accepted packets are lost.
    Lost(Loss),
    /// This packet is longer than the reserved memory.
    Unreserved,
}

impl Unwritten {
    /// The errno, without details.
    pub fn errno(self) -> Errno {
        match self {
            Self::Unreserved => Errno::EINVAL,
            Self::Refused(errno) | Self::Kept(errno) | Self::Lost(Loss { errno, .. }) => errno,
        }
    }
}

impl Writer {
    /// Creates a writer to this queue. `trusted`: checksums are not verified.
    pub fn new(device: &Device, trusted: bool) -> Result<Self, NoMemory> {
        let mode = device.backend.mode();
        let joiner = || Joiner::new(Cpu::best(), mode.kind, Protocols::of(device.coalesced()), trusted);
        let buffer = zeroed(device.read_size())?;
        Ok(Self {
            joiner: mode.offload.then(joiner).transpose()?,
            losses: Losses::default(),
            buffer,
            reserved: 0,
        })
    }

    /// Copies a packet to the writer. If there is no room, the collected packets are written first.
    #[inline]
    pub fn put(&mut self, device: &Device, packet: &[u8]) -> Result<(), Unwritten> {
        self.reserved = 0;
        Self::take(&mut self.joiner, &mut self.losses, device, packet)
    }

    /// Reserves memory for a packet, which [`Self::commit`] accepts. Any other call cancels the reservation.
    ///
    /// The memory is the same each time, so it stays in the cache. Memory within the super-packet would not be faster:
    /// the copy to the super-packet and the checksum are computed in one pass, and the copy adds no time.
    pub fn reserve(&mut self, size: usize) -> Result<&mut [u8], Unwritten> {
        self.reserved = 0;
        if size == 0 {
            return Err(Unwritten::Refused(Errno::EINVAL));
        }
        let bytes = self.buffer.get_mut(..size).ok_or(Unwritten::Refused(Errno::EMSGSIZE))?;
        self.reserved = size;
        Ok(bytes)
    }

    /// The first `size` reserved bytes. None if fewer are reserved.
    pub fn reserved(&self, size: usize) -> Option<&[u8]> {
        self.buffer.get(..self.reserved)?.get(..size)
    }

    /// Accepts the packet in the first `size` reserved bytes. After an error they stay reserved.
    #[inline]
    pub fn commit(&mut self, device: &Device, size: usize) -> Result<(), Unwritten> {
        let Self { joiner, losses, buffer, reserved } = self;
        let packet =
            buffer.get(..*reserved).and_then(|bytes| bytes.get(..size)).ok_or(Unwritten::Unreserved)?;
        Self::take(joiner, losses, device, packet)?;
        *reserved = 0;
        Ok(())
    }

    #[inline]
    fn take(
        joiner: &mut Option<Joiner>,
        losses: &mut Losses,
        device: &Device,
        packet: &[u8],
    ) -> Result<(), Unwritten> {
        device.check(packet.first().copied(), packet.len()).map_err(Unwritten::Refused)?;
        let Some(joiner) = joiner else {
            return write_or_wait(device, || device.backend.write(packet));
        };
        device.check_shutdown().map_err(Unwritten::Kept)?;
        if joiner.put(packet).is_ok() {
            return Ok(());
        }
        hand_over(joiner, losses, device)?;
        joiner.put(packet).map_err(|_| Unwritten::Refused(Errno::EMSGSIZE))
    }

    /// Accepts packets and writes them. Returns the number of accepted packets, after an error too: all of them, unless
    /// the next packet was refused or there was no room for earlier ones.
    pub fn batch<'a>(
        &mut self,
        device: &Device,
        packets: impl IntoIterator<Item = &'a [u8]>,
    ) -> (usize, Result<(), Unwritten>) {
        let mut taken = 0_usize;
        for packet in packets {
            match self.put(device, packet) {
                Ok(()) => taken = taken.saturating_add(1),
                // The packets before it go out. The next call reports their loss.
                Err(Unwritten::Refused(errno)) => {
                    let handed = self.hand_over(device);
                    return (taken, handed.and(Err(Unwritten::Refused(errno))));
                }
                // After a wake or a signal it does not wait again.
                Err(unwritten) => return (taken, Err(unwritten)),
            }
        }
        (taken, self.flush(device))
    }

    /// Writes the collected packets, and reports each loss that was not reported before.
    pub fn flush(&mut self, device: &Device) -> Result<(), Unwritten> {
        self.hand_over(device)?;
        self.losses.unreported.take().map_or(Ok(()), |loss| Err(Unwritten::Lost(loss)))
    }

    /// The number of packets that were lost so far, reported or not.
    pub fn lost(&self) -> u64 {
        self.losses.packets
    }

    fn hand_over(&mut self, device: &Device) -> Result<(), Unwritten> {
        self.reserved = 0;
        device.check_shutdown().map_err(Unwritten::Kept)?;
        self.joiner.as_mut().map_or(Ok(()), |joiner| hand_over(joiner, &mut self.losses, device))
    }
}

/// Writes the next item. None if the joiner is empty.
fn write_next(device: &Device, joiner: &mut Joiner) -> Option<Result<(), Unwritten>> {
    let layout = device.backend.layout();
    if layout.size() > MAX_FRAMED {
        let (hdr, packet) = joiner.peek()?;
        return Some(write_or_wait(device, || device.try_write_super(hdr, packet)));
    }
    let framed = joiner.peek_framed(layout)?;
    Some(write_or_wait(device, || device.backend.write(framed)))
}

/// Writes, and waits for room. Kept: there was no room, and the wait for room ended or could not begin, or a signal
/// handler interrupted the write. Refused: by the kernel.
fn write_or_wait(device: &Device, write: impl Fn() -> Result<usize, Errno>) -> Result<(), Unwritten> {
    // A shutdown prevents the first attempt.
    let mut last = Err(Errno::EAGAIN);
    let written = device.try_or_wait(Readiness::WRITE, Limit::Handle, || {
        last = write();
        last
    });
    let kept = matches!(last, Err(Errno::EAGAIN | Errno::EINTR));
    written.map(drop).map_err(if kept { Unwritten::Kept } else { Unwritten::Refused })
}

/// Writes the collected packets. If there is no room, the rest stays for the next call. Packets that the kernel refuses
/// are lost, and the others go out.
fn hand_over(joiner: &mut Joiner, losses: &mut Losses, device: &Device) -> Result<(), Unwritten> {
    while let Some(written) = write_next(device, joiner) {
        if let Err(unwritten) = written {
            let Unwritten::Refused(errno) = unwritten else { return Err(unwritten) };
            losses.add(errno, joiner.packets());
        }
        joiner.pop();
    }
    joiner.set_protocols(Protocols::of(device.coalesced()));
    Ok(())
}
