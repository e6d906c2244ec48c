// SPDX-License-Identifier: MIT
//! Builds and parses messages of rtnetlink. Only a few kinds are needed; crates that support all of them are several
//! times the size of this library.

use std::fmt::Display;
use std::result::Result;

use crate::model::error::{Errno, Error};
use crate::model::memory::{self, NoMemory};
use crate::model::text::{Text, Untrusted, text};
use crate::sys::boxed;
use crate::sys::bytes::{u16_at, u32_at};

const HEADER: usize = 16;

/// An error from the kernel: the errno, and the text of the kernel (NLMSGERR_ATTR_MSG) if there is one.
pub(super) struct Refusal {
    pub(super) errno: Errno,
    pub(super) text: Option<Box<Text>>,
}

impl Refusal {
    /// Whether a text of the kernel can add information to this errno.
    pub(super) fn may_have_text(&self) -> bool {
        !matches!(self.errno, Errno::EPERM | Errno::ENODEV | Errno::ENOMEM | Errno::ENOBUFS)
    }

    /// Whether the kernel has no rules of policy routing for the family of the request.
    pub(super) fn lacks_rules(&self) -> bool {
        matches!(self.errno, Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP)
    }

    /// Adds a text of the library, unless the kernel has sent one.
    pub(super) fn with_text(self, text: &str) -> Self {
        Self { text: self.text.or_else(|| boxed(text.into()).ok()), ..self }
    }

    pub(super) fn error(self, action: impl Display) -> Error {
        super::refusal::refusal(self.errno, self.text, action)
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno, text: None }
    }
}

impl From<NoMemory> for Refusal {
    fn from(missing: NoMemory) -> Self {
        Errno::from(missing).into()
    }
}

/// A message to the kernel. Attributes are appended one by one.
pub(super) struct Request {
    kind: u16,
    flags: i32,
    /// The message, with room for the header. None after an allocation failed.
    bytes: Option<Vec<u8>>,
}

impl Request {
    /// `fixed`: the structure after the header, before the attributes.
    pub(super) fn new(kind: u16, flags: i32, fixed: &[u8]) -> Self {
        Self { kind, flags, bytes: Some(Vec::new()) }.with(&[0; HEADER]).with(fixed)
    }

    pub(super) fn attribute(self, kind: u16, value: &[u8]) -> Self {
        self.attribute_of(kind, |request| request.with(value))
    }

    /// Appends an attribute whose value `fill` appends: attributes, or the parts of the value.
    pub(super) fn attribute_of(self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.bytes.as_ref().map_or(0, Vec::len);
        fill(self.with(&[0; 2]).with(&kind.to_ne_bytes())).end_attribute(start)
    }

    /// Sets the length of the attribute that begins at `start`, and pads it.
    fn end_attribute(mut self, start: usize) -> Self {
        let Some(attribute) = self.bytes.as_mut().and_then(|bytes| bytes.get_mut(start..)) else {
            return self;
        };
        let length = attribute.len();
        if let Some(to) = attribute.first_chunk_mut() {
            *to = u16::try_from(length).unwrap_or(u16::MAX).to_ne_bytes();
        }
        let padding = length.next_multiple_of(4).saturating_sub(length);
        self.with([0; 3].get(..padding).unwrap_or_default())
    }

    /// Appends bytes: a part of the value of an attribute.
    pub(super) fn with(mut self, part: &[u8]) -> Self {
        let added = self.bytes.as_mut().map(|bytes| memory::append(bytes, part));
        if added != Some(Ok(())) {
            self.bytes = None;
        }
        self
    }

    /// Whether it requests a list.
    pub(super) fn is_list(&self) -> bool {
        self.flags & libc::NLM_F_DUMP == libc::NLM_F_DUMP
    }

    /// Whether this error means that the change was already made.
    pub(super) fn is_done(&self, errno: Errno) -> bool {
        match self.kind {
            libc::RTM_NEWADDR | libc::RTM_NEWROUTE | libc::RTM_NEWRULE => errno == Errno::EEXIST,
            libc::RTM_DELADDR => errno == Errno::EADDRNOTAVAIL,
            libc::RTM_DELRULE => errno == Errno::ENOENT,
            libc::RTM_DELROUTE => errno == Errno::ESRCH,
            _ => false,
        }
    }

