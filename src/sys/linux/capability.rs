// SPDX-License-Identifier: MIT
//! The features that this kernel and a device support.

use std::fs;
use std::mem;
use std::path::Path;

use super::control::Interface;
use super::netlink::Socket;
use super::node::{Node, USUAL_NODE};
use super::rtmsg::LOCAL_TABLE;
use super::{Queue, file, ioctl, offload, rule};
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::feature::Feature;
use crate::model::flags::Kind;
use crate::model::offload::{F_UDP_TUNNEL_GSO, F_USO4, F_USO6};
use crate::model::prefix::Family;
use crate::model::route::Route;
use crate::model::text::text;
use crate::sys::Backend;

/// Whether the library supports the feature on Linux.
pub(super) fn has(feature: Feature) -> bool {
    match feature {
        Feature::Tun
        | Feature::Tap
        | Feature::Pi
        | Feature::MultiQueue
        | Feature::Persist
        | Feature::Owner
        | Feature::Ipv4
        | Feature::Ipv6
        | Feature::Route
        | Feature::Rename
        | Feature::Carrier
        | Feature::Namespace
        | Feature::Wake
        | Feature::Monitor
        | Feature::Steering
        | Feature::Napi
        | Feature::Offload
        | Feature::Uso
        | Feature::TunnelGso
        | Feature::Follow
        | Feature::FindRoute
        | Feature::DefaultRoute
        | Feature::Bypass
        | Feature::Master
        | Feature::Ipv6Settings => true,
    }
}

/// Whether this kernel supports the feature. The driver reports its modes (TUNGETFEATURES). Requests that need a device
/// cannot be probed without one: their support follows from the kernel version.
pub(super) fn kernel_has(feature: Feature) -> Result<bool> {
    match feature {
        Feature::Tun => driver_has(libc::IFF_TUN),
        Feature::Tap => driver_has(libc::IFF_TAP),
        Feature::Pi => driver_has(libc::IFF_NO_PI),
        Feature::MultiQueue => driver_has(libc::IFF_MULTI_QUEUE),
        Feature::Offload => driver_has(libc::IFF_VNET_HDR),
        Feature::Napi => driver_has(libc::IFF_NAPI),
        Feature::Persist | Feature::Owner | Feature::Wake => driver_has(0),
        Feature::Steering => driver_is_since(4, 16),
        Feature::Carrier => driver_is_since(5, 0),
        Feature::Follow => driver_is_since(5, 4),
        Feature::Uso => driver_is_since(6, 2),
        Feature::TunnelGso => driver_is_since(6, 17),
        Feature::Ipv4 => has_family(libc::AF_INET),
        Feature::Ipv6 | Feature::Ipv6Settings => has_family(libc::AF_INET6),
        Feature::DefaultRoute | Feature::Bypass => has_policy_routing(),
        Feature::Route | Feature::FindRoute | Feature::Rename | Feature::Master | Feature::Monitor => {
            Socket::open().map(|_| true)
        }
        Feature::Namespace => has_namespaces(),
    }
}

impl Queue {
    /// Whether the feature is available on this device, whose modes were fixed when it was created.
    pub(super) fn has_capability(&self, feature: Feature) -> Result<bool> {
        let alive = self.node.granted();
        alive.map_err(|errno| self.refused("query the modes of", errno))?;
        match feature {
            Feature::Tun => Ok(self.mode.kind == Kind::Tun),
            Feature::Tap => Ok(self.mode.kind == Kind::Tap),
            Feature::Pi => Ok(self.mode.pi),
            Feature::MultiQueue => Ok(self.mode.multi_queue),
            Feature::Offload => Ok(self.mode.offload),
            Feature::Napi => Ok(self.mode.napi),
            Feature::Persist | Feature::Owner | Feature::Wake => Ok(true),
            Feature::Steering => self.knows(ioctl::tunsetsteeringebpf),
            Feature::Carrier => self.knows(ioctl::tunsetcarrier),
            Feature::Follow => self.is_followed(),
            Feature::Uso => self.can_offload(F_USO4 | F_USO6),
            Feature::TunnelGso => Ok(self.layout.has_tunnels() && self.can_offload(F_UDP_TUNNEL_GSO)?),
            Feature::Route | Feature::Rename | Feature::Master | Feature::Monitor => {
                self.link(&mut self.begin_call()).map(|_| true)
            }
            Feature::Ipv6Settings => Ok(self.link(&mut self.begin_call())?.ipv6.is_some()),
            Feature::Ipv4
            | Feature::Ipv6
            | Feature::Namespace
            | Feature::FindRoute
            | Feature::DefaultRoute
            | Feature::Bypass => kernel_has(feature),
        }
    }

