// SPDX-License-Identifier: MIT
//! The sizes of buffers.

use crate::model::table::constants;
use crate::model::{link, name};

constants! {
    numbers SIZES: usize {
        /// Bytes of a buffer that holds the name of a device of any operating system, with its NUL. A
        /// name of Linux, Darwin and the BSDs has 15 bytes at most.
        TUNTAP_NAME_SIZE = 256, "TUNTAP_NAME_SIZE";
        /// Bytes of a buffer that holds any address as text, of any family and with its prefix,
        /// with its NUL.
        TUNTAP_ADDR_SIZE = 64, "TUNTAP_ADDR_SIZE";
        /// Bytes of a buffer that holds any alias, with its NUL.
        TUNTAP_ALIAS_SIZE = 256, "TUNTAP_ALIAS_SIZE";
        /// Bytes of a MAC address.
        TUNTAP_MAC_SIZE = 6, "TUNTAP_MAC_SIZE";
    }
}

const _: () = assert!(TUNTAP_NAME_SIZE > name::MAX_LEN && TUNTAP_ALIAS_SIZE > link::Alias::MAX_LEN);
