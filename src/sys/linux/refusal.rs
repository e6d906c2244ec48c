// SPDX-License-Identifier: MIT
//! Error messages for errors of the kernel.

use std::fmt::Display;

use crate::model::error::{Errno, Error, Reason};
use crate::model::link::Tuntap;
use crate::model::name::Name;
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
