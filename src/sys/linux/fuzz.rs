// SPDX-License-Identifier: MIT
//! For fuzz/targets/netlink.rs: parsing any datagram ends, and its results are consistent.

use super::departure::Departures;
use super::message::{Attributes, Message, Request};
use super::rule::Rule;
use super::{address, ifinfo, lookup, notice, route, rtmsg};
use crate::model::prefix::Family;
use crate::sys::bytes::u32_at;

/// Parses a datagram as an answer and as a notification, about the interface with this index.
#[allow(clippy::panic, clippy::unwrap_used, reason = "a failed check ends the process")]
pub fn netlink(index: u32, datagram: &[u8]) {
    let mut rest = datagram;
    let mut before: Option<&[u8]> = None;
    while let Some(message) = Message::take(&mut rest) {
        assert!(message.body.len() <= datagram.len());
        if let Err(refusal) = message.outcome() {
            assert!(!refusal.error("ask").message().is_empty());
        }
        notice::push(&mut Vec::new(), &message, |_, _| true).unwrap();
        attributes(message.body, 3);
        if let Some(link) = ifinfo::parse(message.body) {
            assert!(!link.name.to_string().is_empty());
        }
        if let Some((_, assigned)) = address::parse(message.body) {
            let address = assigned.address;
            assert!(address.prefix().bits() <= address.family().bits());
            assert!(address.peer().is_none_or(|peer| Family::of(peer) == address.family()));
        }
        if let Some(installed) = rtmsg::parse(message.body, index) {
            assert!(installed.route.prefix().bits() <= installed.route.family().bits());
            assert_complete(&route::delete_request(message.body));
            assert_complete(&route::restore_request(message.body));
        }
        if let Some(rule) = Rule::parse(message.body) {
            let request = rule.request(libc::RTM_NEWRULE, 0);
            assert_complete(&request);
            assert!(request.body().and_then(Rule::parse) == Some(rule));
        }
        if let Some(answer) = lookup::parse_found(message.body) {
            assert!(answer.prefix.bits() <= Family::of(answer.network).bits());
        }
        let _ = before.map(|before| route::is_deleted_by(message.body, before));
        before = Some(message.body);
    }
    let mut departures = Departures::default();
    departures.note(datagram);
}

/// No attribute exceeds its parent.
fn attributes(body: &[u8], depth: usize) {
    let Some(deeper) = depth.checked_sub(1) else { return };
    for start in [0, 8, 12, 16] {
        let all = body.get(start..).unwrap_or_default();
        let mut length = 0_usize;
        for (_, value) in Attributes(all) {
            length = length.saturating_add(value.len()).saturating_add(4);
            attributes(value, deeper);
        }
        assert!(length <= all.len());
    }
}

/// The request parses as one message with a correct length.
fn assert_complete(request: &Request) {
    let bytes = request.bytes(7).unwrap();
    let mut rest = bytes.as_slice();
    let message = Message::take(&mut rest);
    assert!(message.is_some_and(|message| message.sequence == 7) && rest.is_empty());
    assert_eq!(u32_at(&bytes, 0).and_then(|length| usize::try_from(length).ok()), Some(bytes.len()));
}
