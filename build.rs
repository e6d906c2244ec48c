// SPDX-License-Identifier: MIT
//! Gives the library of a plain `cargo build` its soname. `make` links the one to install by itself, with
//! symbol versions, which cargo cannot give it.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libtuntap.so.0");
    }
}
