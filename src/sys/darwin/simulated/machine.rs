// SPDX-License-Identifier: MIT
//! The simulated machine: its state.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::gather::Kqueue;
use super::interface::{Assigned, Interface};
use super::messages;
use super::routes::{Destination, Routes};
use crate::model::error::Errno;
use crate::sys::darwin::layout::*;

/// The identity of a descriptor, which its duplicates share.
pub(super) type Inode = (u64, u64);

/// An open descriptor of the process.
pub(super) struct Open {
    pub(super) role: Role,
    /// The end of the machine. It hangs up when the process has closed its end.
    pub(super) near: OwnedFd,
    pub(super) send_buffer: u32,
    pub(super) receive_buffer: u32,
    /// Of a utun: packets that the process has not read. The first is in its descriptor.
    pub(super) unread: VecDeque<Vec<u8>>,
}

pub(super) enum Role {
    Inet,
    Inet6,
    Control(Option<String>),
    Ndrv(Ndrv),
    Route {
        privileged: bool,
    },
    /// Kernel events, and whether the filter passes network events.
    Events(bool),
    Bpf(Bpf),
    Kqueue(Kqueue),
}

#[derive(Default)]
pub(super) struct Ndrv {
    pub(super) interface: Option<String>,
    pub(super) connected: bool,
    /// Its interface is gone.
    pub(super) ended: bool,
}

pub(super) struct Bpf {
    pub(super) number: u32,
    pub(super) size: usize,
    pub(super) interface: Option<String>,
    pub(super) sees_sent: bool,
    pub(super) immediate: bool,
    pub(super) frames: VecDeque<Vec<u8>>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) open: HashMap<Inode, Open>,
    pub(super) interfaces: BTreeMap<u32, Interface>,
    pub(super) routes: Routes,
    pub(super) unprivileged: bool,
    /// Routing sockets are full: they lose all messages.
    pub(super) loses_messages: bool,
    pub(super) bpf_cap: usize,
    /// BPF devices that another program has open.
    pub(super) bpf_taken: u32,
    /// How long a name is busy after its interface was removed, and the busy names.
    pub(super) linger: Duration,
    held_names: HashMap<String, Instant>,
    next_index: u32,
    pub(super) log: Vec<String>,
    pub(super) fail: Option<(usize, Errno)>,
}

/// bpf.c, BPF_BUFSIZE_CAP.
const BPF_CAP: usize = 32 * 1024 * 1024;

pub(super) static STATE: Mutex<Option<State>> = Mutex::new(None);

/// Runs a system call on the state.
pub(super) fn with<T>(call: impl FnOnce(&mut State) -> T) -> T {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let state = state.get_or_insert_with(State::new);
    state.sweep();
    let result = call(state);
    state.queue_ready();
    result
}

impl State {
    fn new() -> Self {
        let mut state = Self { bpf_cap: BPF_CAP, ..Self::default() };
        let assigned = |local: &str, prefix, other: Option<&str>| Assigned {
            local: local.parse().unwrap(),
            prefix,
            other: other.map(|other| other.parse().unwrap()),
            flags: 0,
        };
        state.add(Interface {
            name: "lo0".to_owned(),
            up: true,
            running: true,
            mtu: 16_384,
            addresses: vec![
                assigned("127.0.0.1", 8, None),
                assigned("::1", 128, None),
                assigned("fe80::1", 64, None),
            ],
            ..Interface::default()
        });
        let en0 = state.add(Interface {
            name: "en0".to_owned(),
            up: true,
            running: true,
            mtu: 1500,
            mac: Some([2, 0, 0, 0, 0, 1]),
            addresses: vec![assigned("192.0.2.10", 24, Some("192.0.2.255"))],
            ..Interface::default()
        });
        state.routes = Routes::of_host(en0);
        state
    }

    /// Counts each call. The selected call fails.
    pub(super) fn step(&mut self, name: String) -> Result<(), Errno> {
        self.log.push(name);
        match self.fail {
            Some((number, errno)) if number == self.log.len() => {
                self.fail = None;
                Err(errno)
            }
            _ => Ok(()),
        }
    }

