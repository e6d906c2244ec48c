// SPDX-License-Identifier: MIT
//! Deletes a device by its name, like `ip tuntap del`, but finds its modes by itself.

use std::path::Path;

use super::control::{self, Control, Located};
use super::link;
use super::netlink::Socket;
use super::node::{Node, USUAL_NODE};
use super::open::TRIES;
use super::refusal::{belongs_to, refusal};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::link::{Link, Tuntap};
use crate::model::name::Name;
use crate::model::text::{Text, text};

/// Deletes the device of this name, in the calling thread's network namespace.
pub(super) fn delete(name: &Name) -> Result<()> {
    for _ in 0..TRIES {
        if delete_once(name)? {
            return Ok(());
        }
    }
    Err(busy(name, "other programs repeatedly delete and create it"))
}

/// False if the name belonged to another device, or to none, by the time the device was opened.
fn delete_once(name: &Name) -> Result<bool> {
    let mut netlink = control::prepare()?;
    let (link, tuntap) = find(&mut netlink, name)?;
    if tuntap.mode.multi_queue && tuntap.queues > 0 {
        return Err(busy(name, IN_USE));
    }
    let node = Node::open(Path::new(USUAL_NODE))?;
    if let Err(errno) = node.join(name.as_bytes(), tuntap.mode, false) {
        let same = link::by_name(&mut netlink, name).is_ok_and(|now| now.index == link.index);
        return if same { Err(explain(name, &tuntap, errno)) } else { Ok(false) };
    }
    // If the name was free, join() created a new device, which is removed when the node is closed.
    match Control::find(netlink, &node) {
        Err(error) if error.reason() == Reason::Removed => Ok(false),
        Err(error) => Err(error),
        Ok((control, _)) if control.index() != link.index => Ok(false),
        Ok((control, _)) => end(control, node, name, &tuntap).map(|()| true),
    }
}

/// Turns persistence off: the device is removed with this handle. If another process opened it meanwhile, turns
/// persistence on again.
fn end(mut control: Control, node: Node, name: &Name, tuntap: &Tuntap) -> Result<()> {
    let failed = |errno| refusal(node.translate(errno), None, format_args!("delete {name}"));
    node.set_persist(false).map_err(failed)?;
    if !tuntap.mode.multi_queue {
        return Ok(());
    }
    let alone = control.link(&node, &mut Located::default()).and_then(|link| {
        let queues = link.needs_tuntap()?.queues;
        if queues > 1 { Err(busy(name, IN_USE)) } else { Ok(()) }
    });
    alone.inspect_err(|_| {
        let _ = node.set_persist(true);
    })
}

const IN_USE: &str = "it is in use: close its handles first";

fn find(netlink: &mut Socket, name: &Name) -> Result<(Link, Tuntap)> {
    let link = match link::by_name(netlink, name) {
        Err(error) if error.reason() == Reason::Removed => {
            let text = text!("delete {name}: there is no such device");
            return Err(Error::new(Errno::ENODEV, Reason::Absent, text));
        }
        found => found?,
    };
    match link.tuntap {
        Some(tuntap) => Ok((link, tuntap)),
        None => {
            let text = text!("delete {name}: the interface is not a TUN or TAP device");
            Err(Error::new(Errno::EINVAL, Reason::Kind, text))
        }
    }
}

fn busy(name: &Name, why: &str) -> Error {
    Error::new(Errno::EBUSY, Reason::Busy, text!("delete {name}: {why}"))
}

fn explain(name: &Name, tuntap: &Tuntap, errno: Errno) -> Error {
    let error = |reason, text: Text| Error::new(errno, reason, text!("delete {name}: {text}"));
    match errno {
        Errno::EBUSY | Errno::E2BIG => busy(name, IN_USE),
        Errno::EPERM => error(Reason::Privilege, belongs_to(tuntap)),
        Errno::ENOTTY => {
            error(Reason::NoDriver, "the device node does not belong to the TUN/TAP driver".into())
        }
        _ => refusal(errno, None, format_args!("delete {name}")),
    }
}
