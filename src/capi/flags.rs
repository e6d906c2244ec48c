// SPDX-License-Identifier: MIT
//! The flags of `tuntap_open`, and the sizes of buffers.

use crate::model::{flags, link, name};

/// A device that carries IP packets. Exactly one of this and TUNTAP_TAP is needed.
pub const TUNTAP_TUN: u64 = 0x1;
/// A device that carries Ethernet frames.
pub const TUNTAP_TAP: u64 = 0x2;
/// Each packet is preceded by 4 bytes of packet information: 2 of flags in the machine's
/// byte order, of which 1 means "cut", and the 2 of the EtherType in network byte order
/// (0x0800 IPv4, 0x86dd IPv6). Darwin, for a TUN alone: the address family in network byte
/// order (2 IPv4, 30 IPv6), as a utun has it.
pub const TUNTAP_PI: u64 = 0x4;
/// The device can have several queues, each a handle of its own: see tuntap_open_queue.
pub const TUNTAP_MULTI_QUEUE: u64 = 0x8;
/// Fail with TUNTAP_REASON_BUSY when a device of this name exists, instead of attaching to
/// it.
pub const TUNTAP_EXCLUSIVE: u64 = 0x10;
/// tuntap_read and tuntap_write return -EAGAIN instead of waiting.
pub const TUNTAP_NONBLOCK: u64 = 0x20;
/// The device outlives its last handle, until tuntap_set_persist(dev, 0) or `ip link
/// delete`. Where configuring it may fail, tuntap_set_persist as the last step leaves
/// nothing half made behind.
pub const TUNTAP_PERSIST: u64 = 0x40;
/// Packets that are written go up the stack through NAPI: in batches, with the kernel's
/// receive offload.
pub const TUNTAP_NAPI: u64 = 0x80;
/// For a TAP: as TUNTAP_NAPI, and the parts of a tuntap_writev become the fragments of the
/// kernel's packet; 18 at most. Needs CAP_NET_ADMIN in the initial user namespace
/// to open it and to write.
pub const TUNTAP_NAPI_FRAGS: u64 = 0x100;
/// Fail with TUNTAP_REASON_ABSENT when there is no device of this name, instead of making
/// it.
pub const TUNTAP_EXISTING: u64 = 0x200;
/// tuntap_open_fd: the descriptor stays the caller's.
pub const TUNTAP_BORROW: u64 = 0x400;
/// Packets pass as super-packets of up to 64 KiB (segmentation offload): tuntap_reader_next
/// and tuntap_writer_put split and join them, tuntap_read_super and tuntap_write_super pass
/// them on as they are, and tuntap_read and tuntap_write go on with one packet a call. All
/// offloads are on that the kernel has: tuntap_get_offloads tells, tuntap_set_offloads
/// chooses. It goes with neither TUNTAP_PI nor TUNTAP_NAPI_FRAGS. The device's offload header
/// has 10 bytes: when another program gives it more (TUNSETVNETHDRSZ), an open handle's
/// packets are wrong from then on, or refused.
pub const TUNTAP_OFFLOAD: u64 = 0x800;
/// tuntap_writer_open, tuntap_joiner_open: the integrity of the packets is proved already,
/// by authenticated decryption for example. Their TCP and UDP checksums are not verified,
/// and made anew, bad ones too. tuntap_reader_open, tuntap_splitter_open: the packets go to
/// such a writer, on a device with TUNTAP_OFFLOAD, here or behind an authenticated tunnel.
/// The checksums of segments are wrong then: nobody else would accept them.
pub const TUNTAP_TRUSTED: u64 = 0x1000;

const _: () = {
    assert!(TUNTAP_TUN == flags::TUN);
    assert!(TUNTAP_TAP == flags::TAP);
    assert!(TUNTAP_PI == flags::PI);
    assert!(TUNTAP_MULTI_QUEUE == flags::MULTI_QUEUE);
    assert!(TUNTAP_EXCLUSIVE == flags::EXCLUSIVE);
    assert!(TUNTAP_NONBLOCK == flags::NONBLOCK);
    assert!(TUNTAP_PERSIST == flags::PERSIST);
    assert!(TUNTAP_NAPI == flags::NAPI);
    assert!(TUNTAP_NAPI_FRAGS == flags::NAPI_FRAGS);
    assert!(TUNTAP_EXISTING == flags::EXISTING);
    assert!(TUNTAP_BORROW == flags::BORROW);
    assert!(TUNTAP_OFFLOAD == flags::OFFLOAD);
    assert!(TUNTAP_TRUSTED == flags::TRUSTED);
};

/// Bytes of a buffer that holds any device name, with its NUL.
pub const TUNTAP_NAME_SIZE: usize = 16;
/// Bytes of a buffer that holds any address as text, of any family and with its prefix,
/// with its NUL.
pub const TUNTAP_ADDR_SIZE: usize = 64;
/// Bytes of a buffer that holds any alias, with its NUL.
pub const TUNTAP_ALIAS_SIZE: usize = 256;
/// Bytes of a MAC address.
pub const TUNTAP_MAC_SIZE: usize = 6;

const _: () = assert!(TUNTAP_NAME_SIZE > name::MAX_LEN && TUNTAP_ALIAS_SIZE > link::Alias::MAX_LEN);
