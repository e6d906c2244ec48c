// SPDX-License-Identifier: MIT
//! Tests of the whole library over a simulated kernel. They check the state of the kernel, not what the library reports
//! about it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "clippy does not count helpers as tests"
)]

mod address;
mod bypass;
mod default_route;
mod faults;
mod feth;
mod lookup;
mod missing;
mod monitor;
mod open;
mod route;
mod utun;

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd};
use std::time::Duration;

use crate::device::config::Config;
use crate::device::{Device, presence};
use crate::model::address::AddressRequest;
use crate::model::assigned::Options;
use crate::model::error::{Errno, Error, Reason, Result};
use crate::model::feature::Feature;
use crate::model::flags::{self, FdFlags, Flags};
use crate::model::limit::Limit;
use crate::model::name::{Name, NameRequest};
use crate::model::route::Route;
use crate::sys::darwin::layout::{RTF_GATEWAY, RTF_IFSCOPE, RTF_UP};
use crate::sys::darwin::simulated::{Machine, run_pending};

/// How long to wait where no answer is expected: an answer would come at once.
const SHORT: Limit = Limit::For(Duration::from_millis(20));
/// How long to wait for an expected answer.
const LONG: Limit = Limit::For(Duration::from_secs(5));

fn open_with(name: &str, bits: u64, config: &Config) -> Result<Device> {
    Device::open(&NameRequest::parse(name.as_bytes())?, &Flags::parse(bits)?, config)
}

fn open(name: &str, bits: u64) -> Result<Device> {
    open_with(name, bits, &Config::default())
}

fn tun(name: &str) -> Device {
    open(name, flags::TUN).unwrap()
}

fn tap(name: &str) -> Device {
    open(name, flags::TAP).unwrap()
}

/// A TUN with an address of each family.
fn with_addresses() -> Device {
    let device = tun("utun7");
    for text in ["10.8.0.1/24", "fd00::1/64"] {
        device.add_addr(&AddressRequest::parse(text, None).unwrap(), &Options::default(), false).unwrap();
    }
    device
}

/// An uplink with IPv6: an address, and a router that has only a link-local one.
fn with_ipv6(machine: &Machine) {
    machine.add_address("en0", "fe80::10", 64);
    machine.add_address("en0", "2001:db8::10", 64);
    machine.add_route("en0", "fe80::", 64, RTF_UP | RTF_IFSCOPE);
    machine.add_route("en0", "2001:db8::", 64, RTF_UP);
    machine.add_route_via("en0", "::", 0, Some("fe80::1"), RTF_UP | RTF_GATEWAY);
}

/// An error without its message.
fn kind(error: Error) -> (Errno, Reason) {
    assert!(error.message().contains(' '), "{error}");
    (error.errno(), error.reason())
}

fn refusal<T>(result: Result<T>) -> (Errno, Reason) {
    kind(result.err().expect("it was not refused"))
}

/// Reads one waiting packet into a buffer of this size.
fn read_into(device: &Device, size: usize) -> std::result::Result<Vec<u8>, Errno> {
    let mut buf = vec![MaybeUninit::uninit(); size];
    let length = device.read(&mut buf, Limit::For(Duration::ZERO))?;
    // SAFETY: this number of bytes was read.
    Ok(buf[..length].iter().map(|byte| unsafe { byte.assume_init() }).collect())
}

fn read(device: &Device) -> std::result::Result<Vec<u8>, Errno> {
    read_into(device, device.read_size())
}

fn is_readable(fd: BorrowedFd<'_>) -> bool {
    run_pending();
    let mut entry = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry.
    unsafe { libc::poll(&raw mut entry, 1, 0) == 1 }
}

/// An IPv4 packet with this payload.
fn ipv4(payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 20];
    packet[0] = 0x45;
    packet.extend(payload);
    packet
}

/// An IPv6 packet with this payload.
fn ipv6(payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 40];
    packet[0] = 0x60;
    packet.extend(payload);
    packet
}

/// An Ethernet frame with this payload.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff; 12];
    frame.extend([0x88, 0xb5]);
    frame.extend(payload);
    frame
}
