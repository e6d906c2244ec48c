// SPDX-License-Identifier: MIT
//! Packets in and out. A failure is a bare errno here: its sentence is made only for a caller that asks.

use std::mem::MaybeUninit;

use crate::device::Device;
use crate::error::{Errno, Error, Reason};
use crate::flags::{Kind, Mode};
use crate::sys::Backend;

const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const ETHERNET_HEADER: usize = 14;
const PI_HEADER: usize = 4;

impl Device {
    /// Bytes that no packet of this device exceeds, at any MTU.
    pub fn read_size(&self) -> usize {
        self.backend.read_size()
    }

    /// Takes one packet; its length.
    pub fn read(&self, buf: &mut [MaybeUninit<u8>]) -> Result<usize, Errno> {
        self.backend.read(buf)
    }

    /// Hands over one packet; its length.
    pub fn write(&self, packet: &[u8]) -> Result<usize, Errno> {
        if fault(self.backend.mode(), packet).is_some() {
            return Err(Errno::EINVAL);
        }
        if packet.len() > self.read_size() {
            return Err(Errno::EMSGSIZE);
        }
        self.backend.write(packet)
    }

    /// What a failed read is about.
    pub fn explain_read(&self, errno: Errno, size: usize) -> Error {
        match errno {
            Errno::EMSGSIZE => Error::new(
                errno,
                Reason::Buffer,
                format!(
                    "read {}: a packet was longer than the buffer of {size} bytes and is lost: give {}, \
                     as tuntap_read_size says",
                    self.label(),
                    self.read_size()
                ),
            ),
            Errno::EINVAL => Error::new(
                errno,
                Reason::Buffer,
                format!("read {}: {size} bytes hold no packet, not even its leading header", self.label()),
            ),
            Errno::EAGAIN => Error::new(errno, Reason::Again, "read: no packet is waiting"),
            _ => self.explain("read", errno),
        }
    }

    /// What a failed write is about.
    pub fn explain_write(&self, errno: Errno, packet: &[u8]) -> Error {
        match (errno, fault(self.backend.mode(), packet)) {
            (Errno::EINVAL, Some(fault)) => Error::new(
                errno,
                Reason::Packet,
                format!("write {}: {} given, {fault}", self.label(), bytes(packet.len())),
            ),
            (Errno::EINVAL | Errno::EMSGSIZE, _) => Error::new(
                errno,
                Reason::Packet,
                format!(
                    "write {}: {} given, no packet that the kernel takes",
                    self.label(),
                    bytes(packet.len())
                ),
            ),
            (Errno::EAGAIN, _) => {
                Error::new(errno, Reason::Again, "write: the kernel has no room for a packet")
            }
            _ => self.explain("write", errno),
        }
    }

    fn explain(&self, action: &str, errno: Errno) -> Error {
        let (reason, text) = match errno {
            Errno::ENODEV => (Reason::Removed, "it is gone: close the handle"),
            Errno::ENETDOWN => (Reason::Down, "it is down: tuntap_up takes it up"),
            Errno::EINTR => (Reason::Interrupted, "a signal came first: call again"),
            _ => return Error::system(errno, format!("{action} {}", self.label())),
        };
        Error::new(errno, reason, format!("{action} {}: {text}", self.label()))
    }
}

/// Why these bytes are no packet. Linux takes a TUN packet on the strength of its first byte, and drops a
/// stump, or a packet of any length at all, in silence later: here its sender hears of it.
fn fault(mode: Mode, packet: &[u8]) -> Option<&'static str> {
    let header = match (mode.pi, mode.kind, packet.first().map(|byte| byte >> 4)) {
        (true, Kind::Tun, _) => PI_HEADER,
        (true, Kind::Tap, _) => const { PI_HEADER + ETHERNET_HEADER },
        (false, Kind::Tap, _) => ETHERNET_HEADER,
        (false, Kind::Tun, Some(4)) => IPV4_HEADER,
        (false, Kind::Tun, Some(6)) => IPV6_HEADER,
        (false, Kind::Tun, _) => return Some("no IP packet: the version is neither 4 nor 6"),
    };
    let short = match mode.kind {
        _ if mode.pi => "no packet behind a packet-information header",
        Kind::Tun => "no IP packet: too short for its header",
        Kind::Tap => "no Ethernet frame: too short for its header",
    };
    (packet.len() < header).then_some(short)
}

fn bytes(count: usize) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::{self, Flags};

    fn is_packet(bits: u64, packet: &[u8]) -> bool {
        fault(Flags::parse(bits).unwrap().mode, packet).is_none()
    }

    #[test]
    fn a_tun_takes_ip_headers_and_up() {
        for (first, header) in [(0x45, IPV4_HEADER), (0x60, IPV6_HEADER)] {
            let mut packet = vec![0; header];
            packet[0] = first;
            assert!(is_packet(flags::TUN, &packet));
            assert!(!is_packet(flags::TUN, &packet[..header - 1]));
        }
        for first in [0x00, 0x10, 0x55, 0x70, 0xf0] {
            assert!(!is_packet(flags::TUN, &[first; 60]));
        }
        assert!(!is_packet(flags::TUN, &[]));
    }

    #[test]
    fn a_tap_takes_any_ethernet_frame() {
        assert!(is_packet(flags::TAP, &[0; ETHERNET_HEADER]));
        assert!(!is_packet(flags::TAP, &[0; ETHERNET_HEADER - 1]));
    }

    #[test]
    fn behind_packet_information_the_kernel_judges() {
        assert!(is_packet(flags::TUN | flags::PI, &[0; 4]));
        assert!(!is_packet(flags::TUN | flags::PI, &[0; 3]));
        assert!(is_packet(flags::TAP | flags::PI, &[0; 18]));
        assert!(!is_packet(flags::TAP | flags::PI, &[0; 17]));
    }
}
