// SPDX-License-Identifier: MIT
//! Writing many packets: those of a flow are coalesced, and go out in one system call.
//!
//! A packet that was taken belongs to the writer: it goes out, or stays for the next call, or is lost, and a loss is
//! reported once, by a flush. A call that takes one packet reports only whether it took that.

use crate::cpu::Cpu;
use crate::device::Device;
use crate::model::error::Errno;
use crate::model::limit::Limit;
use crate::model::memory::NoMemory;
use crate::model::offload;
use crate::model::readiness::Readiness;
use crate::offload::join::{Joiner, Joins, MAX_FRAMED};
use crate::sys::{Backend, zeroed};

/// Writes to a queue in batches. For one thread at a time.
pub struct Writer {
    /// None on a device without offload: each packet is written at once.
    joiner: Option<Joiner>,
    /// What was lost and has not been reported yet.
    loss: Option<Loss>,
    /// Memory for one packet, of which the first bytes are reserved.
    buffer: Box<[u8]>,
    reserved: usize,
}

/// Packets that were taken and that the kernel refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Why the first of them was refused.
    pub errno: Errno,
    /// How many they are.
    pub packets: usize,
}

/// Why not everything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// This packet was not taken.
    Refused(Errno),
    /// There is no room, and the wait for it ended: what was taken and has not gone out stays.
    Kept(Errno),
    /// Packets that were taken are lost.
    Lost(Loss),
    /// This packet is longer than what is reserved.
    Unreserved,
}

impl Unwritten {
    /// Its errno alone.
    pub fn errno(self) -> Errno {
        match self {
            Self::Unreserved => Errno::EINVAL,
            Self::Refused(errno) | Self::Kept(errno) | Self::Lost(Loss { errno, .. }) => errno,
        }
    }
}

impl Writer {
    /// A writer to this queue. `trusted`: checksums are not verified.
    pub fn new(device: &Device, trusted: bool) -> Result<Self, NoMemory> {
        let mode = device.backend.mode();
        let joiner = || Joiner::new(Cpu::best(), mode.kind, Joins::of(device.joins()), trusted);
        let buffer = zeroed(device.read_size())?;
        Ok(Self { joiner: mode.offload.then(joiner).transpose()?, loss: None, buffer, reserved: 0 })
    }

    /// Takes a copy of a packet. When there is no room, what was collected goes out first.
    #[inline]
    pub fn put(&mut self, device: &Device, packet: &[u8]) -> Result<(), Unwritten> {
        self.reserved = 0;
        Self::take(&mut self.joiner, &mut self.loss, device, packet)
    }

    /// Reserves bytes for a packet that is to be written there, and taken by [`Self::commit`]. Any other call drops them.
    ///
    /// They are the same bytes each time, which stay in the cache. In the place that the packet gets when it is coalesced
    /// they would be no faster: the copy to there costs nothing beside the sum that is made in the same pass.
    pub fn reserve(&mut self, size: usize) -> Result<&mut [u8], Unwritten> {
        self.reserved = 0;
        if size == 0 {
            return Err(Unwritten::Refused(Errno::EINVAL));
        }
        let bytes = self.buffer.get_mut(..size).ok_or(Unwritten::Refused(Errno::EMSGSIZE))?;
        self.reserved = size;
        Ok(bytes)
    }

    /// The packet in the first so many of the reserved bytes. None when they are fewer.
    pub fn reserved(&self, size: usize) -> Option<&[u8]> {
        self.buffer.get(..self.reserved)?.get(..size)
    }

    /// Takes the packet in the first so many of the reserved bytes. After a failure they stay reserved.
    #[inline]
    pub fn commit(&mut self, device: &Device, size: usize) -> Result<(), Unwritten> {
        let Self { joiner, loss, buffer, reserved } = self;
        let packet =
            buffer.get(..*reserved).and_then(|bytes| bytes.get(..size)).ok_or(Unwritten::Unreserved)?;
        Self::take(joiner, loss, device, packet)?;
        *reserved = 0;
        Ok(())
    }

