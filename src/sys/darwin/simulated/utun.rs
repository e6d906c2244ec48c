// SPDX-License-Identifier: MIT
//! Packets that the host sends through a utun: from the queue of the interface to the queue of its socket.

use std::os::fd::BorrowedFd;

use super::calls::open_of;
use super::interface::Interface;
use super::machine::{Inode, Open, Role, State, send};
use crate::sys::Outcome;

/// net/classq: the length of the queue of an interface, net.link.generic.system.sndq_maxlen.
pub(super) const SEND_QUEUE: usize = 128;

impl State {
    /// dlil.c, ifnet_enqueue: a full queue drops new packets.
    pub(super) fn transmit(&mut self, name: &str, bytes: &[u8]) {
        let interface = self.find_mut(name).unwrap();
        if interface.sending.len() < SEND_QUEUE {
            interface.sending.push_back(bytes.to_vec());
        }
        self.start(name);
    }

    /// if_utun.c, utun_start: continues while the socket has fewer packets than its limit. utun_output, and
    /// kern_control.c, ctl_rcvbspace: a packet is lost if the buffer has no room for it.
    fn start(&mut self, name: &str) {
        let pending = self.find(name).unwrap().max_pending as usize;
        while self.socket_of(name).unread.len() < pending {
            let Some(packet) = self.find_mut(name).unwrap().sending.pop_front() else { return };
            let open = self.socket_of(name);
            let used: usize = open.unread.iter().map(Vec::len).sum();
            if used + packet.len() > open.receive_buffer as usize {
                continue;
            }
            open.unread.push_back(packet);
            if open.unread.len() == 1 {
                open.show_next();
            }
        }
    }

    /// utun_ctl_rcvd: the process has read a packet.
    pub(super) fn was_read(&mut self, key: Inode) {
        let Some(open) = self.open.get_mut(&key) else { return };
        let Role::Control(Some(name)) = &open.role else { return };
        let name = name.clone();
        open.unread.pop_front();
        open.show_next();
        self.start(&name);
    }

    /// The interface of a connected control socket.
    pub(super) fn utun_of(&mut self, fd: BorrowedFd<'_>) -> Outcome<Option<&mut Interface>> {
        match &open_of(self, fd)?.role {
            Role::Control(Some(name)) => {
                let name = name.clone();
                self.find_mut(&name).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn socket_of(&mut self, name: &str) -> &mut Open {
        let is_it = |open: &&mut Open| matches!(&open.role, Role::Control(Some(utun)) if utun == name);
        self.open.values_mut().find(is_it).unwrap()
    }
}

impl Open {
    fn show_next(&self) {
        if let Some(next) = self.unread.front() {
            send(&self.near, next);
        }
    }
}
