// SPDX-License-Identifier: MIT
//! Device names.

use std::fmt;

use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::text::{Untrusted, text};

/// The maximum length of a name in bytes, on Linux and on the BSDs: IFNAMSIZ without the NUL.
pub const MAX_LEN: usize = 15;

/// A valid device name. It can have all bytes that the kernel allows, and need not be UTF-8.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    bytes: [u8; MAX_LEN],
    len: usize,
}

impl Name {
    /// Checks a name that the system reports. Refuses `%`, which is for patterns.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        match fault(bytes) {
            None if bytes.contains(&b'%') => {
                Err(invalid(bytes, "it contains a %, and cannot be a pattern here"))
            }
            None => Ok(Self::copied(bytes)),
            Some(fault) => Err(invalid(bytes, fault)),
        }
    }

    /// Checks a caller's name for a device.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if is_reserved(bytes) { Err(invalid(bytes, RESERVED)) } else { Self::new(bytes) }
    }

    fn copied(from: &[u8]) -> Self {
        let mut bytes = [0; MAX_LEN];
        for (to, from) in bytes.iter_mut().zip(from) {
            *to = *from;
        }
        Self { bytes, len: from.len().min(MAX_LEN) }
    }

    /// The bytes of the name, without a NUL.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The name with a NUL, as C needs it.
    pub fn with_nul(&self) -> [u8; MAX_LEN + 1] {
        let mut text = [0; const { MAX_LEN + 1 }];
        for (to, from) in text.iter_mut().zip(self.as_bytes()) {
            *to = *from;
        }
        text
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The requested name of an open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRequest {
    /// The kernel chooses.
    Any,
    /// This name: an existing device is attached to, otherwise one is created.
    Exact(Name),
    /// The kernel replaces `%d` by the first free number.
    Pattern(Name),
}

impl NameRequest {
    /// Checks a caller's text. An empty one is [`NameRequest::Any`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Self::Any);
        }
        if let Some(fault) = fault(bytes) {
            return Err(invalid(bytes, fault));
        }
        let percents = bytes.iter().filter(|byte| **byte == b'%').count();
        let numbers = bytes.windows(2).filter(|pair| pair == b"%d").count();
        match (percents, numbers) {
            (0, _) => Name::parse(bytes).map(Self::Exact),
            (1, 1) => Ok(Self::Pattern(Name::copied(bytes))),
            _ => Err(invalid(bytes, PERCENT)),
        }
    }

    /// The text for the kernel.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Any => b"",
            Self::Exact(name) | Self::Pattern(name) => name.as_bytes(),
        }
    }
}

impl fmt::Display for NameRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("a device"),
            Self::Exact(name) | Self::Pattern(name) => name.fmt(f),
        }
    }
}

const PERCENT: &str = "a % is only allowed in one \"%d\", which means the first free number";

const RESERVED: &str = "the kernel reserves it (/proc/sys/net/ipv4/conf)";

/// Linux 4.20 refuses these names (sysctl_dev_name_is_allowed), with EINVAL.
fn is_reserved(bytes: &[u8]) -> bool {
    matches!(bytes, b"all" | b"default")
}

/// Why these bytes are not a valid name, by the rule of dev_valid_name in Linux, where 0xA0 is also white space.
fn fault(bytes: &[u8]) -> Option<&'static str> {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r' | 0xa0);
    if bytes.is_empty() {
        Some("it is empty")
    } else if bytes.len() > MAX_LEN {
        Some("it is longer than 15 bytes")
    } else if bytes.contains(&b'/') {
        Some("it contains a slash")
    } else if bytes.contains(&b':') {
        Some("it contains a colon")
    } else if bytes.iter().any(space) {
        Some("it contains white space")
    } else if matches!(bytes, b"." | b"..") {
        Some("it is the name of a directory")
    } else if bytes.contains(&0) {
        Some("it contains a NUL")
    } else {
        None
    }
}

fn invalid(bytes: &[u8], fault: &str) -> Error {
    Error::new(
        Errno::EINVAL,
        Reason::Name,
        text!("\"{}\" is not a valid device name: {fault}", Untrusted(bytes)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_names_are_accepted_unchanged() {
        for name in ["a", "vpn0", "tun-office.1", "fifteen-bytes-x", "\u{e9}t\u{e9}0", "a.", ".a", "..."] {
            assert_eq!(Name::new(name.as_bytes()).unwrap().as_bytes(), name.as_bytes());
        }
    }

    #[test]
    fn invalid_names_are_refused_with_the_cause() {
        let cases: [(&[u8], &str); 12] = [
            (b"sixteen-bytes-xx", "longer"),
            (b"a/b", "slash"),
            (b"a:1", "colon"),
            (b"a b", "white space"),
            (b"a\tb", "white space"),
            (b"a\x0bb", "white space"),
            (b"a\xa0b", "white space"),
            (b".", "directory"),
            (b"..", "directory"),
            (b"a\0b", "NUL"),
            (b"50%", "%d"),
            (b"default", "reserves"),
        ];
        for (name, fault) in cases {
            let error = NameRequest::parse(name).unwrap_err();
            assert_eq!((error.errno(), error.reason()), (Errno::EINVAL, Reason::Name));
            assert!(error.message().contains(fault), "{error}");
        }
    }

    #[test]
    fn a_request_is_any_exact_or_a_pattern() {
        assert_eq!(NameRequest::parse(b"").unwrap(), NameRequest::Any);
        assert!(matches!(NameRequest::parse(b"vpn0").unwrap(), NameRequest::Exact(_)));
        assert!(matches!(NameRequest::parse(b"vpn%d").unwrap(), NameRequest::Pattern(_)));
        for wrong in ["%d%d", "%s", "%", "vpn%%d", "%d%"] {
            assert_eq!(NameRequest::parse(wrong.as_bytes()).unwrap_err().reason(), Reason::Name);
        }
    }
}
