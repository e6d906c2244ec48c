// SPDX-License-Identifier: MIT
//! Writing many packets: those that belong together are joined, and go out in one system call.
//!
//! A packet that was taken is the writer's: it goes out, or stays for the next call, or is lost, and a loss is reported
//! once. One that was not taken is the caller's still.

use crate::cpu::Cpu;
use crate::device::Device;
use crate::model::error::Errno;
use crate::model::limit::Limit;
use crate::model::memory::NoMemory;
use crate::model::offload;
use crate::offload::join::{Joiner, Joins};
use crate::sys::{Backend, Direction};

/// Writes to a queue in batches. For one thread at a time.
pub struct Writer {
    /// None on a device without offload: each packet is written at once.
    joiner: Option<Joiner>,
    /// What was lost and has not been reported yet.
    loss: Option<Loss>,
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
}

impl Unwritten {
    /// What it is for who wants nothing but that.
    pub fn errno(self) -> Errno {
        match self {
            Self::Refused(errno) | Self::Kept(errno) | Self::Lost(Loss { errno, .. }) => errno,
        }
    }
}

impl Writer {
    /// One for this queue. `trusted`: checksums are taken for good.
    pub fn new(device: &Device, trusted: bool) -> Result<Self, NoMemory> {
        let mode = device.backend.mode();
        let joiner = || Joiner::new(Cpu::best(), mode.kind, Joins::of(device.joins()), trusted);
        Ok(Self { joiner: mode.offload.then(joiner).transpose()?, loss: None })
    }

    /// Takes a copy of a packet. When there is no room, what was collected goes out first.
    #[inline]
    pub fn put(&mut self, device: &Device, packet: &[u8]) -> Result<(), Unwritten> {
        let Some(joiner) = &mut self.joiner else {
            return device.write(packet, Limit::Handle).map(drop).map_err(Unwritten::of_write);
        };
        device.check(packet.first().copied(), packet.len()).map_err(Unwritten::Refused)?;
        if joiner.put(packet).is_ok() {
            return Ok(());
        }
        self.hand_over(device)?;
        let again = self.joiner.as_mut().map_or(Ok(()), |joiner| joiner.put(packet));
        again.map_err(|_| Unwritten::Refused(Errno::EMSGSIZE))
    }

    /// Takes packets and writes them. Always how many it took; all of them, unless the next one was refused or what came
    /// before it has no room.
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
                // Whoever was woken or interrupted does not wait again.
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

    /// Writes what was collected. What has no room yet stays for the next time. What the kernel refuses is lost, and the
    /// rest goes out all the same.
    fn hand_over(&mut self, device: &Device) -> Result<(), Unwritten> {
        let Some(joiner) = &mut self.joiner else { return Ok(()) };
        while let Some(framed) = joiner.peek_framed() {
            let written = device.patiently(Direction::Write, Limit::Handle, || device.backend.write(framed));
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

impl Unwritten {
    /// Of a device that takes each packet at once.
    fn of_write(errno: Errno) -> Self {
        if is_end_of_wait(errno) { Self::Kept(errno) } else { Self::Refused(errno) }
    }
}

/// Whether a write failed for want of room alone.
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
