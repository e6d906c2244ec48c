// SPDX-License-Identifier: MIT
//! The version, and the features of this operating system.

use std::ffi::{c_char, c_int};

use crate::device::Device;
use crate::model::feature::{Feature, VERSION};
use crate::model::table::constants;

constants! {
    numbers VERSIONS: u32 {
        /// The version of the header that a program is compiled with. tuntap_version returns the
        /// version of the library that is running.
        TUNTAP_VERSION_MAJOR = 0, "TUNTAP_VERSION_MAJOR";
        /// Incremented with every addition to the ABI.
        TUNTAP_VERSION_MINOR = 1, "TUNTAP_VERSION_MINOR";
        /// Incremented with every other release.
        TUNTAP_VERSION_PATCH = 0, "TUNTAP_VERSION_PATCH";
    }
}

constants! {
    bits NUMBER: u32 {
        /// The version as one number, 0xMMmmpp, to compare. tuntap_version_number returns the
        /// number of the library that is running.
        TUNTAP_VERSION_NUMBER = 0x000100, "TUNTAP_VERSION_NUMBER";
    }
}

/// Returns the version of the library that is running, for example "0.1.0". Safe in a
/// signal handler.
///
/// @return A constant. Cannot fail.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn tuntap_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Returns the version of the library that is running as a number: 0xMMmmpp. Safe in a
/// signal handler.
///
/// @return A constant, to compare with TUNTAP_VERSION_NUMBER. Cannot fail.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn tuntap_version_number() -> u32 {
    TUNTAP_VERSION_NUMBER
}

/// Returns whether this library supports a feature on this operating system. It makes no
/// system call: the kernel can still be too old, or the process can lack the privilege, and
/// then the call that needs the feature fails. tuntap_probe queries the kernel.
///
/// @param feature  A TUNTAP_FEATURE_*.
/// @return 1 if it does. 0 if it does not, or if this version does not know the number.
///         Cannot fail.
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn tuntap_has(feature: u32) -> c_int {
    Feature::from_number(feature).is_some_and(Device::has).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_library_have_the_same_version() {
        let header = format!("{TUNTAP_VERSION_MAJOR}.{TUNTAP_VERSION_MINOR}.{TUNTAP_VERSION_PATCH}");
        assert_eq!(header, VERSION.to_str().unwrap());
        let parts = [TUNTAP_VERSION_MAJOR, TUNTAP_VERSION_MINOR, TUNTAP_VERSION_PATCH];
        assert_eq!(parts.into_iter().fold(0, |number, part| number << 8 | part), TUNTAP_VERSION_NUMBER);
    }
}
