// SPDX-License-Identifier: MIT
//! Error messages for errors of the kernel.

use crate::model::error::{Errno, Error, Reason};
use crate::model::text::text;

pub(super) fn refusal(errno: Errno, action: impl std::fmt::Display) -> Error {
    let error = |errno, reason, text: &str| Error::new(errno, reason, text!("{action}: {text}"));
    match errno {
        Errno::EPERM | Errno::EACCES => error(errno, Reason::Privilege, "this needs root"),
        Errno::ENXIO | Errno::ENODEV => error(Errno::ENODEV, Reason::Removed, "the device is gone"),
        Errno::ENETDOWN => error(errno, Reason::Down, "the device is down: use tuntap_up"),
        Errno::EEXIST | Errno::EBUSY => Error::new(errno, Reason::Busy, text!("{action}: {}", errno.desc())),
        _ => Error::system(errno, action),
    }
}