    /// Index numbers are not reused.
    pub(super) fn add(&mut self, interface: Interface) -> u32 {
        self.next_index += 1;
        let index = self.next_index;
        let name = interface.name.clone();
        self.interfaces.insert(index, Interface { index, ..interface });
        // dlil.c, ifnet_attach. rtsock.c does not report it.
        self.post(&name, KEV_DL_SUBCLASS, KEV_DL_IF_ATTACHED);
        index
    }

    pub(super) fn find(&self, name: &str) -> Option<&Interface> {
        self.interfaces.values().find(|interface| interface.name == name)
    }

    /// net/if.c, ifioctl: ENXIO for an unknown name.
    pub(super) fn find_mut(&mut self, name: &str) -> Result<&mut Interface, Errno> {
        self.interfaces.values_mut().find(|interface| interface.name == name).ok_or(Errno::ENXIO)
    }

    pub(super) fn free_number(&self, driver: &str) -> u32 {
        let is_free = |name: &str| self.find(name).is_none() && !self.is_name_held(name);
        (0..).find(|number| is_free(&format!("{driver}{number}"))).unwrap()
    }

    /// Whether the kernel still holds the name of an interface that is no longer listed: if_utun.c, utun_detached, and
    /// dlil_ctl.c, dlil_if_acquire.
    pub(super) fn is_name_held(&self, name: &str) -> bool {
        self.held_names.get(name).is_some_and(|since| since.elapsed() < self.linger)
    }

    /// Closes what the process has closed. if_utun.c, utun_ctl_disconnect: a utun is removed with its socket.
    fn sweep(&mut self) {
        let closed: Vec<Inode> =
            self.open.iter().filter(|(_, open)| hangs_up(&open.near)).map(|(key, _)| *key).collect();
        for key in closed {
            let open = self.open.remove(&key).unwrap();
            if let Role::Control(Some(name)) = open.role {
                self.destroy(&name);
            }
        }
    }

    /// Removes an interface, with its addresses and routes.
    pub(super) fn destroy(&mut self, name: &str) {
        // dlil.c, ifnet_detach: it is set down while it is still listed.
        self.set_up(name, false);
        let Some(interface) = self.find(name).cloned() else { return };
        for assigned in &interface.addresses {
            self.notify_address(&interface, assigned, false);
        }
        self.interfaces.remove(&interface.index);
        self.held_names.insert(name.to_owned(), Instant::now());
        self.routes.forget(interface.index);
        if let Some(peer) = &interface.peer {
            self.find_mut(peer).unwrap().peer = None;
            self.post(peer, KEV_DL_SUBCLASS, KEV_DL_LINK_OFF);
        }
        let mut gone = Vec::new();
        for (key, open) in &mut self.open {
            match &mut open.role {
                Role::Control(bound) if bound.as_deref() == Some(name) => gone.push(*key),
                // ndrv.c, ndrv_handle_ifp_detach: it can no longer send or receive, so poll reports it as readable.
                Role::Ndrv(ndrv) if ndrv.interface.as_deref() == Some(name) => {
                    *ndrv = Ndrv { interface: None, ended: true, ..*ndrv };
                    end_input(&open.near);
                }
                // bpf.c, bpfdetach: this does not make it readable (filt_bpfread).
                Role::Bpf(bpf) if bpf.interface.as_deref() == Some(name) => bpf.interface = None,
                _ => {}
            }
        }
        // kern_control.c: the socket is disconnected, and reads end-of-file.
        gone.iter().for_each(|key| drop(self.open.remove(key)));
        // dlil.c, ifnet_detach_final and its thread: when it is no longer listed.
        self.post(name, KEV_DL_SUBCLASS, KEV_DL_IF_DETACHED);
    }

    /// if.c, if_updown, and kpi_interface.c, ifnet_set_flags: a change is reported before the driver is called.
    pub(super) fn set_up(&mut self, name: &str, up: bool) {
        let Ok(interface) = self.find_mut(name) else { return };
        if std::mem::replace(&mut interface.up, up) != up {
            self.notify_link(name);
        }
    }

    /// dlil.c, dlil_handle_proto_attach: sets an interface up with each new protocol. Returns whether it is new.
    pub(super) fn attach(&mut self, name: &str, protocol: i32) -> bool {
        let new = self.find_mut(name).is_ok_and(|interface| interface.protocols.insert(protocol));
        if new {
            self.set_flags(name, true);
        }
        new
    }

