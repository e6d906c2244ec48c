// SPDX-License-Identifier: MIT
//! Reading and writing packets. A failure is a bare errno: its message is formatted only if the caller wants it.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

use crate::device::Device;
use crate::device::stream::lock;
use crate::model::error::{Errno, Error, Reason};
use crate::model::feature::Feature;
use crate::model::flags::{Kind, Mode};
use crate::model::limit::Limit;
use crate::model::packet::{ETHERNET_HEADER, IPV4_HEADER, IPV6_HEADER, PI_HEADER, copy, measure, scatter};
use crate::model::readiness::Readiness;
use crate::model::text::{Text, text};
use crate::model::vnet_hdr::{self, Layout, VnetHdr};
use crate::offload::tunnel::count_tag;
use crate::sys::Backend;

/// Bytes of the virtio headers that most devices have.
const USUAL_HEADER: usize = vnet_hdr::TUNNEL_SIZE;
/// The virtio header of a packet without offloads, in any layout.
static PLAIN: [u8; vnet_hdr::MAX_SIZE] = [0; vnet_hdr::MAX_SIZE];

impl Device {
    /// The maximum length of a packet of this device, at any MTU.
    pub fn read_size(&self) -> usize {
        self.backend.read_size()
    }

    /// Reads one packet and returns its length.
    #[inline]
    pub fn read(&self, buf: &mut [MaybeUninit<u8>], limit: Limit) -> Result<usize, Errno> {
        let Some(stream) = self.stream() else {
            return self.try_or_wait(Readiness::READ, limit, || self.backend.read(buf));
        };
        let stream = stream?;
        self.try_or_wait(Readiness::READ, limit, || {
            lock(stream).next_or_read(&self.backend).and_then(|packet| copy(packet, buf))
        })
    }

