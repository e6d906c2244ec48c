// SPDX-License-Identifier: MIT
//! include/tuntap.h is what cbindgen makes of src/capi. `make header` writes it anew (TUNTAP_BLESS=1).

use std::path::Path;
use std::{env, fs};

/// In the order in which the header is best read.
const SOURCES: [&str; 18] = [
    "feature",
    "error",
    "flags",
    "config",
    "device",
    "link",
    "address",
    "route",
    "namespace",
    "packet",
    "queue",
    "offload",
    "reader",
    "writer",
    "splitter",
    "joiner",
    "steering",
    "monitor",
];

#[test]
fn the_committed_header_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("include/tuntap.h");
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let sources = SOURCES.map(|name| root.join("src/capi").join(name).with_extension("rs"));
    let bindings = sources
        .iter()
        .fold(cbindgen::Builder::new(), |builder, source| builder.with_src(source))
        .with_config(config)
        .generate()
        .unwrap();
    let mut made = Vec::new();
    bindings.write(&mut made);
    // The typedef's name alone, as for the opaque types, which cbindgen does not know to be structs; and the one type
    // that is not ours.
    let mut made = String::from_utf8(made)
        .unwrap()
        .replace("const iovec *", "const struct iovec *")
        .replace("    iovec *", "    struct iovec *")
        .replace(" iovec *packets", " struct iovec *packets")
        .replace("struct struct", "struct");
    for name in ["error", "addr", "route", "stats", "event", "offload"] {
        made = made.replace(&format!("struct tuntap_{name} *"), &format!("tuntap_{name} *"));
    }
    if env::var_os("TUNTAP_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "include/tuntap.h is not what cbindgen makes of src/capi: run `make header`");
}
