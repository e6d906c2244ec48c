// SPDX-License-Identifier: MIT
//! The constants of the ABI: each is defined once, with its name in C, its number and its documentation. tests/header
//! writes them to include/tuntap.h from the tables that these macros define.

/// A constant of the ABI.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// Its name in C.
    pub name: &'static str,
    /// Its number.
    pub number: u64,
    /// Its documentation. Each line begins with a space, as in a comment.
    pub doc: &'static str,
}

/// A group of constants, in the order of the header.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Whether they are bits.
    pub bits: bool,
    /// The constants.
    pub constants: &'static [Constant],
}

/// Defines an enum with the numbers of the ABI, optionally with a phrase for each.
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

            /// The variant of this number.
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
            /// A short phrase, as C text.
            pub fn phrase(self) -> &'static std::ffi::CStr {
                match self {
                    $(Self::$variant => $phrase,)+
                }
            }
        }
    };
}

/// Defines numbers of the ABI that are not an enum: `bits` for flags, `numbers` for others.
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
