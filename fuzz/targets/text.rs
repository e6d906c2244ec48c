// SPDX-License-Identifier: MIT
//! Parses any bytes as names, addresses, networks, netmasks and paths. A value that is formatted must parse to the same
//! value, and an error message must have no character that a terminal interprets.
#![no_main]

use std::fmt::Display;

use libfuzzer_sys::fuzz_target;
use tuntap::model::address::{AddressRequest, parse_ipv4_host};
use tuntap::model::error::{Errno, Result};
use tuntap::model::link::{Alias, Mac};
use tuntap::model::name::{Name, NameRequest};
use tuntap::model::prefix::{Parsed, Prefix, parse_host};
use tuntap::model::route::Route;
use tuntap::model::text::{MAX_LEN, Text, Untrusted};

fuzz_target!(|input: &[u8]| {
    names(input);
    macs(input);
    parsed(Alias::new(input));
    assert_printable(&Text::from(format_args!("{}", Untrusted(input))));
    assert_printable(&Text::from(String::from_utf8_lossy(input).as_ref()));
    let mut parts = input.split(|byte| *byte == b' ').map(str::from_utf8);
    let (Some(Ok(first)), second) = (parts.next(), parts.next().and_then(|part| part.ok())) else { return };
    addresses(first, second);
    routes(first, second);
});

fn names(input: &[u8]) {
    if let Some(name) = parsed(Name::new(input)) {
        assert_eq!(name.as_bytes(), input);
        assert_eq!(name.with_nul()[..input.len()], *input);
        // A name with other bytes is escaped.
        if input.iter().all(|byte| byte.is_ascii_graphic() && !b"\\'\"".contains(byte)) {
            assert_eq!(Name::new(name.to_string().as_bytes()).unwrap(), name);
        }
        assert_printable(&Text::from(format_args!("{name}")));
    }
    match parsed(NameRequest::parse(input)) {
        Some(NameRequest::Any) => assert!(input.is_empty()),
        Some(request) => assert_eq!(NameRequest::parse(request.as_bytes()).unwrap(), request),
        None => assert!(Name::parse(input).is_err()),
    }
}

fn macs(input: &[u8]) {
    let Ok(octets) = <[u8; 6]>::try_from(input) else { return };
    let Some(mac) = parsed(Mac::new(octets)) else { return };
    let text = mac.to_string();
    let read = text.split(':').map(|pair| u8::from_str_radix(pair, 16).unwrap());
    assert!(read.eq(octets) && mac.octets() == octets);
}

fn addresses(first: &str, second: Option<&str>) {
    if let Some(ip) = parsed(parse_host(first)) {
        assert_eq!(parse_host(&ip.to_string()).unwrap(), ip);
    }
    if let Some(ip) = parsed(parse_ipv4_host(first)) {
        assert_eq!(parse_ipv4_host(&ip.to_string()).unwrap(), ip);
    }
    if let Some(prefix) = parsed(Prefix::parse_netmask(first)) {
        assert_eq!(Prefix::parse_netmask(&prefix.netmask().to_string()).unwrap(), prefix);
    }
    if let Some(parsed) = parsed(Parsed::new(first)) {
        let (ip, prefix) = (parsed.ip, parsed.prefix_or_host());
        let again = Parsed::new(&format!("{ip}/{}", prefix.bits())).unwrap();
        assert_eq!((again.ip, again.prefix_or_host()), (ip, prefix));
        assert_eq!(prefix.network(prefix.network(ip)), prefix.network(ip));
    }
    if let Some(request) = parsed(AddressRequest::parse(first, second)) {
        let address = request.address();
        let (local, bits) = (address.local(), address.prefix().bits());
        let peer = address.peer().map(|peer| peer.to_string());
        let again = AddressRequest::parse(&format!("{local}/{bits}"), peer.as_deref()).unwrap();
        assert_eq!(again.address(), address);
        assert_printable(&Text::from(format_args!("{address}")));
    }
}

fn routes(first: &str, second: Option<&str>) {
    let Some(route) = parsed(Route::parse(first, second, 7, 100)) else { return };
    let gateway = route.gateway().map(|gateway| gateway.to_string());
    let network = format!("{}/{}", route.network(), route.prefix().bits());
    assert_eq!(Route::parse(&network, gateway.as_deref(), 7, 100).unwrap(), route);
}

/// The parsed value. An error must have a message.
fn parsed<T>(result: Result<T>) -> Option<T> {
    result
        .inspect_err(|error| {
            assert!(!error.message().is_empty() && error.errno() == Errno::EINVAL);
            assert_printable(error);
        })
        .ok()
}

/// The text has no control characters.
fn assert_printable(text: &impl Display) {
    let text = text.to_string();
    assert!(text.len() <= MAX_LEN && !text.contains(char::is_control), "{text:?}");
}
