// SPDX-License-Identifier: MIT
//! The flags of a device: what a caller asks for, and what the kernel granted.

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::table::constants;
use crate::model::text::{Text, text};

constants! {
    bits CALL_FLAGS: u64 {
        /// What has the place of the address or the route is replaced by it.
        REPLACE = 0x1, "TUNTAP_REPLACE";
    }
}

constants! {
    bits FLAGS: u64 {
        /// A device that carries IP packets. Exactly one of this and TUNTAP_TAP is needed.
        TUN = 0x1, "TUNTAP_TUN";
        /// A device that carries Ethernet frames.
        TAP = 0x2, "TUNTAP_TAP";
        /// Each packet is preceded by 4 bytes of packet information: 2 of flags in the machine's
        /// byte order, of which 1 means "cut", and the 2 of the EtherType in network byte order
        /// (0x0800 IPv4, 0x86dd IPv6). Darwin, for a TUN alone: the address family in network byte
        /// order (2 IPv4, 30 IPv6), as a utun has it.
        PI = 0x4, "TUNTAP_PI";
        /// The device can have several queues, each a handle of its own: see tuntap_open_queue.
        MULTI_QUEUE = 0x8, "TUNTAP_MULTI_QUEUE";
        /// Fail with TUNTAP_REASON_BUSY when a device of this name exists, instead of attaching to
        /// it.
        EXCLUSIVE = 0x10, "TUNTAP_EXCLUSIVE";
        /// tuntap_read and tuntap_write return -EAGAIN instead of waiting.
        NONBLOCK = 0x20, "TUNTAP_NONBLOCK";
        /// The device outlives its last handle, until tuntap_set_persist(dev, 0) or `ip link
        /// delete`. Where configuring it may fail, tuntap_set_persist as the last step leaves
        /// nothing half made behind.
        PERSIST = 0x40, "TUNTAP_PERSIST";
        /// Packets that are written go up the stack through NAPI: in batches, with the kernel's
        /// receive offload.
        NAPI = 0x80, "TUNTAP_NAPI";
        /// For a TAP: as TUNTAP_NAPI, and the parts of a tuntap_writev become the fragments of the
        /// kernel's packet; 18 at most. Needs CAP_NET_ADMIN in the initial user namespace to open
        /// it and to write.
        NAPI_FRAGS = 0x100, "TUNTAP_NAPI_FRAGS";
        /// Fail with TUNTAP_REASON_ABSENT when there is no device of this name, instead of making
        /// it.
        EXISTING = 0x200, "TUNTAP_EXISTING";
        /// tuntap_open_fd: the descriptor stays the caller's.
        BORROW = 0x400, "TUNTAP_BORROW";
        /// Packets pass as super-packets of up to 64 KiB (segmentation offload): tuntap_reader_next
        /// and tuntap_writer_put split and join them, tuntap_read_super and tuntap_write_super pass
        /// them on as they are, and tuntap_read and tuntap_write go on with one packet a call. All
        /// offloads are on that the kernel has: tuntap_get_offloads tells, tuntap_set_offloads
        /// chooses. It goes with neither TUNTAP_PI nor TUNTAP_NAPI_FRAGS. The device's virtio
        /// header has the size and the byte order that the device has when the handle is opened:
        /// see tuntap_get_vnet_hdr_size.
        OFFLOAD = 0x800, "TUNTAP_OFFLOAD";
        /// tuntap_writer_new, tuntap_joiner_new: the integrity of the packets is proved already,
        /// by authenticated decryption for example. Their TCP and UDP checksums are not verified,
        /// and made anew, bad ones too. tuntap_reader_new, tuntap_splitter_new: the packets go to
        /// such a writer, on a device with TUNTAP_OFFLOAD, here or behind an authenticated tunnel.
        /// The checksums of segments are wrong then: nobody else would accept them.
        TRUSTED = 0x1000, "TUNTAP_TRUSTED";
    }
}

const KNOWN: u64 =
    TUN | TAP | PI | MULTI_QUEUE | EXCLUSIVE | NONBLOCK | PERSIST | NAPI | NAPI_FRAGS | EXISTING | OFFLOAD;

/// What a device carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IP packets.
    Tun,
    /// Ethernet frames.
    Tap,
}

impl Kind {
    /// The noun for messages.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Tun => "TUN",
            Self::Tap => "TAP",
        }
    }
}

/// How packets pass through a device: fixed when it is made, the same for all of its queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// What it carries.
    pub kind: Kind,
    /// Each packet has the packet-information header.
    pub pi: bool,
    /// It can have several queues.
    pub multi_queue: bool,
    /// Each packet has the virtio header, and can be a super-packet.
    pub offload: bool,
    /// Packets that are written go up the stack through NAPI.
    pub napi: bool,
    /// The parts of a vectored write become the fragments of one packet.
    pub napi_frags: bool,
}

