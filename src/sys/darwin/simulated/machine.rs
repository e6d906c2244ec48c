// SPDX-License-Identifier: MIT
//! The simulated machine: its state, and what its host and other programs do.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::interface::{Assigned, Interface, network};
use super::messages;
use super::routes::{Destination, Routes};
use crate::error::Errno;

/// A descriptor's number, which copies of it share.
pub(super) type Inode = (u64, u64);

/// What a process has open.
pub(super) struct Open {
    pub(super) role: Role,
    /// The machine's end: the process has closed its own when this one hangs up.
    pub(super) near: OwnedFd,
    pub(super) send_buffer: u32,
}

pub(super) enum Role {
    Inet,
    Inet6,
    Control(Option<String>),
    Ndrv(Option<String>),
    Route,
    Bpf(Bpf),
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
    pub(super) bpf_cap: usize,
    /// BPF devices that another program has.
    pub(super) bpf_taken: u32,
    next_index: u32,
    log: Vec<String>,
    fail: Option<(usize, Errno)>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);
static TURN: Mutex<()> = Mutex::new(());

/// Runs a system call on the state.
pub(super) fn with<T>(call: impl FnOnce(&mut State) -> T) -> T {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let state = state.get_or_insert_with(State::new);
    state.sweep();
    call(state)
}

impl State {
    fn new() -> Self {
        let mut state = Self { bpf_cap: 512 * 1024, ..Self::default() };
        let assigned = |local: &str, prefix, other: Option<&str>| Assigned {
            local: local.parse().unwrap(),
            prefix,
            other: other.map(|other| other.parse().unwrap()),
            flags: 0,
        };
        state.add(Interface {
            name: "lo0".to_owned(),
            up: true,
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
            mtu: 1500,
            mac: Some([2, 0, 0, 0, 0, 1]),
            addresses: vec![assigned("192.0.2.10", 24, Some("192.0.2.255"))],
            ..Interface::default()
        });
        state.routes = Routes::of_host(en0);
        state
    }

    /// Each call is counted, and the one that is to fails.
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

    /// Index numbers are not used again.
    pub(super) fn add(&mut self, interface: Interface) -> u32 {
        self.next_index += 1;
        let index = self.next_index;
        self.interfaces.insert(index, Interface { index, ..interface });
        index
    }

    pub(super) fn find(&self, name: &str) -> Option<&Interface> {
        self.interfaces.values().find(|interface| interface.name == name)
    }

    /// net/if.c, ifioctl: ENXIO for a name that nothing has.
    pub(super) fn find_mut(&mut self, name: &str) -> Result<&mut Interface, Errno> {
        self.interfaces.values_mut().find(|interface| interface.name == name).ok_or(Errno::ENXIO)
    }

    pub(super) fn free_number(&self, driver: &str) -> u32 {
        (0..).find(|number| self.find(&format!("{driver}{number}")).is_none()).unwrap()
    }

    /// What the process has closed is closed here. if_utun.c, utun_ctl_disconnect: a utun goes with its socket.
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

    /// Takes an interface away, with its addresses and routes.
    pub(super) fn destroy(&mut self, name: &str) {
        let Some(interface) = self.find(name).cloned() else { return };
        for assigned in &interface.addresses {
            self.announce(messages::address(&interface, assigned, false));
        }
        self.interfaces.remove(&interface.index);
        self.routes.forget(interface.index);
        if let Some(Ok(peer)) = interface.peer.map(|peer| self.find_mut(&peer)) {
            peer.peer = None;
        }
        let mut gone = Vec::new();
        for (key, open) in &mut self.open {
            match &mut open.role {
                Role::Control(bound) if bound.as_deref() == Some(name) => gone.push(*key),
                Role::Ndrv(bound) if bound.as_deref() == Some(name) => *bound = None,
                Role::Bpf(bpf) if bpf.interface.as_deref() == Some(name) => bpf.interface = None,
                _ => {}
            }
        }
        // kern_control.c: the socket is disconnected, and reads as at an end.
        gone.iter().for_each(|key| drop(self.open.remove(key)));
    }

