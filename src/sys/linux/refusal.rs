// SPDX-License-Identifier: MIT
//! What the kernel's refusals mean, in words.

use super::{link, netlink};
use crate::error::{Errno, Error, Reason};
use crate::flags::Flags;
use crate::link::Tuntap;
use crate::name::NameRequest;

/// A refusal, with what the kernel said in words, and with the right that is missing.
pub(super) fn refusal(errno: Errno, said: Option<String>, action: &str) -> Error {
    match (errno, said) {
        (Errno::EPERM | Errno::EACCES, None) | (Errno::EPERM, _) => Error::new(
            errno,
            Reason::Privilege,
            format!("{action}: this needs CAP_NET_ADMIN in the device's network namespace"),
        ),
        (Errno::ENODEV, _) => Error::new(errno, Reason::Removed, format!("{action}: the device is gone")),
        (Errno::ENETDOWN, _) => {
            Error::new(errno, Reason::Down, format!("{action}: the device is down: tuntap_up takes it up"))
        }
        (Errno::EEXIST | Errno::EBUSY, said) => {
            let said = said.unwrap_or_else(|| errno.desc().to_string());
            Error::new(errno, Reason::Busy, format!("{action}: {said}"))
        }
        (_, Some(said)) => Error::new(errno, Reason::System, format!("{action}: {} ({said})", errno.desc())),
        (_, None) => Error::system(errno, action),
    }
}

/// TUNSETIFF answers EINVAL, EBUSY or EPERM for many causes: what exists under the name tells which.
pub(super) fn explain_join(
    netlink: &mut netlink::Socket,
    name: &NameRequest,
    flags: &Flags,
    errno: Errno,
) -> Error {
    let present = match name {
        NameRequest::Exact(exact) => link::by_name(netlink, exact).ok(),
        NameRequest::Any | NameRequest::Pattern(_) => None,
    };
    let error = |reason, text: String| Error::new(errno, reason, format!("open {name}: {text}"));
    if errno == Errno::ENOTTY {
        return error(Reason::NoDriver, "the device node is not that of the TUN/TAP driver".to_owned());
    }
    let Some(link) = present else {
        return match errno {
            Errno::EPERM | Errno::EACCES => error(
                Reason::Privilege,
                "making a device needs CAP_NET_ADMIN: run as root, or open one that root has prepared \
                 (ip tuntap add dev NAME mode tun user USER)"
                    .to_owned(),
            ),
            Errno::ENFILE => error(Reason::Busy, "every number of the pattern is taken".to_owned()),
            _ => refusal(errno, None, &format!("open {name}")),
        };
    };
    if errno == Errno::EBUSY && flags.exclusive {
        return error(
            Reason::Busy,
            "the name is taken, and TUNTAP_EXCLUSIVE asks for a new device".to_owned(),
        );
    }
    let Some(tuntap) = link.tuntap else {
        return error(
            Reason::Kind,
            "the name belongs to an interface that is no TUN or TAP device".to_owned(),
        );
    };
    match (errno, flags.mode.difference(tuntap.mode)) {
        (_, Some(difference)) if tuntap.mode.kind != flags.mode.kind => {
            error(Reason::Kind, format!("the device exists and {difference}"))
        }
        (Errno::EINVAL, Some(difference)) => {
            error(Reason::Mismatch, format!("the device exists and {difference}"))
        }
        (Errno::EBUSY, _) => {
            error(Reason::Busy, "the device is open elsewhere and has a single queue".to_owned())
        }
        (Errno::E2BIG, _) => error(Reason::Busy, "the device has no room for another queue".to_owned()),
        (Errno::EPERM, _) => error(Reason::Privilege, belongs_to(&tuntap)),
        _ => refusal(errno, None, &format!("open {name}")),
    }
}

fn belongs_to(tuntap: &Tuntap) -> String {
    let whose = match (tuntap.owner, tuntap.group) {
        (Some(uid), Some(gid)) => format!("to user {uid} and group {gid}"),
        (Some(uid), None) => format!("to user {uid}"),
        (None, Some(gid)) => format!("to group {gid}"),
        (None, None) => "to nobody".to_owned(),
    };
    format!("the device belongs {whose}: any other needs CAP_NET_ADMIN")
}