impl Mode {
    /// Nothing but the packets, through one queue.
    pub fn plain(kind: Kind) -> Self {
        Self { kind, pi: false, multi_queue: false, offload: false, napi: false, napi_frags: false }
    }

    /// Says how `granted` differs from what was asked for; None when it does not.
    pub fn difference(self, granted: Self) -> Option<Text> {
        let mut said = Text::from("");
        let mut say = |part: Text| {
            let and = if said.as_str().is_empty() { "" } else { " and " };
            said = text!("{said}{and}{part}");
        };
        if self.kind != granted.kind {
            say(text!("is a {}, not a {}", granted.kind.noun(), self.kind.noun()));
        }
        let modes = [
            ("the packet-information header (TUNTAP_PI)", self.pi, granted.pi),
            ("several queues (TUNTAP_MULTI_QUEUE)", self.multi_queue, granted.multi_queue),
            ("offload (TUNTAP_OFFLOAD)", self.offload, granted.offload),
            ("NAPI (TUNTAP_NAPI)", self.napi, granted.napi),
            ("NAPI fragments (TUNTAP_NAPI_FRAGS)", self.napi_frags, granted.napi_frags),
        ];
        for (what, asked, got) in modes {
            match (asked, got) {
                (true, false) => say(text!("does not have {what}, which was asked for")),
                (false, true) => say(text!("has {what}, which was not asked for")),
                _ => {}
            }
        }
        (!said.as_str().is_empty()).then_some(said)
    }

    /// The ABI's bits for this mode.
    pub fn bits(self) -> u64 {
        let kind = match self.kind {
            Kind::Tun => TUN,
            Kind::Tap => TAP,
        };
        kind | bit(self.pi, PI)
            | bit(self.multi_queue, MULTI_QUEUE)
            | bit(self.offload, OFFLOAD)
            | bit(self.napi, NAPI)
            | bit(self.napi_frags, NAPI_FRAGS)
    }
}

/// The bit when it is on.
pub fn bit(on: bool, bit: u64) -> u64 {
    if on { bit } else { 0 }
}

/// The flags of an open, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// How packets pass through.
    pub mode: Mode,
    /// Fail when the name is taken.
    pub exclusive: bool,
    /// Fail when there is no such device.
    pub existing: bool,
    /// Reads and writes do not wait.
    pub nonblock: bool,
    /// The device outlives its last handle.
    pub persist: bool,
}

impl Flags {
    /// Checks a caller's bits.
    pub fn parse(bits: u64) -> Result<Self> {
        let wrong = |text: Text| Err(Error::new(Errno::EINVAL, Reason::Flags, text));
        if bits & !KNOWN != 0 {
            let unknown = bits & !KNOWN;
            return wrong(text!("flags {bits:#x}: this version does not know {unknown:#x}"));
        }
        let kind = match (bits & TUN != 0, bits & TAP != 0) {
            (true, false) => Kind::Tun,
            (false, true) => Kind::Tap,
            (true, true) => {
                return wrong(text!("flags {bits:#x}: TUNTAP_TUN and TUNTAP_TAP exclude each other"));
            }
            (false, false) => {
                return wrong(text!("flags {bits:#x}: give either TUNTAP_TUN or TUNTAP_TAP"));
            }
        };
        if bits & EXCLUSIVE != 0 && bits & EXISTING != 0 {
            return wrong(text!("flags {bits:#x}: TUNTAP_EXCLUSIVE and TUNTAP_EXISTING exclude each other"));
        }
        if bits & NAPI_FRAGS != 0 && kind == Kind::Tun {
            return wrong(text!("flags {bits:#x}: TUNTAP_NAPI_FRAGS is for a TAP"));
        }
        if bits & OFFLOAD != 0 && bits & (PI | NAPI_FRAGS) != 0 {
            return wrong(text!(
                "flags {bits:#x}: TUNTAP_OFFLOAD goes with neither TUNTAP_PI nor TUNTAP_NAPI_FRAGS"
            ));
        }
        Ok(Self {
            mode: Mode {
                pi: bits & PI != 0,
                multi_queue: bits & MULTI_QUEUE != 0,
                offload: bits & OFFLOAD != 0,
                napi: bits & (NAPI | NAPI_FRAGS) != 0,
                napi_frags: bits & NAPI_FRAGS != 0,
                ..Mode::plain(kind)
            },
            exclusive: bits & EXCLUSIVE != 0,
            existing: bits & EXISTING != 0,
            nonblock: bits & NONBLOCK != 0,
            persist: bits & PERSIST != 0,
        })
    }

    /// Checks the bits of another queue, which takes its mode from the device: only NONBLOCK is left to choose.
    pub fn parse_queue(bits: u64) -> Result<bool> {
        if bits & !NONBLOCK != 0 {
            return Err(Error::new(
                Errno::EINVAL,
                Reason::Flags,
                text!("flags {bits:#x}: a queue has the modes of its device and takes TUNTAP_NONBLOCK only"),
            ));
        }
        Ok(bits & NONBLOCK != 0)
    }
}

