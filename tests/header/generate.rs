// SPDX-License-Identifier: MIT
//! Prints include/tuntap.h, generated from src/capi: constants from the tables made by src/model/table.rs, structs and
//! functions by cbindgen. `make header` writes the file.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use tuntap::capi::{address as caddress, error as cerror, feature as cfeature, presence, size};
use tuntap::model::error::Reason;
use tuntap::model::event::Kind;
use tuntap::model::feature::Feature;
use tuntap::model::table::Table;
use tuntap::model::{assigned, default_route, flags, ipv6, offload, readiness, route, steering, vnet_hdr};

/// A section of the header.
struct Section {
    name: &'static str,
    about: &'static str,
    constants: &'static [Table],
    /// A file of src/capi.
    source: &'static str,
    /// Another one, with structs that the functions of `source` share with those of later sections.
    structs: Option<&'static str>,
}

impl Section {
    const fn with_structs_of(self, file: &'static str) -> Self {
        Self { structs: Some(file), ..self }
    }
}

const fn section(
    name: &'static str,
    about: &'static str,
    constants: &'static [Table],
    source: &'static str,
) -> Section {
    Section { name, about, constants, source, structs: None }
}

/// In the order of the header.
const SECTIONS: &[Section] = &[
    section(
        "Errors",
        "The error that a function fills in on failure.",
        &[cerror::SIZES, Reason::TABLE],
        "error",
    ),
    section(
        "Devices",
        "Opening and closing devices, their properties, and sizes of buffers.",
        &[flags::FLAGS, size::SIZES],
        "device",
    ),
    section(
        "Devices of the system",
        "All devices of the system, and the features of the kernel.",
        &[presence::IDS],
        "presence",
    ),
    section("Packets", "Reading and writing one packet at a time.", &[], "packet"),
    section(
        "Waiting",
        "Waiting for packets and for room to write, and stopping threads that wait.",
        &[readiness::WAITS],
        "wait",
    ),
    section(
        "Interface",
        "Up and down, MTU, MAC address, name, queue lengths, counters.",
        &[offload::OFFLOADS],
        "link",
    ),
    section("Master", "The bridge, or another interface, that the device is a port of.", &[], "master"),
    section(
        "IPv6",
        "How the kernel configures IPv6 on the device by itself.",
        &[ipv6::Setting::TABLE],
        "ipv6",
    ),
    section(
        "Addresses",
        "IPv4 and IPv6 addresses of a device: all of them, or the first one.",
        &[flags::CALL_FLAGS, assigned::FLAGS, assigned::Scope::TABLE, caddress::FAMILIES],
        "address",
    ),
    section("Routes", "Routes through a device.", &[route::FLAGS, route::Type::TABLE], "route"),
    section(
        "Default routes",
        "Routing everything through a device, except what bypasses it.",
        &[default_route::FLAGS],
        "default_route",
    ),
    section("Options", "Options of an open that are not flags.", &[vnet_hdr::ENDIANS], "config"),
    section("Namespaces", "Moving a device to another network namespace.", &[], "namespace"),
    section("Queues", "Several queues for one device, each with its own handle.", &[], "queue"),
    section("Readers", "Reading packets in batches: faster than one by one.", &[], "reader")
        .with_structs_of("packets"),
    section("Writers", "Writing packets in batches: faster than one by one.", &[], "writer"),
    section(
        "Super-packets",
        "Reading and writing the super-packets of a device with TUNTAP_OFFLOAD.",
        &[vnet_hdr::FLAGS, vnet_hdr::GSO_TYPES],
        "offload",
    ),
    section(
        "Splitters",
        "Splitting super-packets into packets, in memory, without a device.",
        &[],
        "splitter",
    ),
    section("Joiners", "Joining packets into super-packets, in memory, without a device.", &[], "joiner"),
    section(
        "Programs and filters",
        "Programs and filters that the kernel runs for each packet.",
        &[steering::FLAGS],
        "steering",
    ),
    section("Monitors", "Watching devices for changes.", &[flags::MONITOR_FLAGS, Kind::TABLE], "monitor"),
    section(
        "Version and features",
        "The version of the library, and its features on this operating system.",
        &[cfeature::VERSIONS, cfeature::NUMBER, Feature::TABLE],
        "feature",
    ),
];

const INCLUDES: &str = "
#ifndef TUNTAP_H
#define TUNTAP_H

#include <stddef.h>
#include <stdint.h>
#ifdef _MSC_VER
#include <BaseTsd.h>
typedef SSIZE_T ssize_t;
#else
#include <sys/types.h>
#endif
#ifndef _WIN32
#include <sys/uio.h>
#endif

#ifdef __cplusplus
extern \"C\" {
#endif

";

const END: &str = "
#ifdef __cplusplus
}
#endif

#endif /* TUNTAP_H */
";

fn banner(Section { name, about, .. }: &Section) -> String {
    format!("\n/* {}\n * {name}\n *\n * {about}\n */\n", "-".repeat(76))
}

/// Writes the constants of a table. Bits are hexadecimal.
fn constants(table: &Table) -> String {
    let mut made = String::new();
    for constant in table.constants {
        made += "\n/**\n";
        for line in constant.doc.lines() {
            writeln!(made, " *{line}").unwrap();
        }
        let number = constant.number;
        let number = if table.bits { format!("{number:#x}") } else { number.to_string() };
        write!(made, " */\n#define {} {number}\n", constant.name).unwrap();
    }
    made
}

/// The declarations that cbindgen generates for files. Adds a tag to each typedef of a struct, so that other headers
/// can declare it.
fn declarations(config: cbindgen::Config, sources: impl Iterator<Item = PathBuf>) -> String {
    let builder = sources.fold(cbindgen::Builder::new().with_config(config), cbindgen::Builder::with_src);
    let bindings = builder.generate().unwrap();
    let mut made = Vec::new();
    bindings.write(&mut made);
    let made = String::from_utf8(made).unwrap();
    let (mut tagged, mut rest) = (String::new(), made.as_str());
    while let Some((before, after)) = rest.split_once("typedef struct {") {
        let name = after.split_once("\n} ").unwrap().1.split_once(';').unwrap().0;
        write!(tagged, "{before}typedef struct {name} {{").unwrap();
        rest = after;
    }
    tagged + rest
}

fn header(root: &Path) -> String {
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let rules = config.header.take().unwrap();
    let objects = config.after_includes.take().unwrap();
    let mut made = rules.trim_start().to_owned() + INCLUDES + &objects + "\n";
    for section in SECTIONS {
        made += &banner(section);
        section.constants.iter().for_each(|table| made += &constants(table));
        let files = [Some(section.source), section.structs].into_iter().flatten();
        let sources = files.map(|file| root.join("src/capi").join(file).with_extension("rs"));
        let declared = declarations(config.clone(), sources);
        write!(made, "\n{}\n", declared.trim()).unwrap();
    }
    made + END
}

fn main() {
    print!("{}", header(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")));
}