    fn knows(&self, request: ioctl::ReadsInt) -> Result<bool> {
        self.node.knows(request).map_err(|errno| self.refused("query the features of", errno))
    }

    /// Whether the driver reports the namespace of the device.
    fn is_followed(&self) -> Result<bool> {
        match self.control().namespace_fd(&self.node) {
            Ok(_) => Ok(true),
            Err(Errno::EINVAL | Errno::ENOTTY) => Ok(false),
            Err(errno) => Err(self.refused("query the namespace of", errno)),
        }
    }

    /// Whether any of these offloads can be turned on.
    fn can_offload(&self, offloads: u64) -> Result<bool> {
        let available = |netlink: &mut Socket, it: Interface| Ok(offload::available(netlink.fd(), &it.name)?);
        let available = self.query(&mut self.begin_call(), available, "query the offloads of")?;
        Ok(self.mode.offload && available & offloads != 0)
    }
}

fn failed(errno: Errno) -> Error {
    Error::system(errno, "query the features of the kernel")
}

/// Whether the driver accepts this flag of TUNSETIFF. Fails if there is no driver.
fn driver_has(flag: libc::c_int) -> Result<bool> {
    let features = Node::open(Path::new(USUAL_NODE))?.features().map_err(failed)?;
    Ok(features & flag as u32 == flag as u32)
}

/// Whether the kernel has at least this version. Fails if there is no driver.
fn driver_is_since(major: u32, minor: u32) -> Result<bool> {
    Node::open(Path::new(USUAL_NODE))?;
    Ok(version()? >= (major, minor))
}

/// Fails if the route is for the table that the kernel maintains, whose routes are not listed, or if the kernel ignores
/// its gateway (RTA_VIA, since Linux 5.2): it would add a route without one.
pub(super) fn check_route(route: &Route) -> Result<()> {
    if route.details.table == LOCAL_TABLE {
        let text = text!("add the route {route}: the kernel maintains the local table: use another one");
        return Err(Error::new(Errno::EINVAL, Reason::Argument, text));
    }
    if !route.has_gateway_of_another_family() || version()? >= (5, 2) {
        return Ok(());
    }
    let text = text!("add the route {route}: an IPv4 route with an IPv6 gateway needs Linux 5.2");
    Err(Error::new(Errno::EOPNOTSUPP, Reason::Kernel, text))
}

/// The first two numbers of the kernel's version.
fn version() -> Result<(u32, u32)> {
    // SAFETY: a utsname may be all zeros, and the kernel writes one.
    let name = unsafe {
        let mut name: libc::utsname = mem::zeroed();
        Errno::result(libc::uname(&raw mut name)).map_err(failed)?;
        name
    };
    let mut numbers = name.release.split(|byte| !(*byte as u8).is_ascii_digit()).map(number);
    Ok((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)))
}

fn number(digits: &[libc::c_char]) -> u32 {
    let digit = |byte: &libc::c_char| u32::from((*byte as u8).wrapping_sub(b'0'));
    digits.iter().fold(0, |number: u32, byte| number.saturating_mul(10).saturating_add(digit(byte)))
}

fn has_family(family: libc::c_int) -> Result<bool> {
    match file::socket(family) {
        Ok(_) => Ok(true),
        Err(Errno::EAFNOSUPPORT) => Ok(false),
        Err(errno) => Err(failed(errno)),
    }
}

/// Whether the kernel has rules for IPv4 (CONFIG_IP_MULTIPLE_TABLES).
fn has_policy_routing() -> Result<bool> {
    match rule::list_family(&mut Socket::open()?, Family::V4) {
        Ok(_) => Ok(true),
        Err(refusal) if refusal.lacks_rules() => Ok(false),
        Err(refusal) => Err(failed(refusal.errno)),
    }
}

/// A kernel without network namespaces has no /proc/self/ns/net. Fails if /proc is not mounted.
fn has_namespaces() -> Result<bool> {
    let has = |path: &str| match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) => Err(failed(Errno::from_raw(error.raw_os_error().unwrap_or(0)))),
    };
    if has("/proc/self/ns/net")? {
        return Ok(true);
    }
    if has("/proc/self/ns")? { Ok(false) } else { Err(failed(Errno::ENOENT)) }
}
