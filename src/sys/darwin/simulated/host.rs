// SPDX-License-Identifier: MIT
//! The host of the simulated machine: actions and queries for tests.

use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::calls;
use super::interface::{Assigned, Interface};
use super::machine::{Open, Role, STATE, send, with};
use super::routes::Destination;
use crate::model::error::Errno;
use crate::sys::darwin::layout::*;
use crate::sys::darwin::message::sockaddr_control;

static TURN: Mutex<()> = Mutex::new(());

/// The machine of one test.
pub(in crate::sys::darwin) struct Machine {
    _turn: MutexGuard<'static, ()>,
}

/// Restarts the machine. Tests run one at a time.
pub(in crate::sys::darwin) fn boot() -> Machine {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    *STATE.lock().unwrap_or_else(PoisonError::into_inner) = None;
    Machine { _turn: turn }
}

/// Runs pending work of the kernel. Call it before a poll that the machine does not see.
pub(in crate::sys::darwin) fn run_pending() {
    with(|_| ());
}

impl Machine {
    pub(in crate::sys::darwin) fn interface(&self, name: &str) -> Option<Interface> {
        with(|state| state.find(name).cloned())
    }

    /// The addresses of an interface, as text: local address, prefix, and the peer if there is one.
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

    /// Lets one or two seconds pass, for IPv6.
    pub(in crate::sys::darwin) fn serve_ipv6(&self) {
        with(|state| state.routes.serve());
    }

    /// The host sends a packet through an interface.
    pub(in crate::sys::darwin) fn transmit(&self, name: &str, packet: &[u8]) {
        if !name.starts_with("utun") {
            return with(|state| {
                let Interface { up, peer, .. } = state.find(name).unwrap().clone();
                // dlil.c, ifnet_enqueue_mbuf: refused if the interface is down.
                if up {
                    state.tap(&peer.unwrap(), packet, false);
                }
            });
        }
        // if_utun.c, utun_framer and utun_output: after its family in network byte order.
        let family: u32 = if packet[0] >> 4 == 4 { 2 } else { 30 };
        self.transmit_raw(name, &[&family.to_be_bytes()[..], packet].concat());
    }

    pub(in crate::sys::darwin) fn transmit_raw(&self, name: &str, bytes: &[u8]) {
        with(|state| state.transmit(name, bytes));
    }

    /// Removes and returns the packets that the host received through an interface, as they were written.
    pub(in crate::sys::darwin) fn received(&self, name: &str) -> Vec<Vec<u8>> {
        with(|state| std::mem::take(&mut state.find_mut(name).unwrap().received))
    }

    /// if_utun.c, utun_pkt_input: ENOSPC while the input queue is full. Only a utun with UTUN_OPT_ENABLE_NETIF has one.
    pub(in crate::sys::darwin) fn set_input_full(&self, name: &str, on: bool) {
        with(|state| {
            let utun = state.find_mut(name).unwrap();
            assert!(utun.netif, "a plain utun has no input queue");
            utun.input_full = on;
        });
    }

    /// Sets how long a name stays busy after its interface was removed.
    pub(in crate::sys::darwin) fn linger(&self, time: Duration) {
        with(|state| state.linger = time);
    }

    pub(in crate::sys::darwin) fn set_privileged(&self, on: bool) {
        with(|state| state.unprivileged = !on);
    }

    /// Makes a later system call fail, by its number from now.
    pub(in crate::sys::darwin) fn fail(&self, number: usize, errno: Errno) {
        with(|state| state.fail = Some((state.log.len() + number, errno)));
    }

    /// Whether that call was made. Otherwise cancels the failure.
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

    /// Invented: poll reports BPF on this interface as ready although it has no frame.
    pub(in crate::sys::darwin) fn report_false_readiness(&self, name: &str) {
        with(|state| {
            let is_it =
                |open: &&Open| matches!(&open.role, Role::Bpf(bpf) if bpf.interface.as_deref() == Some(name));
            send(&state.open.values().find(is_it).unwrap().near, b"!");
        });
    }

    /// As on older kernels: debug.bpf_maxbufsize.
    pub(in crate::sys::darwin) fn cap_bpf(&self, bytes: usize) {
        with(|state| state.bpf_cap = bytes);
    }

    // Actions of other programs.

    pub(in crate::sys::darwin) fn create_utun(&self) -> String {
        with(|state| {
            let interface = Interface::utun(state.free_number("utun") as i16);
            let name = interface.name.clone();
            state.add(interface);
            name
        })
    }

    pub(in crate::sys::darwin) fn create_feth(&self, number: u32) {
        with(|state| state.add(Interface::feth(number)));
    }

    /// An Ethernet interface with an address, and without routes.
    pub(in crate::sys::darwin) fn add_interface(&self, name: &str, local: &str, prefix: u8) {
        let interface = Interface {
            name: name.to_owned(),
            up: true,
            running: true,
            mtu: 1500,
            mac: Some([2, 0, 0, 0, 0, 2]),
            ..Interface::default()
        };
        with(|state| state.add(interface));
        self.add_address(name, local, prefix);
    }

