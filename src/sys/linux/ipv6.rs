// SPDX-License-Identifier: MIT
//! The IPv6 settings of an interface. rtnetlink reports them, and sets only one of them. The others are files below
//! /proc/sys, which show the network namespace of the thread.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::call::Call;
use super::ifinfo::{AF_INET6, IFLA_AF_SPEC, IFLA_INET6_ADDR_GEN_MODE, ifinfomsg};
use super::message::{Refusal, Request};
use super::netlink::Socket;
use super::refusal::refusal;
use super::{Queue, file};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::ipv6::Setting;
use crate::model::memory;
use crate::model::name::Name;
use crate::model::text::{Text, Untrusted, text};
use crate::sys::Backend;

/// Requests a mode. A write to its file would also generate addresses, even while the interface is down.
fn set_addr_gen_mode(netlink: &mut Socket, index: u32, mode: u32) -> std::result::Result<(), Refusal> {
    netlink.change(&addr_gen_mode_request(index, mode))
}

fn addr_gen_mode_request(index: u32, mode: u32) -> Request {
    let [mode, ..] = mode.to_le_bytes();
    let set = |request: Request| request.attribute(IFLA_INET6_ADDR_GEN_MODE, &[mode]);
    Request::new(libc::RTM_SETLINK, libc::NLM_F_ACK, &ifinfomsg(index, 0, 0))
        .attribute_of(IFLA_AF_SPEC, |request| request.attribute_of(AF_INET6, set))
}

impl Queue {
    /// Sets a value in the network namespace of the device.
    pub(super) fn set_ipv6_setting(&self, call: &mut Call<'_>, setting: Setting, value: u32) -> Result<()> {
        if setting == Setting::AddrGenMode {
            let set = |netlink: &mut Socket, index| set_addr_gen_mode(netlink, index, value);
            return self.change(call, set, |device| text!("set addr_gen_mode of {device} to {value}"));
        }
        let name = self.link(call)?.name;
        self.inside("set the IPv6 settings of", || self.write_sysctl(&name, setting, value))
    }

    /// Opens the file first, and then verifies that the device still has the name: after a rename the kernel refuses a
    /// write to the old file.
    fn write_sysctl(&self, name: &Name, setting: Setting, value: u32) -> Result<()> {
        let sysctl = setting.name();
        let parts = [&b"/proc/sys/net/ipv6/conf/"[..], name.as_bytes(), b"/", sysctl.as_bytes()];
        let path = memory::collect(parts.into_iter().flatten().copied())?;
        let action = text!("set {sysctl} of {name} to {value}");
        let opened = file::open(Path::new(OsStr::from_bytes(&path)), libc::O_WRONLY);
        let fd = opened.map_err(|errno| refused(errno, Untrusted(&path), &action))?;
        if self.name()? != *name {
            let text = text!("{action}: the device was renamed at that moment: try again");
            return Err(Error::new(Errno::EBUSY, Reason::Busy, text));
        }
        let written = File::from(fd).write_all(text!("{value}").as_str().as_bytes());
        written.map_err(|error| refused(errno_of(&error), Untrusted(&path), &action))
    }
}

fn errno_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

fn refused(errno: Errno, path: Untrusted<'_>, action: &Text) -> Error {
    match errno {
        Errno::ENOENT | Errno::EROFS => {
            let text = text!("{action}: {path} cannot be written: mount /proc, writable");
            Error::new(errno, Reason::System, text)
        }
        _ => refusal(errno, None, action),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addr_gen_mode_is_nested_twice() {
        let request = addr_gen_mode_request(3, 1);
        let words: [u16; 6] = [16, IFLA_AF_SPEC, 12, AF_INET6, 5, IFLA_INET6_ADDR_GEN_MODE];
        let mut expected = ifinfomsg(3, 0, 0).to_vec();
        expected.extend(words.into_iter().flat_map(u16::to_ne_bytes).chain([1, 0, 0, 0]));
        assert_eq!(request.body(), Some(expected.as_slice()));
    }
}
