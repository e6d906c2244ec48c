// SPDX-License-Identifier: MIT
//! The flags of a device: requested by the caller, and granted by the kernel.

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::table::constants;
use crate::model::text::{Text, text};

constants! {
    bits CALL_FLAGS: u64 {
        /// Argument flags of tuntap_add_addr, tuntap_add_route, tuntap_config_add_addr and
        /// tuntap_config_add_route: the address or the route replaces the existing one with the same
        /// key. The key of an IPv4 address is the address itself, its prefix length, and the network
        /// of its peer (without a peer: its own network); of an IPv6 address, the address; of a
        /// route, its destination, metric and table.
        REPLACE = 0x1, "TUNTAP_REPLACE";
    }
}

constants! {
    bits FLAGS: u64 {
        /// A device that carries IP packets. An open needs either this flag or TUNTAP_TAP.
        TUN = 0x1, "TUNTAP_TUN";
        /// A device that carries Ethernet frames.
        TAP = 0x2, "TUNTAP_TAP";
        /// Each packet has a packet-information header of 4 bytes: 2 bytes of flags in the byte order
        /// of the machine, where 1 means that the packet is truncated, and 2 bytes of EtherType in
        /// network byte order (0x0800 IPv4, 0x86dd IPv6). Darwin, for a TUN only: the address family
        /// in network byte order (2 IPv4, 30 IPv6), as a utun interface uses it.
        PI = 0x4, "TUNTAP_PI";
        /// The device can have several queues, each with its own handle: see tuntap_open_queue.
        MULTI_QUEUE = 0x8, "TUNTAP_MULTI_QUEUE";
        /// The open fails with TUNTAP_REASON_BUSY if the device exists, instead of attaching to it.
        EXCLUSIVE = 0x10, "TUNTAP_EXCLUSIVE";
        /// Functions that read or write packets return -EAGAIN instead of waiting, including those
        /// of readers and writers: tuntap_set_nonblock lists them. Functions with a time limit still
        /// wait.
        NONBLOCK = 0x20, "TUNTAP_NONBLOCK";
        /// The device stays after its last descriptor is closed (see tuntap_close), until
        /// tuntap_set_persist(dev, 0) or `ip link delete`. If later steps of the configuration can
        /// fail, call tuntap_set_persist as the last step instead: then a failure leaves no
        /// incomplete device.
        PERSIST = 0x40, "TUNTAP_PERSIST";
        /// Written packets enter the network stack through NAPI: in batches, with generic receive
        /// offload (GRO).
        NAPI = 0x80, "TUNTAP_NAPI";
        /// For a TAP: as TUNTAP_NAPI, and the parts of a tuntap_writev, up to 18, become the
        /// fragments of the kernel's packet. A frame may have at least 65,277 bytes: on x86-64
        /// up to 65,471. Opening and writing need CAP_NET_ADMIN in the initial user namespace.
        NAPI_FRAGS = 0x100, "TUNTAP_NAPI_FRAGS";
        /// The open fails with TUNTAP_REASON_ABSENT if the device does not exist, instead of
        /// creating it. Needs a name that is not a pattern. Cannot be combined with
        /// TUNTAP_EXCLUSIVE.
        EXISTING = 0x200, "TUNTAP_EXISTING";
        /// tuntap_open_fd: the descriptor still belongs to the caller.
        BORROW = 0x400, "TUNTAP_BORROW";
        /// The device passes super-packets of up to 64 KiB (segmentation offload).
        /// tuntap_reader_next splits them, tuntap_writer_put coalesces packets into them,
        /// tuntap_read_super and tuntap_write_super pass them unchanged, and tuntap_read and
        /// tuntap_write still pass one packet per call. All offloads that the kernel supports are on:
        /// see tuntap_get_offloads and tuntap_set_offloads. Those of tunnels also need a virtio header
        /// of 24 bytes, which a new device without TUNTAP_PERSIST gets. The header has the size and
        /// the byte order that the device had when the handle was opened: see
        /// tuntap_get_vnet_hdr_size.
        /// Cannot be combined with TUNTAP_PI or TUNTAP_NAPI_FRAGS.
        OFFLOAD = 0x800, "TUNTAP_OFFLOAD";
        /// tuntap_writer_new, tuntap_joiner_new: the integrity of the packets is already verified,
        /// for example by authenticated decryption. Their TCP and UDP checksums are not verified but
        /// recomputed, even wrong ones. tuntap_reader_new, tuntap_splitter_new: segments are returned
        /// with wrong TCP and UDP checksums. Give them only to a writer with this flag on a device
        /// with TUNTAP_OFFLOAD, on this host or at the other end of an authenticated tunnel: any other
        /// receiver drops them. In a tunnel, set the flag on the reader at the sending end and on the
        /// writer at the receiving end.
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

/// How packets pass through a device: fixed when it is created, and the same for all of its queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// The kind of packets.
    pub kind: Kind,
    /// Each packet has the packet-information header.
    pub pi: bool,
    /// It can have several queues.
    pub multi_queue: bool,
    /// Each packet has the virtio header, and can be a super-packet.
    pub offload: bool,
    /// Written packets enter the network stack through NAPI.
    pub napi: bool,
    /// The parts of a vectored write become the fragments of one packet.
    pub napi_frags: bool,
}

impl Mode {
    /// Packets without a header, through one queue.
    pub fn plain(kind: Kind) -> Self {
        Self { kind, pi: false, multi_queue: false, offload: false, napi: false, napi_frags: false }
    }

    /// A description of how `granted` differs from this request. None if they are equal.
    pub fn difference(self, granted: Self) -> Option<Text> {
        let mut said = Text::from("");
        let mut say = |part: Text| {
            let separator = if said.as_str().is_empty() { "" } else { "; it " };
            said = text!("{said}{separator}{part}");
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
                (true, false) => say(text!("does not have {what}, which was requested")),
                (false, true) => say(text!("has {what}, which was not requested")),
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

/// The checked flags of an open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// How packets pass through.
    pub mode: Mode,
    /// Fail if the device exists.
    pub exclusive: bool,
    /// Fail if the device does not exist.
    pub existing: bool,
    /// Reads and writes do not wait.
    pub nonblock: bool,
    /// The device outlives its last handle.
    pub persist: bool,
}

impl Flags {
    /// Checks a caller's bits.
    pub fn parse(bits: u64) -> Result<Self> {
        check(bits)?;
        let has = |flags: u64| bits & flags != 0;
        Ok(Self {
            mode: Mode {
                pi: has(PI),
                multi_queue: has(MULTI_QUEUE),
                offload: has(OFFLOAD),
                napi: has(NAPI | NAPI_FRAGS),
                napi_frags: has(NAPI_FRAGS),
                ..Mode::plain(if has(TUN) { Kind::Tun } else { Kind::Tap })
            },
            exclusive: has(EXCLUSIVE),
            existing: has(EXISTING),
            nonblock: has(NONBLOCK),
            persist: has(PERSIST),
        })
    }

    /// Checks the bits of another queue, which has the mode of its device. Returns whether TUNTAP_NONBLOCK is set.
    pub fn parse_queue(bits: u64) -> Result<bool> {
        if bits & !NONBLOCK != 0 {
            return Err(Error::new(
                Errno::EINVAL,
                Reason::Flags,
                text!(
                    "flags {bits:#x}: only TUNTAP_NONBLOCK is allowed: a queue has the modes of its device"
                ),
            ));
        }
        Ok(bits & NONBLOCK != 0)
    }
}

/// Refuses flags that an open does not have, and those that contradict each other.
fn check(bits: u64) -> Result<()> {
    let has = |flags: u64| bits & flags != 0;
    let unknown = text!("this version does not know {:#x}", bits & !KNOWN);
    let faults = [
        (has(BORROW), "TUNTAP_BORROW is a flag of tuntap_open_fd"),
        (has(TRUSTED), "TUNTAP_TRUSTED is a flag of readers, writers, splitters and joiners"),
        (has(!KNOWN), unknown.as_str()),
        (has(TUN) && has(TAP), "TUNTAP_TUN and TUNTAP_TAP cannot be combined"),
        (!has(TUN | TAP), "give either TUNTAP_TUN or TUNTAP_TAP"),
        (has(EXCLUSIVE) && has(EXISTING), "TUNTAP_EXCLUSIVE and TUNTAP_EXISTING cannot be combined"),
        (has(NAPI_FRAGS) && has(TUN), "TUNTAP_NAPI_FRAGS needs TUNTAP_TAP"),
        (
            has(OFFLOAD) && has(PI | NAPI_FRAGS),
            "TUNTAP_OFFLOAD cannot be combined with TUNTAP_PI or TUNTAP_NAPI_FRAGS",
        ),
    ];
    match faults.into_iter().find(|(wrong, _)| *wrong) {
        Some((_, fault)) => Err(Error::new(Errno::EINVAL, Reason::Flags, text!("flags {bits:#x}: {fault}"))),
        None => Ok(()),
    }
}

/// The checked flags for taking over a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdFlags {
    /// The descriptor still belongs to the caller.
    pub borrow: bool,
    /// Reads and writes do not wait.
    pub nonblock: bool,
}

impl FdFlags {
    /// Checks a caller's bits. The modes are those of the device.
    pub fn parse(bits: u64) -> Result<Self> {
        if bits & !(BORROW | NONBLOCK) != 0 {
            return Err(Error::new(
                Errno::EINVAL,
                Reason::Flags,
                text!(
                    "flags {bits:#x}: only TUNTAP_BORROW and TUNTAP_NONBLOCK are allowed: a descriptor has the \
                     modes of its device"
                ),
            ));
        }
        Ok(Self { borrow: bits & BORROW != 0, nonblock: bits & NONBLOCK != 0 })
    }
}

/// Checks the bits of an object that works in memory: a kind only.
pub fn parse_kind(bits: u64, action: &str) -> Result<Kind> {
    match bits {
        TUN => Ok(Kind::Tun),
        TAP => Ok(Kind::Tap),
        _ => {
            let text = text!("{action}: flags {bits:#x}: give either TUNTAP_TUN or TUNTAP_TAP");
            Err(Error::new(Errno::EINVAL, Reason::Flags, text))
        }
    }
}

/// Checks the bits of a reader or a writer. Returns whether TUNTAP_TRUSTED is set.
pub fn parse_trusted(bits: u64, action: &str) -> Result<bool> {
    if bits & !TRUSTED == 0 {
        return Ok(bits & TRUSTED != 0);
    }
    let text = text!("{action}: flags {bits:#x}: only TUNTAP_TRUSTED is allowed");
    Err(Error::new(Errno::EINVAL, Reason::Flags, text))
}

constants! {
    bits MONITOR_FLAGS: u64 {
        /// tuntap_monitor_open: also reports routes.
        MONITOR_ROUTES = 0x1, "TUNTAP_MONITOR_ROUTES";
        /// tuntap_monitor_open: also reports the default route of the system.
        MONITOR_DEFAULT_ROUTE = 0x2, "TUNTAP_MONITOR_DEFAULT_ROUTE";
    }
}

/// What a monitor reports besides devices and their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reports {
    /// The routes through the devices.
    pub routes: bool,
    /// The default route of the system.
    pub default_route: bool,
}

impl Reports {
    /// Whether it needs routes.
    pub(crate) fn need_routes(self) -> bool {
        self.routes || self.default_route
    }

    /// Checks the bits of a monitor.
    pub fn parse(bits: u64) -> Result<Self> {
        let unknown = bits & !(MONITOR_ROUTES | MONITOR_DEFAULT_ROUTE);
        if unknown == 0 {
            let (routes, default_route) = (bits & MONITOR_ROUTES != 0, bits & MONITOR_DEFAULT_ROUTE != 0);
            return Ok(Self { routes, default_route });
        }
        let text = text!("flags {bits:#x}: a monitor has no flag {unknown:#x}");
        Err(Error::new(Errno::EINVAL, Reason::Flags, text))
    }
}

/// Checks the bits of a deletion. No bit is defined yet.
pub fn parse_delete(bits: u64) -> Result<()> {
    if bits == 0 {
        return Ok(());
    }
    Err(Error::new(Errno::EINVAL, Reason::Flags, text!("flags {bits:#x}: a deletion has no flags")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_kind_is_required() {
        for bits in [0, TUN | TAP, PI, EXCLUSIVE | NONBLOCK] {
            let error = Flags::parse(bits).unwrap_err();
            assert_eq!((error.errno(), error.reason()), (Errno::EINVAL, Reason::Flags));
        }
        assert_eq!(Flags::parse(TUN).unwrap().mode.kind, Kind::Tun);
        assert_eq!(Flags::parse(TAP).unwrap().mode.kind, Kind::Tap);
    }

    #[test]
    fn errors_name_the_invalid_flag() {
        for unknown in [0x2000, 1 << 31, 1 << 63] {
            let error = Flags::parse(TUN | unknown).unwrap_err();
            assert!(error.message().contains(&format!("{unknown:#x}")), "{error}");
        }
        for (known, name) in [(BORROW, "TUNTAP_BORROW is"), (TRUSTED, "TUNTAP_TRUSTED is")] {
            let error = Flags::parse(TUN | known).unwrap_err();
            assert!(error.message().contains(name), "{error}");
        }
    }

    #[test]
    fn modes_convert_to_their_flags() {
        for bits in [TUN, TAP, TUN | PI, TAP | MULTI_QUEUE, TAP | PI | MULTI_QUEUE, TUN | OFFLOAD] {
            assert_eq!(Flags::parse(bits).unwrap().mode.bits(), bits);
        }
    }

    #[test]
    fn a_difference_lists_missing_and_additional_modes() {
        let asked = Flags::parse(TUN | PI).unwrap().mode;
        let granted = Flags::parse(TAP | MULTI_QUEUE).unwrap().mode;
        assert_eq!(asked.difference(asked), None);
        let text = asked.difference(granted).unwrap();
        assert!(text.as_str().contains("is a TAP, not a TUN"), "{text}");
        assert!(text.as_str().contains("does not have the packet-information header"), "{text}");
        assert!(text.as_str().contains("has several queues"), "{text}");
    }

    #[test]
    fn a_queue_accepts_only_the_nonblock_flag() {
        assert!(Flags::parse_queue(NONBLOCK).unwrap());
        assert!(!Flags::parse_queue(0).unwrap());
        assert_eq!(Flags::parse_queue(TUN).unwrap_err().reason(), Reason::Flags);
    }
}