    /// The bytes after the header. None after an allocation failed.
    pub(super) fn body(&self) -> Option<&[u8]> {
        self.bytes.as_deref().and_then(|bytes| bytes.get(HEADER..))
    }

    /// The whole message, with the sequence number of its answer.
    pub(super) fn bytes(&self, sequence: u32) -> Result<Vec<u8>, NoMemory> {
        let mut bytes = memory::copy(self.bytes.as_deref().ok_or(NoMemory)?)?;
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let flags = u16::try_from(self.flags | libc::NLM_F_REQUEST).unwrap_or(0);
        let parts: [&[u8]; 4] =
            [&length.to_ne_bytes(), &self.kind.to_ne_bytes(), &flags.to_ne_bytes(), &sequence.to_ne_bytes()];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        Ok(bytes)
    }
}

/// A message from the kernel: part of an answer, or a notification.
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    flags: i32,
    pub(super) sequence: u32,
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Removes the first message from `bytes`. None at their end, or if they are not a valid message. The body of a
    /// message that was cut is shorter.
    pub(super) fn take(bytes: &mut &'a [u8]) -> Option<Self> {
        let end = usize::try_from(u32_at(bytes, 0)?).ok()?.min(bytes.len());
        let message = Self {
            kind: u16_at(bytes, 4)?,
            flags: u16_at(bytes, 6)?.into(),
            sequence: u32_at(bytes, 8)?,
            body: bytes.get(HEADER..end)?,
        };
        *bytes = bytes.get(end.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    }

    /// Part of a list that changed during the dump.
    pub(super) fn is_interrupted(&self) -> bool {
        self.flags & libc::NLM_F_DUMP_INTR != 0
    }

    /// For a notification RTM_NEWROUTE: the route replaced another one, or is one of several with its destination and
    /// metric (fib_table_insert, fib6_add_rt2node).
    pub(super) fn has_rivals(&self) -> bool {
        self.is_alone() && self.flags & libc::NLM_F_EXCL == 0
    }

    /// Most messages begin with the family.
    pub(super) fn is_of_family(&self, family: libc::c_int) -> bool {
        self.body.first().copied().map(libc::c_int::from) == Some(family)
    }

    /// The kernel lost messages here.
    pub(super) fn is_overrun(&self) -> bool {
        i32::from(self.kind) == libc::NLMSG_OVERRUN
    }

    /// It is the only message of its answer.
    pub(super) fn is_alone(&self) -> bool {
        self.flags & libc::NLM_F_MULTI == 0
    }

    /// It is the last message of its answer.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.kind.into(), libc::NLMSG_ERROR | libc::NLMSG_DONE)
    }

    /// The result in the last message of an answer. 0 is success, and so is an NLMSG_DONE without a number.
    pub(super) fn outcome(&self) -> Result<(), Refusal> {
        // With NETLINK_CAP_ACK an error has a copy of the request's header only. NLMSG_DONE has none.
        let (missing, copied) = match i32::from(self.kind) == libc::NLMSG_DONE {
            true => (0, 0),
            false => (libc::EPROTO, HEADER),
        };
        let errno = u32_at(self.body, 0).map_or(missing, |code| (code as i32).wrapping_neg());
        if errno == 0 {
            return Ok(());
        }
        let attributes = self.body.get(copied.saturating_add(4)..).unwrap_or_default();
        let text = Attributes(attributes)
            .find(|(kind, _)| self.flags & libc::NLM_F_ACK_TLVS != 0 && *kind == NLMSGERR_ATTR_MSG)
            .map(|(_, value)| text(value));
        Err(Refusal { errno: Errno::from_raw(errno), text: text.and_then(|text| boxed(text).ok()) })
    }
}

const NLMSGERR_ATTR_MSG: u16 = 1;

/// The attributes of a message, or those nested in an attribute.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, value) = self.take_raw()?;
        Some((kind & !(NLA_F_NESTED | NLA_F_NET_BYTEORDER), value))
    }
}

const NLA_F_NESTED: u16 = 1 << 15;
const NLA_F_NET_BYTEORDER: u16 = 1 << 14;

impl<'a> Attributes<'a> {
    /// Removes the first attribute. Its kind has the flags of the kernel.
    pub(super) fn take_raw(&mut self) -> Option<(u16, &'a [u8])> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)?;
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }

