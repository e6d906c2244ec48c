// SPDX-License-Identifier: MIT
//! Which offloads of an interface are on, and which to ask for. The driver takes them with TUNSETOFFLOAD and does not
//! tell them; ethtool's features do.

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

/// The kernel's names of the features, and the ABI's bits. USO is one feature for both families.
const FEATURES: [(&[u8], u64); 5] = [
    (b"tx-checksum-ip-generic", offload::F_CSUM),
    (b"tx-tcp-segmentation", offload::F_TSO4),
    (b"tx-tcp6-segmentation", offload::F_TSO6),
    (b"tx-tcp-ecn-segmentation", offload::F_TSO_ECN),
    (b"tx-udp-segmentation", offload::F_USO4 | offload::F_USO6),
];

const _: () = {
    assert!(offload::F_CSUM == libc::TUN_F_CSUM as u64 && offload::F_TSO_ECN == libc::TUN_F_TSO_ECN as u64);
    assert!(offload::F_TSO4 == libc::TUN_F_TSO4 as u64 && offload::F_TSO6 == libc::TUN_F_TSO6 as u64);
    assert!(offload::F_USO4 == libc::TUN_F_USO4 as u64 && offload::F_USO6 == libc::TUN_F_USO6 as u64);
};

/// The sets to ask for, the best first: USO is known since Linux 6.2, and both families go together.
pub(super) const BEST: [u64; 2] = [offload::ALL_OFFLOADS, offload::TCP_OFFLOADS];

/// linux/ethtool.h.
const ETHTOOL_GSTRINGS: u32 = 0x1b;
const ETHTOOL_GSSET_INFO: u32 = 0x37;
const ETHTOOL_GFEATURES: u32 = 0x3a;
const ETH_SS_FEATURES: u32 = 4;
/// 32 bytes.
const NAME_WORDS: usize = 8;
/// Features of any kernel, at the most.
const MOST: u32 = 1024;

/// A request to ethtool: 32-bit words, of which the kernel writes as many as it was told there are.
struct Command(Vec<u32>);

impl Command {
    /// Begins so, and has so many words behind that.
    fn new<const N: usize>(begin: [u32; N], room: u32) -> Result<Self, NoMemory> {
        let room = usize::try_from(room).map_err(|_| NoMemory)?;
        memory::collect(begin.into_iter().chain(repeat_n(0, room))).map(Self)
    }

    fn send(&mut self, socket: BorrowedFd<'_>, name: &Name) -> Outcome<()> {
        // SAFETY: zeros make an ifreq.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        request.ifr_name = name.with_nul().map(|byte| byte as c_char);
        request.ifr_ifru.ifru_data = self.0.as_mut_ptr().cast();
        // SAFETY: the kernel writes to the words what the command says, and each command here has room for it.
        unsafe { ioctl::ethtool(socket.as_raw_fd(), &mut request) }.map(drop)
    }

    fn word(&self, at: usize) -> u32 {
        self.0.get(at).copied().unwrap_or(0)
    }
}

/// Which of a block's four words is asked for.
#[derive(Clone, Copy)]
enum Word {
    Available = 2,
    On = 4,
}

/// The offloads that are on, as the ABI's bits.
pub(super) fn list(socket: BorrowedFd<'_>, name: &Name) -> Outcome<u64> {
    read(socket, name, Word::On)
}

/// The offloads that can be turned on.
pub(super) fn available(socket: BorrowedFd<'_>, name: &Name) -> Outcome<u64> {
    read(socket, name, Word::Available)
}

fn read(socket: BorrowedFd<'_>, name: &Name, word: Word) -> Outcome<u64> {
    // Command, reserved, which sets as 64 bits, and the size of each.
    let mut info = Command::new([ETHTOOL_GSSET_INFO, 0, 0, 0], 1)?;
    set_u64(&mut info, 2, 1 << ETH_SS_FEATURES);
    info.send(socket, name)?;
    let count = info.word(4);
    if count > MOST {
        return Err(Errno::EOVERFLOW);
    }

    // Command, set, count, and the names. The kernel writes all that it has, whatever the count is: as many as it has
    // just said, as no device has a list of its own.
    let words = count.saturating_mul(NAME_WORDS as u32);
    let mut names = Command::new([ETHTOOL_GSTRINGS, ETH_SS_FEATURES, count], words)?;
    names.send(socket, name)?;

    // Command, count of blocks, and for each block of 32 features four words, of which the first has those that
    // can be turned on, and the third those that are on.
    let blocks = count.div_ceil(32);
    let mut features = Command::new([ETHTOOL_GFEATURES, blocks], blocks.saturating_mul(4))?;
    features.send(socket, name)?;

    let names = names.0.get(3..).unwrap_or_default();
    let on = |place: usize| {
        features.word((place / 32).saturating_mul(4).saturating_add(word as usize)) >> (place % 32) & 1 != 0
    };
    Ok(names
        .chunks(NAME_WORDS)
        .enumerate()
        .filter(|(place, _)| on(*place))
        .filter_map(|(_, name)| FEATURES.iter().find(|(known, _)| is(name, known)))
        .fold(0, |all, (_, bits)| all | bits))
}

/// Whether these words hold this text and a NUL.
fn is(name: &[u32], known: &[u8]) -> bool {
    let bytes = name.iter().flat_map(|word| word.to_ne_bytes());
    bytes.take_while(|byte| *byte != 0).eq(known.iter().copied())
}

/// A 64-bit number in two words, as this machine has it in memory.
fn set_u64(command: &mut Command, at: usize, number: u64) {
    let bytes = number.to_ne_bytes();
    for (word, bytes) in command.0.iter_mut().skip(at).zip(bytes.chunks_exact(4)) {
        *word = u32::from_ne_bytes(bytes.try_into().unwrap_or_default());
    }
}