    /// Reads one packet into several buffers, filled in order, and returns its length.
    pub fn readv(&self, bufs: &mut [IoSliceMut<'_>], limit: Limit) -> Result<usize, Errno> {
        let Some(stream) = self.stream() else {
            return self.try_or_wait(Readiness::READ, limit, || self.backend.readv(bufs));
        };
        let stream = stream?;
        self.try_or_wait(Readiness::READ, limit, || {
            lock(stream).next_or_read(&self.backend).and_then(|packet| scatter(packet, bufs))
        })
    }

    /// Reads one packet or super-packet without splitting it, and returns its length.
    pub fn read_super(
        &self,
        hdr: &mut VnetHdr,
        buf: &mut [MaybeUninit<u8>],
        limit: Limit,
    ) -> Result<usize, Errno> {
        let layout = self.backend.layout();
        with_room(layout, |bytes| {
            let length = self.try_or_wait(Readiness::READ, limit, || self.backend.read_framed(bytes, buf))?;
            *hdr = layout.read(bytes);
            Ok(length)
        })
    }

    /// The virtio header of a packet that was read, with offsets that count its VLAN tag.
    pub fn count_tag(&self, hdr: VnetHdr, packet: &[u8]) -> VnetHdr {
        count_tag(self.backend.mode().kind, hdr, packet)
    }

    /// Writes one packet and returns its length.
    #[inline]
    pub fn write(&self, packet: &[u8], limit: Limit) -> Result<usize, Errno> {
        if self.backend.mode().offload {
            return self.writev(&[IoSlice::new(packet)], limit);
        }
        self.check(packet.first().copied(), packet.len())?;
        self.try_or_wait(Readiness::WRITE, limit, || self.backend.write(packet))
    }

    /// Writes one packet from several parts and returns its length.
    pub fn writev(&self, parts: &[IoSlice<'_>], limit: Limit) -> Result<usize, Errno> {
        let (first, length) = measure(parts);
        self.check(first, length)?;
        let plain = PLAIN.get(..self.backend.layout().size()).unwrap_or_default();
        match self.backend.mode().offload {
            false => self.try_or_wait(Readiness::WRITE, limit, || self.backend.writev(parts)),
            true => self.try_or_wait(Readiness::WRITE, limit, || self.backend.writev_framed(plain, parts)),
        }
    }

    /// Writes one packet or super-packet as it is, and returns its length.
    pub fn write_super(&self, hdr: VnetHdr, packet: &[u8], limit: Limit) -> Result<usize, Errno> {
        self.check(packet.first().copied(), packet.len())?;
        self.try_or_wait(Readiness::WRITE, limit, || self.try_write_super(hdr, packet))
    }

    /// As [`Self::write_super`], without a check or a wait.
    pub(crate) fn try_write_super(&self, hdr: VnetHdr, packet: &[u8]) -> Result<usize, Errno> {
        let layout = self.backend.layout();
        with_room(layout, |bytes| {
            layout.write(hdr, bytes);
            self.backend.writev_framed(bytes, &[IoSlice::new(packet)])
        })
    }

    /// Fails unless the device passes super-packets.
    pub fn needs_offload(&self, action: &str) -> crate::model::error::Result<()> {
        self.needs_flag(Feature::Offload, self.backend.mode().offload, "TUNTAP_OFFLOAD", action)
    }

    /// Rejects a packet that the kernel would accept and then drop.
    #[inline]
    pub(crate) fn check(&self, first: Option<u8>, length: usize) -> Result<(), Errno> {
        if fault(self.backend.mode(), first, length).is_some() {
            return Err(Errno::EINVAL);
        }
        if length > self.read_size() {
            return Err(Errno::EMSGSIZE);
        }
        Ok(())
    }

    /// The error of a failed read.
    pub fn explain_read(&self, errno: Errno, size: usize) -> Error {
        match errno {
            Errno::EMSGSIZE => Error::new(
                errno,
                Reason::Buffer,
                text!(
                    "read {}: a packet was longer than the buffer of {size} bytes and is lost: use a buffer of {}, \
                     from tuntap_read_size",
                    self.label(),
                    self.read_size()
                ),
            ),
            Errno::EINVAL => Error::new(
                errno,
                Reason::Buffer,
                text!(
                    "read {}: the buffer of {size} bytes is too small for the packet-information header",
                    self.label()
                ),
            ),
            Errno::EAGAIN => Error::new(errno, Reason::Again, "read: no packet is waiting"),
            Errno::ETIMEDOUT => {
                Error::new(errno, Reason::Timeout, "read: no packet came within the time limit")
            }
            Errno::EPROTO => Error::new(
                errno,
                Reason::Packet,
                text!("read {}: a super-packet contradicts its virtio header, and is lost", self.label()),
            ),
            _ => self.explain("read", errno),
        }
    }

    /// The error for a buffer in a list that is too small for the next packet.
    pub fn explain_small_place(&self, length: usize, room: usize) -> Error {
        let text = text!(
            "read {}: the next packet has {length} bytes, and its buffer {room}: it stays the next packet",
            self.label()
        );
        Error::new(Errno::EMSGSIZE, Reason::Buffer, text)
    }

    /// The error of a failed write.
    pub fn explain_write(&self, errno: Errno, first: Option<u8>, length: usize) -> Error {
        match (errno, fault(self.backend.mode(), first, length)) {
            (Errno::EINVAL, Some(fault)) => Error::new(
                errno,
                Reason::Packet,
                text!("write {}: {} given, {fault}", self.label(), bytes(length)),
            ),
            (Errno::EINVAL | Errno::EMSGSIZE, _) => Error::new(
                errno,
                Reason::Packet,
                text!("write {}: {} given, {}", self.label(), bytes(length), self.limits(length)),
            ),
            (Errno::EAGAIN, _) if self.backend.is_full() => Error::new(
                errno,
                Reason::Full,
                text!("write {}: the kernel's queue is full: try again a millisecond later", self.label()),
            ),
            (Errno::EAGAIN, _) => {
                Error::new(errno, Reason::Again, "write: the kernel has no room for a packet")
            }
            (Errno::ETIMEDOUT, _) => Error::new(
                errno,
                Reason::Timeout,
                "write: the kernel had no room for a packet within the time limit",
            ),
            (Errno::EBUSY, _) => Error::new(
                errno,
                Reason::Busy,
                text!("write {}: this queue is detached: tuntap_attach attaches it", self.label()),
            ),
            _ => self.explain("write", errno),
        }
    }

    /// What a packet that the kernel refused may have exceeded.
    fn limits(&self, length: usize) -> &'static str {
        if length > self.read_size() {
            "more than tuntap_read_size"
        } else if self.backend.mode().napi_frags {
            // tun_napi_alloc_frags.
            "TUNTAP_NAPI_FRAGS accepts 65,277, or some more, in 18 parts, each after the first of 1 to 4096"
        } else {
            "not a packet that the kernel accepts"
        }
    }

    /// The error of a failed write of a super-packet.
    pub fn explain_write_super(&self, errno: Errno, hdr: VnetHdr, first: Option<u8>, length: usize) -> Error {
        if errno == Errno::EINVAL && hdr.is_tunnel() && self.refuses_tunnels() {
            let why = "super-packets of tunnels need a TAP, Linux 6.17, and a little-endian virtio header of 24 bytes";
            let text = text!("write {}: {why}: split them first", self.label());
            return Error::new(errno, Reason::Packet, text);
        }
        let is_udp = errno == Errno::EINVAL && hdr.protocol() == vnet_hdr::GSO_UDP_L4;
        if is_udp && matches!(self.backend.device_has(Feature::Uso), Ok(false)) {
            let text = text!("write {}: super-packets of UDP need Linux 6.2", self.label());
            return Error::new(errno, Reason::Packet, text);
        }
        self.explain_write(errno, first, length)
    }

    /// Whether no super-packet of a tunnel can be written. Linux 6.18 expects an Ethernet header before it, on a TUN
    /// too.
    fn refuses_tunnels(&self) -> bool {
        self.backend.mode().kind == Kind::Tun
            || matches!(self.backend.device_has(Feature::TunnelGso), Ok(false))
    }

    /// The error for packets that a writer had accepted and the kernel refused: they are lost.
    pub fn explain_loss(&self, errno: Errno, packets: usize) -> Error {
        let loss = text!("{packets} {} lost", if packets == 1 { "packet is" } else { "packets are" });
        let (reason, why) = match errno {
            Errno::EINVAL | Errno::EMSGSIZE => (Reason::Packet, "the kernel does not accept them"),
            Errno::ENODEV => (Reason::Removed, "the device is gone"),
            Errno::ENETDOWN => (Reason::Down, "the device is down"),
            Errno::EBUSY => (Reason::Busy, "this queue is detached"),
            _ => return Error::system(errno, text!("write {}, {loss}", self.label())),
        };
        Error::new(errno, reason, text!("write {}: {why}: {loss}", self.label()))
    }

    pub(super) fn explain(&self, action: &str, errno: Errno) -> Error {
        let (reason, text) = match errno {
            Errno::ENODEV => (Reason::Removed, "the device is gone: close the handle"),
            Errno::ENETDOWN => (Reason::Down, "the device is down: use tuntap_up"),
            Errno::EINTR => (Reason::Interrupted, "interrupted by a signal: call again"),
            Errno::ECANCELED if self.backend.is_shut_down() => {
                (Reason::Shutdown, "tuntap_shutdown was called: close the handle")
            }
            Errno::ECANCELED => (Reason::Woken, "tuntap_wake ended the wait"),
            Errno::EMFILE | Errno::ENFILE => {
                let step = "create the descriptor that ends a wait";
                return Error::system(errno, text!("{action} {}: {step}", self.label()));
            }
            _ => return Error::system(errno, text!("{action} {}", self.label())),
        };
        Error::new(errno, reason, text!("{action} {}: {text}", self.label()))
    }
}

/// Why these bytes are not a packet. Linux accepts a TUN packet by its first byte alone, and later drops a truncated or
/// invalid one without an error. The check reports it to the sender.
#[inline]
fn fault(mode: Mode, first: Option<u8>, length: usize) -> Option<&'static str> {
    let header = match (mode.pi, mode.kind, first.map(|byte| byte >> 4)) {
        (true, Kind::Tun, _) => PI_HEADER,
        (true, Kind::Tap, _) => const { PI_HEADER + ETHERNET_HEADER },
        (false, Kind::Tap, _) => ETHERNET_HEADER,
        (false, Kind::Tun, Some(4)) => IPV4_HEADER,
        (false, Kind::Tun, Some(6)) => IPV6_HEADER,
        (false, Kind::Tun, None) => return Some("not an IP packet: it is empty"),
        (false, Kind::Tun, _) => return Some("not an IP packet: the version is neither 4 nor 6"),
    };
    let short = match mode.kind {
        _ if mode.pi => "not a packet after a packet-information header",
        Kind::Tun => "not an IP packet: too short for its header",
        Kind::Tap => "not an Ethernet frame: too short for its header",
    };
    (length < header).then_some(short)
}