    pub(super) fn get(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    pub(super) fn nested(self, kind: u16) -> Self {
        Self(self.get(kind).unwrap_or_default())
    }

    pub(super) fn u32(self, kind: u16) -> Option<u32> {
        u32_at(self.get(kind)?, 0)
    }
}

/// The text of an attribute, without its NUL.
fn text(value: &[u8]) -> Text {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    text!("{}", Untrusted(value.get(..end).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_parsed() {
        let request = Request::new(0, 0, &[]).attribute(3, b"abcde").attribute(7, &9_u32.to_ne_bytes());
        let bytes = request.bytes(1).unwrap();
        let attributes = Attributes(&bytes[HEADER..]);
        assert_eq!(bytes.len(), HEADER + 12 + 8);
        assert_eq!(attributes.get(3), Some(&b"abcde"[..]));
        assert_eq!(attributes.get(7).and_then(|value| u32_at(value, 0)), Some(9));
        assert_eq!(attributes.get(4), None);
        assert_eq!(attributes.nested(4).count(), 0);
    }

    #[test]
    fn attributes_are_nested() {
        let inner = |request: Request| request.attribute(8, &[1]);
        let nested = Request::new(0, 0, &[]).attribute_of(26, |request| request.attribute_of(10, inner));
        let words = |words: &[u16]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
        let expected = [words(&[16, 26, 12, 10, 5, 8]), vec![1, 0, 0, 0]].concat();
        assert_eq!(nested.body(), Some(expected.as_slice()));
        let attributes = Attributes(nested.body().unwrap());
        assert_eq!(attributes.nested(26).nested(10).get(8), Some(&[1][..]));
        let parts = Request::new(0, 0, &[]).attribute_of(3, |request| request.with(b"ab").with(b"cde"));
        let whole = Request::new(0, 0, &[]).attribute(3, b"abcde");
        assert_eq!(parts.body(), whole.body());
    }

    #[test]
    fn a_request_contains_its_length() {
        let bytes = Request::new(18, libc::NLM_F_ACK, &[0; 16]).attribute(4, &[0; 4]).bytes(7).unwrap();
        assert_eq!(u32_at(&bytes, 0), Some(bytes.len().try_into().unwrap()));
        assert_eq!((u16_at(&bytes, 4), u32_at(&bytes, 8)), (Some(18), Some(7)));
    }

    #[test]
    fn wrong_lengths_end_the_iteration() {
        for length in [0_u16, 1, 3, 9, u16::MAX] {
            let mut bytes = length.to_ne_bytes().to_vec();
            bytes.extend([1, 0, 0, 0, 0, 0]);
            assert_eq!(Attributes(&bytes).count(), 0, "{length}");
        }
        for length in [0_u32, 15] {
            let mut bytes = length.to_ne_bytes().to_vec();
            bytes.extend([0; 12]);
            assert!(Message::take(&mut bytes.as_slice()).is_none(), "{length}");
        }
    }

    #[test]
    fn a_message_that_was_cut_has_a_shorter_body() {
        for length in [20_u32, 1000, u32::MAX] {
            let mut bytes = length.to_ne_bytes().to_vec();
            bytes.extend([0; 14]);
            let mut rest = bytes.as_slice();
            assert_eq!(Message::take(&mut rest).map(|message| message.body), Some(&[0, 0][..]), "{length}");
            assert!(rest.is_empty(), "{length}");
        }
    }

    #[test]
    fn the_text_of_the_kernel_is_kept() {
        let mut body = (-libc::EINVAL).to_ne_bytes().to_vec();
        body.extend([0; HEADER]);
        let attributes = Request::new(0, 0, &[]).attribute(NLMSGERR_ATTR_MSG, b"too big\0");
        body.extend(&attributes.bytes(0).unwrap()[HEADER..]);
        let message = |flags| Message { kind: 2, flags, sequence: 1, body: &body };
        let refusal = message(libc::NLM_F_ACK_TLVS).outcome().err().unwrap();
        assert_eq!((refusal.errno, refusal.text.unwrap().as_str()), (Errno::EINVAL, "too big"));
        assert_eq!(message(0).outcome().err().unwrap().text, None);
    }
}