/// The flags of taking over a descriptor, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdFlags {
    /// The descriptor stays the caller's.
    pub borrow: bool,
    /// Reads and writes do not wait.
    pub nonblock: bool,
}

impl FdFlags {
    /// Checks a caller's bits: the modes are the device's.
    pub fn parse(bits: u64) -> Result<Self> {
        if bits & !(BORROW | NONBLOCK) != 0 {
            return Err(Error::new(
                Errno::EINVAL,
                Reason::Flags,
                text!(
                    "flags {bits:#x}: a descriptor has the modes of its device and takes TUNTAP_BORROW and \
                     TUNTAP_NONBLOCK only"
                ),
            ));
        }
        Ok(Self { borrow: bits & BORROW != 0, nonblock: bits & NONBLOCK != 0 })
    }
}

/// Checks the bits of what works in memory: a kind and nothing else.
pub fn parse_kind(bits: u64) -> Result<Kind> {
    match bits {
        TUN => Ok(Kind::Tun),
        TAP => Ok(Kind::Tap),
        _ => {
            let text = text!("flags {bits:#x}: give either TUNTAP_TUN or TUNTAP_TAP");
            Err(Error::new(Errno::EINVAL, Reason::Flags, text))
        }
    }
}

/// Checks the bits of a writer; whether checksums are taken for good.
pub fn parse_trusted(bits: u64) -> Result<bool> {
    if bits & !TRUSTED == 0 {
        return Ok(bits & TRUSTED != 0);
    }
    let text = text!("flags {bits:#x}: only TUNTAP_TRUSTED is known here");
    Err(Error::new(Errno::EINVAL, Reason::Flags, text))
}

constants! {
    bits MONITOR_FLAGS: u64 {
        /// tuntap_monitor_open: routes are watched too.
        MONITOR_ROUTES = 0x1, "TUNTAP_MONITOR_ROUTES";
    }
}

/// Checks the bits of a monitor; whether it watches routes too.
pub fn parse_monitor(bits: u64) -> Result<bool> {
    if bits & !MONITOR_ROUTES == 0 {
        return Ok(bits & MONITOR_ROUTES != 0);
    }
    let text = text!("flags {bits:#x}: only TUNTAP_MONITOR_ROUTES is known here");
    Err(Error::new(Errno::EINVAL, Reason::Flags, text))
}

/// Checks the bits of a deletion, of which there are none yet.
pub fn parse_delete(bits: u64) -> Result<()> {
    if bits == 0 {
        return Ok(());
    }
    Err(Error::new(Errno::EINVAL, Reason::Flags, text!("flags {bits:#x}: a deletion has none")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_kind_is_asked_for() {
        for bits in [0, TUN | TAP, PI, EXCLUSIVE | NONBLOCK] {
            let error = Flags::parse(bits).unwrap_err();
            assert_eq!((error.errno(), error.reason()), (Errno::EINVAL, Reason::Flags));
        }
        assert_eq!(Flags::parse(TUN).unwrap().mode.kind, Kind::Tun);
        assert_eq!(Flags::parse(TAP).unwrap().mode.kind, Kind::Tap);
    }

    #[test]
    fn an_unknown_bit_is_named() {
        for unknown in [BORROW, TRUSTED, 0x2000, 1 << 31, 1 << 63] {
            let error = Flags::parse(TUN | unknown).unwrap_err();
            assert!(error.message().contains(&format!("{unknown:#x}")), "{error}");
        }
    }

    #[test]
    fn modes_come_back_as_their_bits() {
        for bits in [TUN, TAP, TUN | PI, TAP | MULTI_QUEUE, TAP | PI | MULTI_QUEUE, TUN | OFFLOAD] {
            assert_eq!(Flags::parse(bits).unwrap().mode.bits(), bits);
        }
    }

    #[test]
    fn a_difference_names_each_mode_in_the_right_direction() {
        let asked = Flags::parse(TUN | PI).unwrap().mode;
        let granted = Flags::parse(TAP | MULTI_QUEUE).unwrap().mode;
        assert_eq!(asked.difference(asked), None);
        let text = asked.difference(granted).unwrap();
        assert!(text.as_str().contains("is a TAP, not a TUN"), "{text}");
        assert!(text.as_str().contains("does not have the packet-information header"), "{text}");
        assert!(text.as_str().contains("has several queues"), "{text}");
    }

    #[test]
    fn a_queue_chooses_only_whether_it_waits() {
        assert!(Flags::parse_queue(NONBLOCK).unwrap());
        assert!(!Flags::parse_queue(0).unwrap());
        assert_eq!(Flags::parse_queue(TUN).unwrap_err().reason(), Reason::Flags);
    }
}