/// Calls `action` with room for a header of this layout. Usual headers are short, so fewer bytes are zeroed for them.
#[inline]
fn with_room<T>(layout: Layout, action: impl FnOnce(&mut [u8]) -> Result<T, Errno>) -> Result<T, Errno> {
    let (mut usual, mut long);
    let room: &mut [u8] = if layout.size() <= USUAL_HEADER {
        usual = [0; USUAL_HEADER];
        &mut usual
    } else {
        long = [0; vnet_hdr::MAX_SIZE];
        &mut long
    };
    action(room.get_mut(..layout.size()).ok_or(Errno::EPROTO)?)
}

fn bytes(count: usize) -> Text {
    text!("{count} byte{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::flags::{self, Flags};

    fn is_packet(bits: u64, packet: &[u8]) -> bool {
        fault(Flags::parse(bits).unwrap().mode, packet.first().copied(), packet.len()).is_none()
    }

    #[test]
    fn a_tun_accepts_packets_with_a_complete_ip_header() {
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
    fn a_tap_accepts_any_ethernet_frame() {
        assert!(is_packet(flags::TAP, &[0; ETHERNET_HEADER]));
        assert!(!is_packet(flags::TAP, &[0; ETHERNET_HEADER - 1]));
    }

    #[test]
    fn only_the_length_is_checked_with_packet_information() {
        assert!(is_packet(flags::TUN | flags::PI, &[0; 4]));
        assert!(!is_packet(flags::TUN | flags::PI, &[0; 3]));
        assert!(is_packet(flags::TAP | flags::PI, &[0; 18]));
        assert!(!is_packet(flags::TAP | flags::PI, &[0; 17]));
    }
}