    pub(in crate::sys::darwin) fn destroy(&self, name: &str) {
        with(|state| state.destroy(name));
    }

    pub(in crate::sys::darwin) fn set_flags(&self, name: &str, up: bool) {
        with(|state| state.set_flags(name, up));
    }

    pub(in crate::sys::darwin) fn set_mtu(&self, name: &str, mtu: u32) {
        with(|state| state.set_mtu(name, mtu));
    }

    pub(in crate::sys::darwin) fn set_mac(&self, name: &str, mac: [u8; 6]) {
        with(|state| {
            state.find_mut(name).unwrap().mac = Some(mac);
            state.post(name, KEV_DL_SUBCLASS, KEV_DL_LINK_ADDRESS_CHANGED);
        });
    }

    pub(in crate::sys::darwin) fn add_address(&self, name: &str, local: &str, prefix: u8) {
        let local: IpAddr = local.parse().unwrap();
        with(|state| {
            let assigned = Assigned { local, prefix, other: None, flags: 0 };
            let interface = state.find_mut(name).unwrap();
            interface.addresses.push(assigned.clone());
            let interface = interface.clone();
            state.notify_address(&interface, &assigned, true);
        });
    }

    pub(in crate::sys::darwin) fn del_address(&self, name: &str, local: &str) {
        let local: IpAddr = local.parse().unwrap();
        with(|state| {
            let interface = state.find_mut(name).unwrap();
            let assigned = interface.addresses.remove(interface.find(local).unwrap());
            let interface = interface.clone();
            state.notify_address(&interface, &assigned, false);
        });
    }

    /// Another program adds a route through an interface.
    pub(in crate::sys::darwin) fn add_route(&self, name: &str, ip: &str, prefix: u8, flags: u32) {
        self.add_route_via(name, ip, prefix, None, flags);
    }

    pub(in crate::sys::darwin) fn add_route_via(
        &self,
        name: &str,
        ip: &str,
        prefix: u8,
        gateway: Option<&str>,
        flags: u32,
    ) {
        let index = self.interface(name).unwrap().index;
        let destination = Destination::of(ip.parse().unwrap(), prefix, index);
        let scope = if flags & RTF_IFSCOPE == 0 { destination.scope } else { index };
        let destination = Destination { scope, ..destination };
        let gateway = gateway.map(|gateway| gateway.parse().unwrap());
        with(|state| {
            state.routes.insert(destination, index, gateway, flags).unwrap();
            state.routes.forget_clones(&destination);
            state.notify_route(RTM_ADD, &destination);
        });
    }

    pub(in crate::sys::darwin) fn del_route(&self, ip: &str, prefix: u8) {
        let destination = Destination::new(ip.parse().unwrap(), prefix);
        with(|state| {
            state.notify_route(RTM_DELETE, &destination);
            state.routes.forget_clones(&destination);
            state.routes.0.remove(&destination).unwrap();
        });
    }

    /// The kernel learns the MTU of a path.
    pub(in crate::sys::darwin) fn set_route_mtu(&self, ip: &str, prefix: u8, mtu: u32) {
        let destination = Destination::new(ip.parse().unwrap(), prefix);
        with(|state| state.routes.0.get_mut(&destination).unwrap().mtu = Some(mtu));
    }

    /// The host sends a packet to this destination, which creates a route for it.
    pub(in crate::sys::darwin) fn resolve(&self, ip: &str) {
        with(|state| state.routes.resolve(ip.parse().unwrap()));
    }

    /// The interface and the gateway that a packet of the host takes.
    pub(in crate::sys::darwin) fn next_hop(&self, ip: &str) -> Option<(String, Option<IpAddr>)> {
        with(|state| {
            let (_, entry) = state.routes.lookup(ip.parse().unwrap())?;
            Some((state.interfaces[&entry.index].name.clone(), entry.gateway))
        })
    }

    /// Routing sockets lose all messages, because they are full.
    pub(in crate::sys::darwin) fn lose_messages(&self, on: bool) {
        with(|state| state.loses_messages = on);
    }

    /// A utun whose packets have the UUID of a process before them.
    pub(in crate::sys::darwin) fn give_utun_with_process(&self) -> OwnedFd {
        let socket = self.give_utun();
        with(|state| {
            state.utun_of(socket.as_fd()).unwrap().unwrap().utun_flags = UTUN_FLAGS_ENABLE_PROC_UUID
        });
        socket
    }

    /// A utun with an input queue, as Apple's programs create them.
    pub(in crate::sys::darwin) fn give_utun_with_netif(&self) -> OwnedFd {
        let socket = self.give_utun();
        with(|state| state.utun_of(socket.as_fd()).unwrap().unwrap().netif = true);
        socket
    }

    /// The control socket of a utun, as iOS passes it to an app.
    pub(in crate::sys::darwin) fn give_utun(&self) -> OwnedFd {
        let socket = calls::socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL).unwrap();
        calls::connect(socket.as_fd(), &sockaddr_control(calls::UTUN_CONTROL, 0)).unwrap();
        socket
    }
}
