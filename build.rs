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
    // The Darwin backend over a simulated kernel: tests/darwin.sh.
    println!("cargo:rustc-check-cfg=cfg(tuntap_simulated)");
    // Under a fuzzer, which wants the same each time: tests/fuzz.sh.
    println!("cargo:rustc-check-cfg=cfg(fuzzing)");
    if rust_minor().is_some_and(|minor| minor >= AVX512_SINCE) {
        println!("cargo:rustc-cfg=tuntap_avx512");
    }
    for argument in identity() {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
}

/// What the dynamic linker knows the library by. On Darwin any program's run path leads to it; the loader refuses a
/// library whose compatibility version is less than that of the one which the program was linked to.
fn identity() -> Vec<String> {
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => vec!["-Wl,-soname,libtuntap.so.0".to_owned()],
        Ok("macos") => vec![
            "-Wl,-install_name,@rpath/libtuntap.0.dylib".to_owned(),
            "-Wl,-compatibility_version,0.0.0".to_owned(),
            format!("-Wl,-current_version,{version}"),
        ],
        _ => Vec::new(),
    }
}

/// 95 of "rustc 1.95.0 (…)".
fn rust_minor() -> Option<u32> {
    let output = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()?.split('.').nth(1)?.parse().ok()
}
