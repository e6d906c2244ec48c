// SPDX-License-Identifier: MIT
//! Gives the library of a plain `cargo build` its soname, and asks the compiler for AVX-512. `make` links the library
//! to install by itself, with symbol versions, which cargo cannot give it.

use std::env;
use std::process::Command;

/// The minor version of Rust 1 since which AVX-512 is stable.
const AVX512_SINCE: u32 = 89;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(tuntap_avx512)");
    if rust_minor().is_some_and(|minor| minor >= AVX512_SINCE) {
        println!("cargo:rustc-cfg=tuntap_avx512");
    }
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libtuntap.so.0");
    }
}

/// 95 of "rustc 1.95.0 (…)".
fn rust_minor() -> Option<u32> {
    let output = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()?.split('.').nth(1)?.parse().ok()
}
