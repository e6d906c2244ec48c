// SPDX-License-Identifier: MIT
//! The errors of TUNSETIFF, which creates a device or attaches to one.

use super::netlink::Socket;
use super::refusal::{belongs_to, refusal};
use super::{ids, link};
use crate::model::error::{Errno, Error, Reason};
use crate::model::flags::Mode;
use crate::model::link::{Link, Tuntap};
use crate::model::name::NameRequest;
use crate::model::text::{Text, text};

/// The error of a join. EINVAL, EBUSY and EPERM have many causes: the interface with this name shows which one it is.
pub(super) fn explain_join(
    netlink: Option<&mut Socket>,
    name: &NameRequest,
    mode: Mode,
    exclusive: bool,
    errno: Errno,
) -> Error {
    // The device was removed while the queue was attached.
    let errno = if errno == Errno::EBADFD { Errno::ENODEV } else { errno };
    let present = match name {
        NameRequest::Exact(exact) => netlink.and_then(|netlink| link::by_name(netlink, exact).ok()),
        NameRequest::Any | NameRequest::Pattern(_) => None,
    };
    let error = |reason, text: &str| Error::new(errno, reason, text!("open {name}: {text}"));
    match present {
        _ if errno == Errno::ENOTTY => {
            error(Reason::NoDriver, "the device node does not belong to the TUN/TAP driver")
        }
        _ if errno == Errno::EPERM && mode.napi_frags && may_open(present.as_ref()) => {
            error(Reason::Privilege, "TUNTAP_NAPI_FRAGS needs CAP_NET_ADMIN in the initial user namespace")
        }
        None => explain_create(name, errno),
        Some(_) if errno == Errno::EBUSY && exclusive => {
            error(Reason::Busy, "the name is in use, and TUNTAP_EXCLUSIVE requests a new device")
        }
        Some(Link { tuntap: Some(tuntap), .. }) => explain_attach(name, &tuntap, mode, errno),
        Some(_) => error(Reason::Kind, "the name belongs to an interface that is not a TUN or TAP device"),
    }
}

/// Whether the caller needs no other privilege for a device like `present`.
fn may_open(present: Option<&Link>) -> bool {
    let owner = present.and_then(|link| link.tuntap).and_then(|tuntap| tuntap.owner);
    ids::is_net_admin() || owner.is_some_and(ids::is_user)
}

/// There is no interface with this name.
fn explain_create(name: &NameRequest, errno: Errno) -> Error {
    match errno {
        Errno::EPERM | Errno::EACCES => {
            let remedy = match ids::is_user(0) {
                true => "pass it to the container (--cap-add NET_ADMIN)",
                false => "run as root",
            };
            let text = text!(
                "open {name}: creating a device needs CAP_NET_ADMIN: {remedy}, or open a device that root has created \
                 (ip tuntap add dev NAME mode tun user USER)"
            );
            Error::new(errno, Reason::Privilege, text)
        }
        Errno::ENFILE => {
            Error::new(errno, Reason::Busy, text!("open {name}: all numbers of the pattern are in use"))
        }
        _ => refusal(errno, None, format_args!("open {name}")),
    }
}

/// The interface with this name is a TUN or TAP device.
fn explain_attach(name: &NameRequest, tuntap: &Tuntap, mode: Mode, errno: Errno) -> Error {
    let error = |reason, text: Text| Error::new(errno, reason, text!("open {name}: {text}"));
    // If no process has the device open, the kernel changes its other modes to those of the request.
    let fixed = Mode { kind: mode.kind, multi_queue: mode.multi_queue, ..tuntap.mode };
    match (errno, fixed.difference(tuntap.mode)) {
        (_, Some(difference)) if tuntap.mode.kind != mode.kind => {
            error(Reason::Kind, text!("the device exists and {difference}"))
        }
        (Errno::EINVAL, Some(difference)) => {
            error(Reason::Mismatch, text!("the device exists and {difference}"))
        }
        (Errno::EBUSY, _) => {
            error(Reason::Busy, "the device is open elsewhere and has a single queue".into())
        }
        (Errno::E2BIG, _) => error(Reason::Busy, "the device has the maximum number of queues".into()),
        (Errno::EPERM, _) => error(Reason::Privilege, belongs_to(tuntap)),
        _ => refusal(errno, None, format_args!("open {name}")),
    }
}
