// SPDX-License-Identifier: MIT
//! The sizes of buffers.

use crate::model::table::constants;
use crate::model::{link, name};

constants! {
    numbers SIZES: usize {
        /// Size of a buffer that is large enough for any device name of any operating system, with
        /// its NUL. On Linux, Darwin and the BSDs a name has up to 15 bytes.
        TUNTAP_NAME_SIZE = 256, "TUNTAP_NAME_SIZE";
        /// Size of a buffer that is large enough for any address as text, of any family, with its
        /// prefix length and its NUL.
        TUNTAP_ADDR_SIZE = 64, "TUNTAP_ADDR_SIZE";
        /// Size of a buffer that is large enough for any alias, with its NUL.
        TUNTAP_ALIAS_SIZE = 256, "TUNTAP_ALIAS_SIZE";
        /// Size of a MAC address in bytes.
        TUNTAP_MAC_SIZE = 6, "TUNTAP_MAC_SIZE";
    }
}

const _: () = assert!(TUNTAP_NAME_SIZE > name::MAX_LEN && TUNTAP_ALIAS_SIZE > link::Alias::MAX_LEN);
