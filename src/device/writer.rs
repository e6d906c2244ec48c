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
use crate::offload::join::{Joiner, Joins, Refusal};
use crate::sys::{Backend, zeroed};

/// Writes to a queue in batches. For one thread at a time.
pub struct Writer {
    output: Output,
    /// What was lost and has not been reported yet.
    loss: Option<Loss>,
}

#[allow(clippy::large_enum_variant, reason = "one in each writer, which is used in place")]
enum Output {
    /// On a device with offload packets are coalesced.
    Coalesced(Joiner),
    /// On any other each packet is written at once.
    Direct(Buffer),
}

/// Memory for one packet.
struct Buffer {
    memory: Box<[u8]>,
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
        let output = if mode.offload {
            Output::Coalesced(Joiner::new(Cpu::best(), mode.kind, Joins::of(device.joins()), trusted)?)
        } else {
            Output::Direct(Buffer { memory: zeroed(device.read_size())?, reserved: 0 })
        };
        Ok(Self { output, loss: None })
    }

    /// Takes a copy of a packet. When there is no room, what was collected goes out first.
    #[inline]
    pub fn put(&mut self, device: &Device, packet: &[u8]) -> Result<(), Unwritten> {
        let joiner = match &mut self.output {
            Output::Coalesced(joiner) => joiner,
            Output::Direct(buffer) => {
                buffer.reserved = 0;
                return device.write(packet, Limit::Handle).map(drop).map_err(Unwritten::of_write);
            }
        };
        device.check_shutdown().map_err(Unwritten::Kept)?;
        device.check(packet.first().copied(), packet.len()).map_err(Unwritten::Refused)?;
        match joiner.put(packet) {
            Ok(()) => Ok(()),
            Err(_) => self.hand_over_and(device, |joiner| joiner.put(packet)),
        }
    }

    /// Reserves bytes for a packet that is to be written there, and taken by [`Self::commit`]. Any other call drops them.
    /// When there is no room, what was collected goes out first.
    pub fn reserve(&mut self, device: &Device, size: usize) -> Result<&mut [u8], Unwritten> {
        device.check_shutdown().map_err(Unwritten::Kept)?;
        if size == 0 || size > device.read_size() {
            let errno = if size == 0 { Errno::EINVAL } else { Errno::EMSGSIZE };
            return Err(Unwritten::Refused(errno));
        }
        if let Output::Coalesced(joiner) = &mut self.output {
            if joiner.reserve(size).is_err() {
                self.hand_over_and(device, |joiner| joiner.reserve(size))?;
            }
        }
        let reserved = match &mut self.output {
            Output::Coalesced(joiner) => joiner.reserved_mut(),
            Output::Direct(buffer) => {
                buffer.reserved = size;
                buffer.memory.get_mut(..size)
            }
        };
        reserved.ok_or(Unwritten::Refused(Errno::EMSGSIZE))
    }

    /// The packet in the first so many of the reserved bytes. None when they are fewer.
    pub fn reserved(&self, size: usize) -> Option<&[u8]> {
        match &self.output {
            Output::Coalesced(joiner) => joiner.reserved(size),
            Output::Direct(buffer) => buffer.reserved(size),
        }
    }

    /// Takes the packet in the first so many of the reserved bytes. After a failure they stay reserved.
    pub fn commit(&mut self, device: &Device, size: usize) -> Result<(), Unwritten> {
        device.check_shutdown().map_err(Unwritten::Kept)?;
        match &mut self.output {
            Output::Coalesced(joiner) => {
                let packet = joiner.reserved(size).ok_or(Unwritten::Unreserved)?;
                device.check(packet.first().copied(), size).map_err(Unwritten::Refused)?;
                joiner.commit(size).map_err(|_| Unwritten::Refused(Errno::EMSGSIZE))
            }
            Output::Direct(buffer) => {
                let packet = buffer.reserved(size).ok_or(Unwritten::Unreserved)?;
                device.write(packet, Limit::Handle).map_err(Unwritten::of_write)?;
                buffer.reserved = 0;
                Ok(())
            }
        }
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

    /// Writes what was collected, and takes a packet that had no room before.
    #[cold]
    fn hand_over_and(
        &mut self,
        device: &Device,
        take: impl FnOnce(&mut Joiner) -> Result<(), Refusal>,
    ) -> Result<(), Unwritten> {
        self.hand_over(device)?;
        match &mut self.output {
            Output::Coalesced(joiner) => take(joiner).map_err(|_| Unwritten::Refused(Errno::EMSGSIZE)),
            Output::Direct(_) => Ok(()),
        }
    }

    /// Writes what was collected. What has no room yet stays for the next time. What the kernel refuses is lost, and the
    /// rest goes out.
    fn hand_over(&mut self, device: &Device) -> Result<(), Unwritten> {
        device.check_shutdown().map_err(Unwritten::Kept)?;
        let joiner = match &mut self.output {
            Output::Coalesced(joiner) => joiner,
            Output::Direct(buffer) => {
                buffer.reserved = 0;
                return Ok(());
            }
        };
        joiner.drop_reservation();
        while let Some(framed) = joiner.peek_framed() {
            let written =
                device.try_or_wait(Readiness::WRITE, Limit::Handle, || device.backend.write(framed));
            if let Err(errno) = written {
                if is_end_of_wait(errno) {
                    return Err(Unwritten::Kept(errno));
                }
                let before = self.loss.unwrap_or(Loss { errno, packets: 0 });
                let packets = before.packets.saturating_add(joiner.packets());
                self.loss = Some(Loss { packets, ..before });
            }
            joiner.pop();
        }
        joiner.set_joins(Joins::of(device.joins()));
        Ok(())
    }
}

impl Buffer {
    fn reserved(&self, size: usize) -> Option<&[u8]> {
        self.memory.get(..self.reserved)?.get(..size)
    }
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
            tcp4: has(offload::OFFLOAD_TSO4),
            tcp6: has(offload::OFFLOAD_TSO6),
            udp: has(offload::OFFLOAD_USO4 | offload::OFFLOAD_USO6),
        }
    }
}
