// SPDX-License-Identifier: MIT
//! Where an internal fault ends, in place of std's handlers: see the Makefile.

#![allow(unsafe_code)]

use std::io::{self, Write};
use std::panic::Location;
use std::process;

/// Stands in for the panic handler, which is called by Rust's ABI as all of std's handlers are.
#[unsafe(no_mangle)]
extern "Rust" fn tuntap_panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    end(info.location(), &info.message())
}

/// Stands in for the handler of an allocation that failed.
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
