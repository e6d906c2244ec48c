// SPDX-License-Identifier: MIT
//! The offloads of an interface that are on, and those that can be turned on. TUNSETOFFLOAD sets them. The driver does
//! not report them, but the features of ethtool do.

use std::ffi::c_char;
use std::iter::repeat_n;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::ioctl;
use crate::model::error::Errno;
use crate::model::memory::{self, NoMemory};
use crate::model::name::Name;
use crate::model::offload;
use crate::sys::Outcome;

/// The names of the features in the kernel, with the bits of the ABI. USO is one feature for both families.
const FEATURES: [(&[u8], u64); 7] = [
    (b"tx-checksum-ip-generic", offload::F_CSUM),
    (b"tx-tcp-segmentation", offload::F_TSO4),
    (b"tx-tcp6-segmentation", offload::F_TSO6),
    (b"tx-tcp-ecn-segmentation", offload::F_TSO_ECN),
    (b"tx-udp-segmentation", offload::F_USO4 | offload::F_USO6),
    (b"tx-udp_tnl-segmentation", offload::F_UDP_TUNNEL_GSO),
    (b"tx-udp_tnl-csum-segmentation", offload::F_UDP_TUNNEL_GSO_CSUM),
];

const _: () = {
    assert!(offload::F_CSUM == libc::TUN_F_CSUM as u64 && offload::F_TSO_ECN == libc::TUN_F_TSO_ECN as u64);
    assert!(offload::F_TSO4 == libc::TUN_F_TSO4 as u64 && offload::F_TSO6 == libc::TUN_F_TSO6 as u64);
    assert!(offload::F_USO4 == libc::TUN_F_USO4 as u64 && offload::F_USO6 == libc::TUN_F_USO6 as u64);
};

/// The sets to request, the best first. Tunnels need Linux 6.17. USO needs Linux 6.2, and only both families together
/// are valid.
pub(super) const BEST: [u64; 3] =
    [offload::ALL_OFFLOADS, offload::ALL_OFFLOADS & !offload::TUNNEL_OFFLOADS, offload::TCP_OFFLOADS];

/// linux/ethtool.h.
const ETHTOOL_GSTRINGS: u32 = 0x1b;
const ETHTOOL_GSSET_INFO: u32 = 0x37;
const ETHTOOL_GFEATURES: u32 = 0x3a;
const ETH_SS_FEATURES: u32 = 4;
/// ETH_GSTRING_LEN, 32 bytes, in words.
const NAME_WORDS: usize = 8;
/// Limit of the features of any kernel.
const MOST: u32 = 1024;

/// A request to ethtool, as 32-bit words, with room for the reply.
struct Command(Vec<u32>);

impl Command {
    /// A request that begins with these words, with room for further ones.
    fn new<const N: usize>(begin: [u32; N], room: u32) -> Result<Self, NoMemory> {
        let room = usize::try_from(room).map_err(|_| NoMemory)?;
        memory::collect(begin.into_iter().chain(repeat_n(0, room))).map(Self)
    }

    fn send(&mut self, socket: BorrowedFd<'_>, name: &Name) -> Outcome<()> {
        // SAFETY: an ifreq may be all zeros.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        request.ifr_name = name.with_nul().map(|byte| byte as c_char);
        request.ifr_ifru.ifru_data = self.0.as_mut_ptr().cast();
        // SAFETY: each command here has room for all words that the kernel writes.
        unsafe { ioctl::ethtool(socket.as_raw_fd(), &mut request) }.map(drop)
    }

    fn word(&self, at: usize) -> u32 {
        self.0.get(at).copied().unwrap_or(0)
    }
}

/// The index of a word in the reply: one of the four words of the first block.
#[derive(Clone, Copy)]
enum Word {
    Available = 2,
    On = 4,
}

/// The offloads that are on, as bits of the ABI.
pub(super) fn list(socket: BorrowedFd<'_>, name: &Name) -> Outcome<u64> {
    read(socket, name, Word::On)
}

/// The offloads that can be turned on.
pub(super) fn available(socket: BorrowedFd<'_>, name: &Name) -> Outcome<u64> {
    read(socket, name, Word::Available)
}

fn read(socket: BorrowedFd<'_>, name: &Name, word: Word) -> Outcome<u64> {
    // struct ethtool_sset_info: command, reserved, mask of the sets (64 bits), size of each set.
    let mut info = Command::new([ETHTOOL_GSSET_INFO, 0, 0, 0], 1)?;
    set_u64(&mut info, 2, 1 << ETH_SS_FEATURES);
    info.send(socket, name)?;
    let count = info.word(4);
    if count > MOST {
        return Err(Errno::EOVERFLOW);
    }

    // struct ethtool_gstrings: command, set, count, names. The kernel ignores the count and writes all names. It is the
    // number that it has just reported, because the list is the same for all devices.
    let words = count.saturating_mul(NAME_WORDS as u32);
    let mut names = Command::new([ETHTOOL_GSTRINGS, ETH_SS_FEATURES, count], words)?;
    names.send(socket, name)?;

    // struct ethtool_gfeatures: command, count of blocks, and four words for each block of 32 features. The first word
    // has those that can be turned on, the third those that are on.
    let blocks = count.div_ceil(32);
    let mut features = Command::new([ETHTOOL_GFEATURES, blocks], blocks.saturating_mul(4))?;
    features.send(socket, name)?;

    let names = names.0.get(3..).unwrap_or_default();
    let on = |index: usize| {
        features.word((index / 32).saturating_mul(4).saturating_add(word as usize)) >> (index % 32) & 1 != 0
    };
    Ok(names
        .chunks(NAME_WORDS)
        .enumerate()
        .filter(|(index, _)| on(*index))
        .filter_map(|(_, name)| FEATURES.iter().find(|(known, _)| is(name, known)))
        .fold(0, |all, (_, bits)| all | bits))
}

/// Whether these words contain this text and a NUL.
fn is(name: &[u32], known: &[u8]) -> bool {
    let bytes = name.iter().flat_map(|word| word.to_ne_bytes());
    bytes.take_while(|byte| *byte != 0).eq(known.iter().copied())
}

/// Writes a 64-bit number to two words, in host byte order.
fn set_u64(command: &mut Command, at: usize, number: u64) {
    let bytes = number.to_ne_bytes();
    for (word, bytes) in command.0.iter_mut().skip(at).zip(bytes.chunks_exact(4)) {
        *word = u32::from_ne_bytes(bytes.try_into().unwrap_or_default());
    }
}
