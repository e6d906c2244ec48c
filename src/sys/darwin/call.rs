// SPDX-License-Identifier: MIT
//! Runs the steps of a call, and makes its errors.

use std::os::fd::BorrowedFd;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::bypass::Bypasses;
use super::link::{self, Present};
use super::refusal::refusal;
use super::{Port, Queue};
use crate::model::default_route::Bypass;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::flags::Kind;
use crate::model::readiness::Readiness;
use crate::model::route::Route;
use crate::model::text::text;
use crate::sys::wait::{self, Source, Wakes};
use crate::sys::{Backend, Outcome};

impl Queue {
    pub(super) fn refused(&self, action: &str, errno: Errno) -> Error {
        refusal(errno, format_args!("{action} {}", self.name))
    }

    pub(super) fn missing<T>(&self, action: &str) -> Result<T> {
        Err(Error::platform(format_args!("{action} {}", self.name)))
    }

    pub(super) fn kind(&self) -> Kind {
        match self.port {
            Port::Utun(_) => Kind::Tun,
            Port::Feth(_) => Kind::Tap,
        }
    }

    pub(super) fn present(&self) -> Result<Present> {
        link::by_index(self.index).map_err(|errno| self.refused("query the state of", errno))
    }

    pub(super) fn set_mtu(&self, mtu: u32) -> Outcome<()> {
        let before = link::by_index(self.index)?.link.mtu;
        match &self.port {
            Port::Utun(utun) => {
                utun.resize_queue(before.max(mtu));
                let changed = link::set_mtu(&self.name, mtu);
                utun.resize_queue(if changed.is_ok() { mtu } else { before });
                changed
            }
            // The other end needs the same MTU, because frames pass through both.
            Port::Feth(feth) => {
                link::set_mtu(&feth.end(), mtu)?;
                link::set_mtu(&self.name, mtu).inspect_err(|_| {
                    let _ = link::set_mtu(&feth.end(), before);
                })
            }
        }
    }

    /// Changes the bypasses that this handle has added. A mark is refused: on Darwin packets have none.
    pub(super) fn change_bypass<T>(
        &self,
        verb: &str,
        bypass: &Bypass,
        change: impl FnOnce(&mut Bypasses, &Route) -> Outcome<T>,
    ) -> Result<T> {
        let action = text!("{verb} a bypass of {} for {bypass}", self.name);
        let (Some(destination), None) = (bypass.destination(), bypass.mark()) else {
            return Err(Error::platform(action));
        };
        let mut held = self.bypasses.lock().unwrap_or_else(PoisonError::into_inner);
        let own = held.take().filter(Bypasses::is_own);
        let mut bypasses = own.unwrap_or_else(|| Bypasses::new(self.index));
        let changed = change(&mut bypasses, destination);
        *held = Some(bypasses).filter(|bypasses| !bypasses.is_empty());
        changed.map_err(|errno| match errno {
            Errno::ENETUNREACH => {
                let text = text!("{action}: no route leads there without the device");
                Error::new(errno, Reason::Unset, text)
            }
            _ => refusal(errno, action),
        })
    }

    pub(super) fn wait_to_read(&self, since: Wakes, deadline: Option<Instant>) -> Outcome<Readiness> {
        self.with_sources(|sources| self.waker.wait(since, sources, deadline))
    }

    pub(super) fn ready_to_read(&self) -> Outcome<Readiness> {
        self.with_sources(wait::ready)
    }

    /// Polls the descriptors for packets, unless packets are left that they do not show.
    fn with_sources(&self, poll: impl FnOnce(&[Source<'_>]) -> Outcome<Readiness>) -> Outcome<Readiness> {
        match &self.port {
            Port::Utun(utun) => poll(&[(utun.fd(), Readiness::READ)]),
            Port::Feth(feth) if feth.has_unmarked_frames() && !self.is_shut_down() => Ok(Readiness::READ),
            Port::Feth(feth) => poll(&feth.sources().map(|source| (source, Readiness::READ))),
        }
    }

    /// The socket for writes.
    pub(super) fn writing_fd(&self) -> BorrowedFd<'_> {
        match &self.port {
            Port::Utun(utun) => utun.fd(),
            Port::Feth(feth) => feth.writing_fd(),
        }
    }

    /// ENOSPC: the input queue is full, of a utun from another program with UTUN_OPT_ENABLE_NETIF (if_utun.c,
    /// utun_pkt_input). ENOBUFS: the queue of a feth is full, or there is no memory. Poll does not report either of
    /// them.
    pub(super) fn note_room(&self, written: Outcome<usize>) -> Outcome<usize> {
        let full = matches!(written, Err(Errno::ENOSPC | Errno::ENOBUFS));
        let blocked = full || written == Err(Errno::EAGAIN);
        if blocked || self.blocked.load(Ordering::Relaxed) {
            self.full.store(full, Ordering::Relaxed);
            self.blocked.store(blocked, Ordering::Relaxed);
        }
        if full { Err(Errno::EAGAIN) } else { written }
    }
}