    #[inline]
    fn take(
        joiner: &mut Option<Joiner>,
        loss: &mut Option<Loss>,
        device: &Device,
        packet: &[u8],
    ) -> Result<(), Unwritten> {
        let Some(joiner) = joiner else {
            return device.write(packet, Limit::Handle).map(drop).map_err(Unwritten::of_write);
        };
        device.check_shutdown().map_err(Unwritten::Kept)?;
        device.check(packet.first().copied(), packet.len()).map_err(Unwritten::Refused)?;
        if joiner.put(packet).is_ok() {
            return Ok(());
        }
        hand_over(joiner, loss, device)?;
        joiner.put(packet).map_err(|_| Unwritten::Refused(Errno::EMSGSIZE))
    }

    /// Takes packets and writes them. Returns how many it took after a failure too: all of them, unless the next one was
    /// refused or what came before it has no room.
    pub fn batch<'a>(
        &mut self,
        device: &Device,
        packets: impl IntoIterator<Item = &'a [u8]>,
    ) -> (usize, Result<(), Unwritten>) {
        let mut taken = 0_usize;
        for packet in packets {
            match self.put(device, packet) {
                Ok(()) => taken = taken.saturating_add(1),
                // Those before it go out. What is lost of them is for the next call to report.
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

    /// Writes what was collected, and reports what is lost of it or of what went out before.
    pub fn flush(&mut self, device: &Device) -> Result<(), Unwritten> {
        self.hand_over(device)?;
        self.loss.take().map_or(Ok(()), |loss| Err(Unwritten::Lost(loss)))
    }

    fn hand_over(&mut self, device: &Device) -> Result<(), Unwritten> {
        self.reserved = 0;
        device.check_shutdown().map_err(Unwritten::Kept)?;
        self.joiner.as_mut().map_or(Ok(()), |joiner| hand_over(joiner, &mut self.loss, device))
    }
}

/// Writes what is the next to go out, if anything is.
fn write_next(device: &Device, joiner: &mut Joiner) -> Option<Result<usize, Errno>> {
    let layout = device.backend.layout();
    if layout.size() > MAX_FRAMED {
        let (hdr, packet) = joiner.peek()?;
        return Some(device.write_super(hdr, packet, Limit::Handle));
    }
    let framed = joiner.peek_framed(layout)?;
    Some(device.try_or_wait(Readiness::WRITE, Limit::Handle, || device.backend.write(framed)))
}

/// Writes what was collected. What has no room yet stays for the next time. What the kernel refuses is lost, and the
/// rest goes out.
fn hand_over(joiner: &mut Joiner, loss: &mut Option<Loss>, device: &Device) -> Result<(), Unwritten> {
    while let Some(written) = write_next(device, joiner) {
        if let Err(errno) = written {
            if is_end_of_wait(errno) {
                return Err(Unwritten::Kept(errno));
            }
            let before = loss.unwrap_or(Loss { errno, packets: 0 });
            let packets = before.packets.saturating_add(joiner.packets());
            *loss = Some(Loss { packets, ..before });
        }
        joiner.pop();
    }
    joiner.set_joins(Joins::of(device.joins()));
    Ok(())
}

impl Unwritten {
    /// The failure of a packet that is written at once.
    fn of_write(errno: Errno) -> Self {
        if is_end_of_wait(errno) { Self::Kept(errno) } else { Self::Refused(errno) }
    }
}

/// Whether a write failed only because there is no room.
fn is_end_of_wait(errno: Errno) -> bool {
    matches!(errno, Errno::EAGAIN | Errno::EINTR | Errno::ECANCELED)
}

impl Joins {
    fn of(offloads: u64) -> Self {
        let has = |bit| offloads & bit != 0;
        Self {
            tcp4: has(offload::F_TSO4),
            tcp6: has(offload::F_TSO6),
            udp: has(offload::F_USO4 | offload::F_USO6),
        }
    }
}