    /// if.c, SIOCSIFFLAGS. if_fake.c, feth_ioctl: a feth is running while it is up. if_utun.c: a utun is always
    /// running.
    pub(super) fn set_flags(&mut self, name: &str, up: bool) {
        self.set_up(name, up);
        if let Ok(interface) = self.find_mut(name) {
            interface.running = interface.is_utun() || up;
        }
        self.post(name, KEV_DL_SUBCLASS, KEV_DL_SIFFLAGS);
    }

    pub(super) fn set_mtu(&mut self, name: &str, mtu: u32) {
        self.find_mut(name).unwrap().mtu = mtu;
        self.post(name, KEV_DL_SUBCLASS, KEV_DL_SIFMTU);
        self.notify_link(name);
    }

    pub(super) fn notify_address(&self, interface: &Interface, assigned: &Assigned, present: bool) {
        self.notify(messages::address(interface, assigned, present));
        let (subclass, code) = match (assigned.local.is_ipv4(), present) {
            (true, true) => (KEV_INET_SUBCLASS, KEV_INET_NEW_ADDR),
            (true, false) => (KEV_INET_SUBCLASS, KEV_INET_ADDR_DELETED),
            (false, true) => (KEV_INET6_SUBCLASS, KEV_INET6_NEW_USER_ADDR),
            (false, false) => (KEV_INET6_SUBCLASS, KEV_INET6_ADDR_DELETED),
        };
        self.post(&interface.name, subclass, code);
    }

    /// kern_event.c, kev_post_msg: dropped if there is no room.
    pub(super) fn post(&self, name: &str, subclass: u32, code: u32) {
        for open in self.open.values().filter(|open| matches!(open.role, Role::Events(true))) {
            send(&open.near, &messages::event(name, subclass, code));
        }
    }

    /// A slow reader loses the message, and gets no error (rtsock.c uses sbappendaddr, which drops it).
    pub(super) fn notify(&self, message: Vec<u8>) {
        if self.loses_messages {
            return;
        }
        for open in self.open.values().filter(|open| matches!(open.role, Role::Route { .. })) {
            send(&open.near, &message);
        }
    }

    /// rtsock.c: a route was added or is removed.
    pub(super) fn notify_route(&self, kind: u8, destination: &Destination) {
        let entry = &self.routes.0[destination];
        let mut message = messages::route(destination, entry, &self.interfaces[&entry.index]);
        message[RT_MSGHDR_TYPE] = kind;
        self.notify(message);
    }

    pub(super) fn notify_link(&self, name: &str) {
        if let Some(interface) = self.find(name) {
            self.notify(messages::link_changed(interface));
        }
    }

    /// bpf.c: frames that an interface receives, or with `sent` transmits.
    pub(super) fn tap(&mut self, name: &str, frame: &[u8], sent: bool) {
        for open in self.open.values_mut() {
            let Role::Bpf(bpf) = &mut open.role else { continue };
            if bpf.interface.as_deref() != Some(name) || (sent && !bpf.sees_sent) {
                continue;
            }
            // filt_bpfread_common: with BIOCIMMEDIATE, readable while there are frames. Otherwise when the buffer is
            // full, which is not simulated.
            if bpf.frames.is_empty() && bpf.immediate {
                send(&open.near, b"!");
            }
            bpf.frames.push_back(frame.to_vec());
        }
    }
}

pub(super) fn send(near: &OwnedFd, message: &[u8]) {
    // SAFETY: the kernel reads the message.
    unsafe {
        libc::send(
            near.as_raw_fd(),
            message.as_ptr().cast(),
            message.len(),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
}

/// The process reads end-of-file from the descriptor.
fn end_input(near: &OwnedFd) {
    // SAFETY: takes numbers only.
    unsafe { libc::shutdown(near.as_raw_fd(), libc::SHUT_WR) };
}

fn hangs_up(near: &OwnedFd) -> bool {
    let mut entry = libc::pollfd { fd: near.as_raw_fd(), events: 0, revents: 0 };
    // SAFETY: one entry.
    unsafe { libc::poll(&raw mut entry, 1, 0) };
    entry.revents & libc::POLLHUP != 0
}
