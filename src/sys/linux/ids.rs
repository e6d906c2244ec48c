// SPDX-License-Identifier: MIT
//! Users and groups, as a user namespace numbers them, and what the caller may do.

use std::fs;

/// linux/capability.h.
const CAP_NET_ADMIN: u32 = 12;
const VERSION_3: u32 = 0x2008_0522;

/// Whether the calling thread has CAP_NET_ADMIN in its user namespace. Who has not may not ask for what needs it, and
/// is spared the refusal.
pub(super) fn is_net_admin() -> bool {
    // struct __user_cap_header_struct: version and thread. Two struct __user_cap_data_struct, for 32 capabilities each:
    // effective, permitted, inheritable.
    let (header, mut data) = ([VERSION_3, 0], [0_u32; 6]);
    // SAFETY: the kernel reads two words and writes six.
    let returned = unsafe { libc::syscall(libc::SYS_capget, header.as_ptr(), data.as_mut_ptr()) };
    let [effective, ..] = data;
    returned == 0 && effective & (1 << CAP_NET_ADMIN) != 0
}

/// Whether the caller's user namespace has this id, by its map: lines of first id, first id outside, count.
/// Where /proc is missing, the kernel will say.
pub(super) fn are_mapped(map: &str, id: u32) -> bool {
    fs::read_to_string(map).map_or(true, |lines| lines.lines().any(|line| covers(line, id.into())))
}

fn covers(line: &str, id: u64) -> bool {
    let mut numbers = line.split_ascii_whitespace().map(|number| number.parse::<u64>().unwrap_or(0));
    let (first, count) = (numbers.next().unwrap_or(0), numbers.nth(1).unwrap_or(0));
    id >= first && id < first.saturating_add(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_covers_its_count_of_ids() {
        let whole = "         0          0 4294967295";
        assert!(covers(whole, 0) && covers(whole, 4_294_967_294) && !covers(whole, 4_294_967_295));
        let own = "1000 0 1";
        assert!(covers(own, 1000) && !covers(own, 999) && !covers(own, 1001));
        for odd in ["", "0", "0 0", "x y z", "0 0 99999999999999999999999"] {
            assert!(!covers(odd, 0), "{odd}");
        }
    }
}
