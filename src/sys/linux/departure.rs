// SPDX-License-Identifier: MIT
//! Interfaces that leave a network namespace, as the kernel announces it: RTM_DELLINK tells of a deletion and of a
//! move to another namespace alike.

use super::link;
use super::message::Message;
use super::socket::KernelSocket;
use crate::model::memory;
use crate::model::name::Name;
use crate::sys::Outcome;

/// Those that have left since somebody listens.
#[derive(Default)]
pub(super) struct Departures {
    left: Vec<(u32, Name)>,
    /// Not all was received.
    gap: bool,
}

impl Departures {
    /// Takes note of what was announced.
    pub(super) fn note(&mut self, mut bytes: &[u8]) {
        while let Some(message) = Message::take(&mut bytes) {
            self.gap |= message.is_overrun();
            let link = if is_departure(&message) { link::parse(message.body) } else { None };
            if let Some(link) = link {
                self.gap |= memory::push(&mut self.left, (link.index, link.name)).is_err();
            }
        }
    }

    /// Something may have been announced that was not received.
    pub(super) fn have_gap(&mut self) {
        self.gap = true;
    }

    /// Whether an interface of this index or name has left, or may have.
    pub(super) fn may_have(&self, index: u32, name: &Name) -> bool {
        self.gap || self.left.iter().any(|(left, called)| *left == index || called == name)
    }

    /// Forgets what has left so far.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A bridge announces in messages of its own family that a port leaves it: the interface lives on.
pub(super) fn is_departure(message: &Message<'_>) -> bool {
    message.kind == libc::RTM_DELLINK && message.is_of_family(libc::AF_UNSPEC)
}

/// Lets the socket receive the answers to its own requests, and of all that is announced only that the interface of
/// this index leaves: however many others come and go, the queue does not fill.
pub(super) fn listen_for(socket: &KernelSocket, index: u32) -> Outcome<()> {
    let own = socket.port()?;
    // Classic BPF loads in the network's byte order what netlink has in the machine's.
    let mut program = [
        load(libc::BPF_H, TYPE_AT),
        skip_unless(libc::RTM_DELLINK.to_be().into(), 5),
        load(libc::BPF_B, FAMILY_AT),
        skip_unless(libc::AF_UNSPEC as u32, 6),
        load(libc::BPF_W, INDEX_AT),
        skip_unless(index.to_be(), 4),
        result(WHOLE),
        load(libc::BPF_W, PORT_AT),
        skip_unless(own.to_be(), 1),
        result(WHOLE),
        result(NOTHING),
    ];
    socket.set_filter(&mut program)
}

/// Offsets in a message: of struct nlmsghdr, and of the struct ifinfomsg behind it.
const TYPE_AT: u32 = 4;
const PORT_AT: u32 = 12;
const FAMILY_AT: u32 = 16;
const INDEX_AT: u32 = 20;

/// How much of a datagram is let in.
const WHOLE: u32 = u32::MAX;
const NOTHING: u32 = 0;

fn load(size: u32, offset: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | size | libc::BPF_ABS, 0, offset)
}

/// Goes on with the next instruction if what was loaded is this, or else so many further down.
fn skip_unless(value: u32, instructions: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, instructions, value)
}

fn result(length: u32) -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, 0, length)
}

fn instruction(code: u32, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf, k }
}
