// SPDX-License-Identifier: MIT
//! Error messages for errors of the kernel.

use std::fmt::Display;

use super::{ids, link, netlink};
use crate::model::error::{Errno, Error, Reason};
use crate::model::flags::{Flags, Mode};
use crate::model::link::Tuntap;
use crate::model::name::{Name, NameRequest};
use crate::model::text::{Text, text};

/// The error for an errno of the kernel, and `text`, the kernel's text for it. Names the capability that is missing.
pub(super) fn refusal(errno: Errno, text: Option<Box<Text>>, action: impl Display) -> Error {
    explained(errno, text, &action)
}

#[cold]
#[inline(never)]
fn explained(errno: Errno, text: Option<Box<Text>>, action: &dyn Display) -> Error {
    match (errno, text) {
        (Errno::EPERM | Errno::EACCES, None) | (Errno::EPERM, _) => Error::new(
            errno,
            Reason::Privilege,
            text!("{action}: this needs CAP_NET_ADMIN in the device's network namespace"),
        ),
        // EBADFD: the device of the descriptor is gone.
        (Errno::ENODEV | Errno::EBADFD, _) => {
            Error::new(Errno::ENODEV, Reason::Removed, text!("{action}: the device is gone"))
        }
        (Errno::ENETDOWN, _) => {
            Error::new(errno, Reason::Down, text!("{action}: the device is down: use tuntap_up"))
        }
        (Errno::EEXIST | Errno::EBUSY, text) => {
            let text = text.map_or_else(|| text!("{}", errno.desc()), |text| *text);
            Error::new(errno, Reason::Busy, text!("{action}: {text}"))
        }
        (_, Some(text)) => Error::new(errno, Reason::System, text!("{action}: {} ({text})", errno.desc())),
        (_, None) => Error::system(errno, action),
    }
}

/// The error of TUNSETIFF. EINVAL, EBUSY and EPERM have many causes: the interface with this name shows which one it is.
pub(super) fn explain_join(
    netlink: Option<&mut netlink::Socket>,
    name: &NameRequest,
    flags: &Flags,
    errno: Errno,
) -> Error {
    // The device was removed while the queue was attached.
    let errno = if errno == Errno::EBADFD { Errno::ENODEV } else { errno };
    let present = match name {
        NameRequest::Exact(exact) => netlink.and_then(|netlink| link::by_name(netlink, exact).ok()),
        NameRequest::Any | NameRequest::Pattern(_) => None,
    };
    let error = |reason, text: Text| Error::new(errno, reason, text!("open {name}: {text}"));
    if errno == Errno::ENOTTY {
        return error(Reason::NoDriver, "the device node does not belong to the TUN/TAP driver".into());
    }
    let owner = present.as_ref().and_then(|link| link.tuntap).and_then(|tuntap| tuntap.owner);
    let may_open = ids::is_net_admin() || owner.is_some_and(ids::is_user);
    if errno == Errno::EPERM && flags.mode.napi_frags && may_open {
        return error(
            Reason::Privilege,
            "TUNTAP_NAPI_FRAGS needs CAP_NET_ADMIN in the initial user namespace".into(),
        );
    }
    let Some(link) = present else {
        return match errno {
            Errno::EPERM | Errno::EACCES => error(
                Reason::Privilege,
                text!(
                    "creating a device needs CAP_NET_ADMIN: {}, or open a device that root has created (ip tuntap add dev \
                     NAME mode tun user USER)",
                    if ids::is_user(0) {
                        "pass it to the container (--cap-add NET_ADMIN)"
                    } else {
                        "run as root"
                    }
                ),
            ),
            Errno::ENFILE => error(Reason::Busy, "all numbers of the pattern are in use".into()),
            _ => refusal(errno, None, format_args!("open {name}")),
        };
    };
    if errno == Errno::EBUSY && flags.exclusive {
        return error(Reason::Busy, "the name is in use, and TUNTAP_EXCLUSIVE requests a new device".into());
    }
    let Some(tuntap) = link.tuntap else {
        return error(
            Reason::Kind,
            "the name belongs to an interface that is not a TUN or TAP device".into(),
        );
    };
    // If no process has the device open, the kernel changes its other modes to those of the request.
    let fixed = Mode { kind: flags.mode.kind, multi_queue: flags.mode.multi_queue, ..tuntap.mode };
    match (errno, fixed.difference(tuntap.mode)) {
        (_, Some(difference)) if tuntap.mode.kind != flags.mode.kind => {
            error(Reason::Kind, text!("the device exists and {difference}"))
        }
        (Errno::EINVAL, Some(difference)) => {
            error(Reason::Mismatch, text!("the device exists and {difference}"))
        }
        (Errno::EBUSY, _) => {
            error(Reason::Busy, "the device is open elsewhere and has a single queue".into())
        }
        (Errno::E2BIG, _) => error(Reason::Busy, "the device has the maximum number of queues".into()),
        (Errno::EPERM, _) => error(Reason::Privilege, belongs_to(&tuntap)),
        _ => refusal(errno, None, format_args!("open {name}")),
    }
}

pub(super) fn belongs_to(tuntap: &Tuntap) -> Text {
    let whose = match (tuntap.owner, tuntap.group) {
        (Some(uid), Some(gid)) => text!("belongs to user {uid} and group {gid}: others need"),
        (Some(uid), None) => text!("belongs to user {uid}: others need"),
        (None, Some(gid)) => text!("belongs to group {gid}: others need"),
        (None, None) => "has no owner: this needs".into(),
    };
    text!("the device {whose} CAP_NET_ADMIN")
}

/// The error if the namespace of the device cannot be entered.
pub(super) fn enter_error(name: &Name, error: &Error) -> Error {
    match error.reason() {
        Reason::Privilege => unreachable_error(name, error.message()),
        reason => {
            let text = text!("reach {name} where it is now: {}", error.message());
            Error::new(error.errno(), reason, text)
        }
    }
}

pub(super) fn namespace_error(errno: Errno) -> Error {
    Error::system(errno, "query the namespace of the device")
}

pub(super) fn state_error(errno: Errno) -> Error {
    refusal(errno, None, "query the state of the device")
}

pub(super) fn watch_error(errno: Errno) -> Error {
    Error::system(errno, "watch the network namespace of the device")
}

pub(super) fn unstable_error() -> Error {
    unreachable_error("the device", "it is renamed or moved repeatedly")
}

pub(super) fn unreachable_error(device: impl Display, why: impl Display) -> Error {
    let text = text!(
        "reach {device} by rtnetlink: it may be in another network namespace: {why}; following it needs CAP_NET_ADMIN \
         there, and Linux 5.4"
    );
    Error::new(Errno::EXDEV, Reason::Namespace, text)
}
