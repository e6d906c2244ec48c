// SPDX-License-Identifier: MIT
//! Interfaces that leave a network namespace. The kernel sends RTM_DELLINK both for a deletion and for a move to
//! another namespace.

use super::ifinfo::{self, is_departure};
use super::message::Message;
use super::socket::KernelSocket;
use crate::model::memory;
use crate::model::name::Name;
use crate::sys::Outcome;

/// The interfaces that left since the socket joined the group.
#[derive(Default)]
pub(super) struct Departures {
    left: Vec<(u32, Name)>,
    /// Notifications may have been lost.
    incomplete: bool,
}

impl Departures {
    /// Records the notifications in a datagram. Of a long one the first bytes are sufficient.
    pub(super) fn note(&mut self, mut bytes: &[u8]) {
        while let Some(message) = Message::take(&mut bytes) {
            self.incomplete |= message.is_overrun();
            if is_departure(&message) {
                let noted = ifinfo::parse(message.body)
                    .map(|link| memory::push(&mut self.left, (link.index, link.name)));
                self.incomplete |= noted != Some(Ok(()));
            }
        }
    }

    /// Records that notifications may have been lost.
    pub(super) fn mark_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Whether an interface with this index or name left, or may have left.
    pub(super) fn may_have(&self, index: u32, name: &Name) -> bool {
        self.incomplete || self.left.iter().any(|(left, called)| *left == index || called == name)
    }

    /// Discards all records.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Filters the socket: it receives answers to its own requests, and RTM_DELLINK of the interface with this index. So
/// notifications of other interfaces cannot fill the queue.
pub(super) fn listen_for(socket: &KernelSocket, index: u32) -> Outcome<()> {
    let own = socket.port()?;
    // Classic BPF loads numbers in network byte order; netlink has them in host byte order.
    let mut program = [
        load(libc::BPF_H, TYPE_AT),
        skip_unless(libc::RTM_DELLINK.to_be().into(), 5),
        load(libc::BPF_B, FAMILY_AT),
        skip_unless(libc::AF_UNSPEC as u32, 6),
        load(libc::BPF_W, INDEX_AT),
        skip_unless(index.to_be(), 4),
        result(ACCEPT),
        load(libc::BPF_W, PORT_AT),
        skip_unless(own.to_be(), 1),
        result(ACCEPT),
        result(REJECT),
    ];
    socket.set_filter(&mut program)
}

/// Offsets in a message: of struct nlmsghdr, and of the struct ifinfomsg behind it.
const TYPE_AT: u32 = 4;
const PORT_AT: u32 = 12;
const FAMILY_AT: u32 = 16;
const INDEX_AT: u32 = 20;

/// Number of bytes of a datagram that the filter accepts.
const ACCEPT: u32 = u32::MAX;
const REJECT: u32 = 0;

fn load(size: u32, offset: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | size | libc::BPF_ABS, 0, offset)
}

/// Continues with the next instruction if the loaded value is equal. Otherwise skips this number of instructions.
fn skip_unless(value: u32, instructions: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, instructions, value)
}

fn result(length: u32) -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, 0, length)
}

fn instruction(code: u32, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf, k }
}
