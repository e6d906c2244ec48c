// SPDX-License-Identifier: MIT
//! The layout of the virtio header of a device: queries it from the driver, and changes it at open.

use std::ffi::c_int;
use std::os::fd::AsRawFd;

use super::Queue;
use super::ioctl;
use super::node::Node;
use super::refusal::refusal;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::text::text;
use crate::model::vnet_hdr::{Endian, Layout, MAX_SIZE, MIN_SIZE, Wanted};
use crate::sys::{Backend, Outcome};

/// The settings of the driver, for all queues of a device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    size: usize,
    /// TUNSETVNETLE, which takes precedence.
    little: bool,
    /// TUNSETVNETBE. None: the kernel is built without CONFIG_TUN_VNET_CROSS_LE.
    big: Option<bool>,
}

impl Settings {
    fn endian(self) -> Endian {
        match self {
            Self { little: true, .. } => Endian::Little,
            Self { big: Some(true), .. } => Endian::Big,
            _ => Endian::NATIVE,
        }
    }

    /// The requested settings that differ from the present ones.
    fn missing(self, wanted: Wanted) -> Wanted {
        Wanted {
            size: wanted.size.filter(|size| *size != self.size),
            endian: wanted.endian.filter(|endian| *endian != self.endian()),
        }
    }
}

/// Whether the error means that the kernel does not have the request.
fn is_unknown(errno: Errno) -> bool {
    matches!(errno, Errno::EINVAL | Errno::ENOTTY | Errno::ENOSYS)
}

impl Node {
    pub(super) fn vnet_settings(&self) -> Outcome<Settings> {
        let fd = self.fd().as_raw_fd();
        let (mut size, mut little, mut big): (c_int, c_int, c_int) = (0, 0, 0);
        // SAFETY: each request writes one int.
        let (little_known, big_known) = unsafe {
            ioctl::tungetvnethdrsz(fd, &mut size)?;
            (ioctl::tungetvnetle(fd, &mut little), ioctl::tungetvnetbe(fd, &mut big))
        };
        let reported = |known: Outcome<c_int>, value: c_int| match known {
            Ok(_) => Ok(Some(value != 0)),
            Err(errno) if is_unknown(errno) => Ok(None),
            Err(errno) => Err(errno),
        };
        Ok(Settings {
            size: size.unsigned_abs() as usize,
            little: reported(little_known, little)?.unwrap_or(false),
            big: reported(big_known, big)?,
        })
    }

    /// The layout of the header before each packet.
    pub(super) fn layout(&self, action: &str) -> Result<Layout> {
        let failed = |errno| refusal(self.translate(errno), None, action);
        let settings = self.vnet_settings().map_err(failed)?;
        Layout::new(settings.size, settings.endian()).ok_or_else(|| {
            let size = settings.size;
            let text =
                text!("{action}: its virtio header has {size} bytes: the range is {MIN_SIZE} to {MAX_SIZE}");
            Error::new(Errno::EINVAL, Reason::Mismatch, text)
        })
    }

    pub(super) fn set_vnet_hdr_size(&self, size: usize) -> Outcome<()> {
        let size = c_int::try_from(size).map_err(|_| Errno::EINVAL)?;
        // SAFETY: the kernel reads one int.
        unsafe { ioctl::tunsetvnethdrsz(self.fd().as_raw_fd(), &size) }.map(drop)
    }

    fn set_vnet_little(&self, on: bool) -> Outcome<()> {
        // SAFETY: the kernel reads one int.
        unsafe { ioctl::tunsetvnetle(self.fd().as_raw_fd(), &c_int::from(on)) }.map(drop)
    }

    fn set_vnet_big(&self, on: bool) -> Outcome<()> {
        // SAFETY: the kernel reads one int.
        unsafe { ioctl::tunsetvnetbe(self.fd().as_raw_fd(), &c_int::from(on)) }.map(drop)
    }

    /// Changes the byte order.
    fn set_vnet_endian(&self, endian: Endian, before: Settings) -> Outcome<()> {
        match endian {
            Endian::Little => self.set_vnet_little(true),
            Endian::Big => {
                if Endian::NATIVE == Endian::Little {
                    self.set_vnet_big(true)?;
                }
                if before.little { self.set_vnet_little(false) } else { Ok(()) }
            }
        }
    }

    /// Restores the size and the byte order, if they have changed.
    pub(super) fn restore_vnet(&self, before: Settings) {
        let Ok(now) = self.vnet_settings() else { return };
        if now.size != before.size {
            let _ = self.set_vnet_hdr_size(before.size);
        }
        if now.little != before.little {
            let _ = self.set_vnet_little(before.little);
        }
        if let Some(big) = before.big.filter(|big| now.big != Some(*big)) {
            let _ = self.set_vnet_big(big);
        }
    }
}

impl Queue {
    /// Sets the requested layout. If another queue of the device is open, the device must already have it.
    pub(super) fn set_layout(&self, wanted: Wanted, action: &str) -> Result<()> {
        if wanted.option().is_none() {
            return Ok(());
        }
        let failed = |errno| refusal(self.node.translate(errno), None, action);
        let before = self.node.vnet_settings().map_err(failed)?;
        let missing = before.missing(wanted);
        let Some(option) = missing.option() else { return Ok(()) };
        if self.mode.multi_queue
            && self.link(&mut self.begin_call())?.tuntap.is_none_or(|tuntap| tuntap.queues > 1)
        {
            let text = text!(
                "{action}: the virtio header of the device differs, and cannot change while another queue is open"
            );
            return Err(Error::new(Errno::EBUSY, Reason::Busy, text).of_option(option));
        }
        if let Some(size) = missing.size {
            self.node.set_vnet_hdr_size(size).map_err(|errno| failed(errno).of_option(option))?;
        }
        let Some(endian) = missing.endian else { return Ok(()) };
        self.node.set_vnet_endian(endian, before).map_err(|errno| {
            let error = if is_unknown(errno) {
                let text = text!(
                    "{action}: the kernel does not support big-endian headers (CONFIG_TUN_VNET_CROSS_LE)"
                );
                Error::new(Errno::EOPNOTSUPP, Reason::Kernel, text)
            } else {
                failed(errno)
            };
            error.of_option("vnet_endian")
        })
    }
}
