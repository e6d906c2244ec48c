// SPDX-License-Identifier: MIT
//! User and group ids in the user namespace of the caller, and its capabilities.

use std::fs::File;
use std::io::Read;
use std::mem;
use std::path::Path;

use super::file;

/// linux/capability.h.
const CAP_NET_ADMIN: u32 = 12;
const VERSION_3: u32 = 0x2008_0522;

/// Whether the calling thread has CAP_NET_ADMIN in its user namespace; true if capget fails. Without it, requests that
/// need it are skipped, because they would fail.
pub(super) fn is_net_admin() -> bool {
    // struct __user_cap_header_struct: version and thread. Two struct __user_cap_data_struct, for 32 capabilities each:
    // effective, permitted, inheritable.
    let (header, mut data) = ([VERSION_3, 0], [0_u32; 6]);
    // SAFETY: the kernel reads two words and writes six.
    let returned = unsafe { libc::syscall(libc::SYS_capget, header.as_ptr(), data.as_mut_ptr()) };
    let [effective, ..] = data;
    returned != 0 || effective & (1 << CAP_NET_ADMIN) != 0
}

/// Whether the calling thread runs as this user.
pub(super) fn is_user(uid: u32) -> bool {
    // SAFETY: the call only returns a number.
    unsafe { libc::geteuid() == uid }
}

/// Whether the user namespace of the caller has this id, by its map. A line has the first id, the first id outside, and
/// the count. Without /proc it returns true, and the kernel decides.
pub(super) fn are_mapped(map: &str, id: u32) -> bool {
    let Ok(map) = file::open(Path::new(map), libc::O_RDONLY) else { return true };
    let (mut map, mut extent, mut piece) = (File::from(map), Extent::default(), [0; 512]);
    loop {
        match map.read(&mut piece) {
            Ok(0) => return false,
            Ok(length) if piece.iter().take(length).any(|byte| extent.ends_with(*byte, id.into())) => {
                return true;
            }
            Ok(_) => {}
            Err(_) => return true,
        }
    }
}

/// A line of a map, read byte by byte.
#[derive(Default)]
struct Extent {
    numbers: [u64; 3],
    index: usize,
    within: bool,
}

impl Extent {
    /// Adds a byte. True at the end of a line that contains the id.
    fn ends_with(&mut self, byte: u8, id: u64) -> bool {
        if byte.is_ascii_digit() {
            self.within = true;
            if let Some(number) = self.numbers.get_mut(self.index) {
                *number = number.saturating_mul(10).saturating_add(u64::from(byte & 0xf));
            }
            return false;
        }
        if mem::take(&mut self.within) {
            self.index = self.index.saturating_add(1);
        }
        if byte != b'\n' {
            return false;
        }
        let [first, _, count] = mem::take(self).numbers;
        id >= first && id < first.saturating_add(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extent_contains_its_count_of_ids() {
        let covers = |line: &str, id| {
            let mut extent = Extent::default();
            format!("{line}\n").bytes().any(|byte| extent.ends_with(byte, id))
        };
        let whole = "         0          0 4294967295";
        assert!(covers(whole, 0) && covers(whole, 4_294_967_294) && !covers(whole, 4_294_967_295));
        let own = "1000 0 1";
        assert!(covers(own, 1000) && !covers(own, 999) && !covers(own, 1001));
        for odd in ["", "0", "0 0", "x y z"] {
            assert!(!covers(odd, 0), "{odd}");
        }
    }
}
