// SPDX-License-Identifier: MIT
//! Handlers of internal faults, which replace those of std: see the Makefile.

#![allow(unsafe_code)]

use std::io::{self, Write};
use std::panic::Location;
use std::process;

/// Replaces the panic handler. Like all handlers of std it is called with Rust's ABI.
#[unsafe(no_mangle)]
extern "Rust" fn tuntap_panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    end(info.location(), &info.message())
}

/// Replaces the handler of a failed allocation.
#[unsafe(no_mangle)]
extern "Rust" fn tuntap_out_of_memory(size: usize, _align: usize) -> ! {
    end(None, &format_args!("no memory for {size} bytes"))
}

fn end(location: Option<&Location<'_>>, message: &dyn std::fmt::Display) -> ! {
    let mut stderr = io::stderr();
    let _ = match location {
        Some(location) => writeln!(stderr, "libtuntap: internal fault at {location}: {message}"),
        None => writeln!(stderr, "libtuntap: {message}"),
    };
    process::abort()
}