    /// A reader that is too slow loses it, and is not told (rtsock.c uses sbappendaddr, which drops).
    pub(super) fn announce(&self, message: Vec<u8>) {
        for open in self.open.values().filter(|open| matches!(open.role, Role::Route)) {
            send(&open.near, &message);
        }
    }

    pub(super) fn announce_link(&self, name: &str) {
        if let Some(interface) = self.find(name) {
            self.announce(messages::link_changed(interface));
        }
    }

    /// bpf.c: frames that come in at an interface, or with `sent` go out at it.
    pub(super) fn tap(&mut self, name: &str, frame: &[u8], sent: bool) {
        for open in self.open.values_mut() {
            let Role::Bpf(bpf) = &mut open.role else { continue };
            if bpf.interface.as_deref() != Some(name) || (sent && !bpf.sees_sent) {
                continue;
            }
            // The device is ready for as long as there are frames.
            if bpf.frames.is_empty() {
                send(&open.near, b"!");
            }
            bpf.frames.push_back(frame.to_vec());
        }
    }
}

fn send(near: &OwnedFd, message: &[u8]) {
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

fn hangs_up(near: &OwnedFd) -> bool {
    let mut entry = libc::pollfd { fd: near.as_raw_fd(), events: 0, revents: 0 };
    // SAFETY: one entry.
    unsafe { libc::poll(&raw mut entry, 1, 0) };
    entry.revents & libc::POLLHUP != 0
}

/// The machine of one test.
#[cfg(test)]
pub(in crate::sys::darwin) struct Machine {
    _turn: MutexGuard<'static, ()>,
}

/// Starts the machine anew. Tests take turns.
#[cfg(test)]
pub(in crate::sys::darwin) fn boot() -> Machine {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    *STATE.lock().unwrap_or_else(PoisonError::into_inner) = None;
    Machine { _turn: turn }
}

#[cfg(test)]
impl Machine {
    pub(in crate::sys::darwin) fn interface(&self, name: &str) -> Option<Interface> {
        with(|state| state.find(name).cloned())
    }

    /// The addresses of an interface, as text: local, prefix, and the other end where it has one.
    pub(in crate::sys::darwin) fn addresses(&self, name: &str) -> Vec<String> {
        let text = |it: Assigned| match it.other {
            Some(other) => format!("{}/{} {other}", it.local, it.prefix),
            None => format!("{}/{}", it.local, it.prefix),
        };
        self.interface(name).unwrap().addresses.into_iter().map(text).collect()
    }

    /// The routes through an interface, as text.
    pub(in crate::sys::darwin) fn routes(&self, name: &str) -> Vec<String> {
        let index = self.interface(name).unwrap().index;
        with(|state| state.routes.through(index))
    }

    /// The host's stack sends a packet out through an interface.
    pub(in crate::sys::darwin) fn transmit(&self, name: &str, packet: &[u8]) {
        if !name.starts_with("utun") {
            return with(|state| {
                let peer = state.find(name).unwrap().peer.clone().unwrap();
                if state.find(name).unwrap().up && state.find(&peer).unwrap().up {
                    state.tap(&peer, packet, false);
                }
            });
        }
        // if_utun.c, utun_framer and utun_output: behind its family, in network order.
        let family: u32 = if packet[0] >> 4 == 4 { 2 } else { 30 };
        self.transmit_raw(name, &[&family.to_be_bytes()[..], packet].concat());
    }

    pub(in crate::sys::darwin) fn transmit_raw(&self, name: &str, bytes: &[u8]) {
        with(|state| {
            let control = |open: &&Open| matches!(&open.role, Role::Control(Some(utun)) if utun == name);
            send(&state.open.values().find(control).unwrap().near, bytes);
        });
    }

    /// What the host's stack got through an interface, as it was written, and forgets it.
    pub(in crate::sys::darwin) fn received(&self, name: &str) -> Vec<Vec<u8>> {
        with(|state| std::mem::take(&mut state.find_mut(name).unwrap().received))
    }

    /// if_utun.c, utun_pkt_input: ENOSPC while its input queue is full.
    pub(in crate::sys::darwin) fn hold(&self, name: &str, on: bool) {
        with(|state| state.find_mut(name).unwrap().held = on);
    }

    pub(in crate::sys::darwin) fn set_privileged(&self, on: bool) {
        with(|state| state.unprivileged = !on);
    }

    /// The system call that is so many from now fails.
    pub(in crate::sys::darwin) fn fail(&self, number: usize, errno: Errno) {
        with(|state| state.fail = Some((state.log.len() + number, errno)));
    }

    /// Whether that call came; if not, it will not fail any more.
    pub(in crate::sys::darwin) fn has_failed(&self) -> bool {
        with(|state| state.fail.take().is_none())
    }

    pub(in crate::sys::darwin) fn calls(&self) -> usize {
        with(|state| state.log.len())
    }

    pub(in crate::sys::darwin) fn log(&self) -> Vec<String> {
        with(|state| state.log.clone())
    }

    pub(in crate::sys::darwin) fn open_descriptors(&self) -> usize {
        with(|state| state.open.len())
    }

    pub(in crate::sys::darwin) fn take_bpf(&self, count: u32) {
        with(|state| state.bpf_taken = count);
    }

    pub(in crate::sys::darwin) fn cap_bpf(&self, bytes: usize) {
        with(|state| state.bpf_cap = bytes);
    }

    // What another program does.

    pub(in crate::sys::darwin) fn create_utun(&self) -> String {
        with(|state| {
            let interface = Interface::utun(state.free_number("utun"));
            let name = interface.name.clone();
            state.add(interface);
            state.announce_link(&name);
            name
        })
    }

    pub(in crate::sys::darwin) fn destroy(&self, name: &str) {
        with(|state| state.destroy(name));
    }

    pub(in crate::sys::darwin) fn set_flags(&self, name: &str, up: bool) {
        with(|state| {
            state.find_mut(name).unwrap().up = up;
            state.announce_link(name);
        });
    }

    pub(in crate::sys::darwin) fn set_mtu(&self, name: &str, mtu: u32) {
        with(|state| {
            state.find_mut(name).unwrap().mtu = mtu;
            state.announce_link(name);
        });
    }

    pub(in crate::sys::darwin) fn add_address(&self, name: &str, local: &str, prefix: u8) {
        let local: IpAddr = local.parse().unwrap();
        with(|state| {
            let assigned = Assigned { local, prefix, other: None, flags: 0 };
            let interface = state.find_mut(name).unwrap();
            interface.addresses.push(assigned.clone());
            let message = messages::address(interface, &assigned, true);
            state.announce(message);
        });
    }

    pub(in crate::sys::darwin) fn del_address(&self, name: &str, local: &str) {
        let local: IpAddr = local.parse().unwrap();
        with(|state| {
            let interface = state.find_mut(name).unwrap();
            let assigned = interface.addresses.remove(interface.find(local).unwrap());
            let message = messages::address(interface, &assigned, false);
            state.announce(message);
        });
    }

    /// A route of somebody else's, through an interface.
    pub(in crate::sys::darwin) fn add_route(&self, name: &str, ip: &str, prefix: u8, flags: u32) {
        let destination = Destination { network: network(ip.parse().unwrap(), prefix), prefix };
        let index = self.interface(name).unwrap().index;
        with(|state| state.routes.insert(destination, index, None, flags)).unwrap();
    }

    /// A utun's control socket, as iOS hands one over.
    pub(in crate::sys::darwin) fn give_utun(&self) -> OwnedFd {
        use crate::sys::darwin::layout::{PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL};
        use crate::sys::darwin::message::sockaddr_control;
        use std::os::fd::AsFd;
        let socket = super::socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL).unwrap();
        super::connect(socket.as_fd(), &sockaddr_control(super::calls::UTUN_CONTROL, 0)).unwrap();
        socket
    }
}
