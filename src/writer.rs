// SPDX-License-Identifier: MIT
//! Writing many packets: those that belong together are joined, and go out in one system call.

use crate::cpu::Cpu;
use crate::device::Device;
use crate::error::Errno;
use crate::link;
use crate::memory::NoMemory;
use crate::offload::join::{Joiner, Joins};
use crate::packet::Limit;
use crate::sys::{Backend, Direction};

/// Writes to a queue in batches. For one thread at a time.
pub struct Writer {
    /// None on a device without offload: each packet is written at once.
    joiner: Option<Joiner>,
}

impl Writer {
    /// One for this queue. `trusted`: checksums are taken for good.
    pub fn new(device: &Device, trusted: bool) -> Result<Self, NoMemory> {
        let mode = device.backend.mode();
        let joiner = || Joiner::new(Cpu::best(), mode.kind, Joins::of(device.joins()), trusted);
        Ok(Self { joiner: mode.offload.then(joiner).transpose()? })
    }

    /// Takes a copy of a packet. When there is no room, what was collected goes out first.
    #[inline]
    pub fn put(&mut self, device: &Device, packet: &[u8]) -> Result<(), Errno> {
        let Some(joiner) = &mut self.joiner else {
            return device.write(packet, Limit::Handle).map(drop);
        };
        device.check(packet.first().copied(), packet.len())?;
        if joiner.put(packet).is_ok() {
            return Ok(());
        }
        self.flush(device)?;
        self.joiner.as_mut().map_or(Ok(()), |joiner| joiner.put(packet)).map_err(|_| Errno::EMSGSIZE)
    }

    /// Takes packets and writes them; how many it took, which are fewer when one is no packet, or has no room.
    pub fn batch<'a>(
        &mut self,
        device: &Device,
        packets: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<usize, Errno> {
        let mut taken = 0_usize;
        for packet in packets {
            match self.put(device, packet) {
                Ok(()) => taken = taken.saturating_add(1),
                Err(errno) if taken == 0 => return Err(errno),
                Err(_) => break,
            }
        }
        match self.flush(device) {
            // Taken they are, and they go out with the next ones.
            Ok(()) | Err(Errno::EAGAIN | Errno::EINTR) => Ok(taken),
            Err(errno) => Err(errno),
        }
    }

    /// Writes what was collected. What has no room yet, or was not waited for to the end, stays for the next time;
    /// what the kernel does not take is lost, and the rest goes out all the same.
    pub fn flush(&mut self, device: &Device) -> Result<(), Errno> {
        let Some(joiner) = &mut self.joiner else { return Ok(()) };
        let mut result = Ok(());
        while let Some(framed) = joiner.peek_framed() {
            match device.patiently(Direction::Write, Limit::Handle, || device.backend.write(framed)) {
                Err(errno @ (Errno::EAGAIN | Errno::EINTR | Errno::ECANCELED)) => return Err(errno),
                written => result = result.and(written.map(drop)),
            }
            joiner.pop();
        }
        joiner.set_joins(Joins::of(device.joins()));
        result
    }
}

impl Joins {
    fn of(offloads: u64) -> Self {
        let has = |bit| offloads & bit != 0;
        Self {
            tcp4: has(link::OFFLOAD_TSO4),
            tcp6: has(link::OFFLOAD_TSO6),
            udp: has(link::OFFLOAD_USO4 | link::OFFLOAD_USO6),
        }
    }
}
