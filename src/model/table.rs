// SPDX-License-Identifier: MIT
//! The constants of the ABI: each is stated once, with its name in C, its number and its documentation. tests/header.rs
//! writes them to include/tuntap.h from the tables that are made here.

/// A constant of the ABI.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// Its name in C.
    pub name: &'static str,
    /// What it is.
    pub number: u64,
    /// Its documentation, each line with the space that a comment begins with.
    pub doc: &'static str,
}

/// Constants that belong together, in the order of the header.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// They are bits.
    pub bits: bool,
    /// Each of them.
    pub constants: &'static [Constant],
}

/// An enum whose numbers are the ABI's, and with phrases what each is called for people.
macro_rules! enumeration {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $constant:literal;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant = $number,)+
        }

        impl $name {
            /// The constants of the ABI.
            pub const TABLE: $crate::model::table::Table = $crate::model::table::Table {
                bits: false,
                constants: &[$($crate::model::table::Constant {
                    name: $constant,
                    number: $number,
                    doc: concat!($($doc, "\n",)+),
                },)+],
            };

            /// What has this number.
            pub fn from_number(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $constant:literal, $phrase:literal;)+
    }) => {
        $crate::model::table::enumeration! {
            $(#[$meta])* pub enum $name { $($(#[doc = $doc])+ $variant = $number, $constant;)+ }
        }

        impl $name {
            /// A short phrase, as C text because that is what it is asked for.
            pub fn phrase(self) -> &'static std::ffi::CStr {
                match self {
                    $(Self::$variant => $phrase,)+
                }
            }
        }
    };
}

/// Numbers of the ABI that are no enum: `bits` for flags, `numbers` for all others.
macro_rules! constants {
    (bits $($rest:tt)+) => { $crate::model::table::constants! { @ true $($rest)+ } };
    (numbers $($rest:tt)+) => { $crate::model::table::constants! { @ false $($rest)+ } };
    (@ $bits:literal $table:ident: $type:ident {
        $($(#[doc = $doc:literal])+ $name:ident = $number:literal, $constant:literal;)+
    }) => {
        $($(#[doc = $doc])+ pub const $name: $type = $number;)+

        /// The constants of the ABI.
        pub const $table: $crate::model::table::Table = $crate::model::table::Table {
            bits: $bits,
            constants: &[$($crate::model::table::Constant {
                name: $constant,
                number: $number,
                doc: concat!($($doc, "\n",)+),
            },)+],
        };
    };
}

pub(crate) use {constants, enumeration};
