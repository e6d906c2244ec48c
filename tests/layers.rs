// SPDX-License-Identifier: MIT
//! A file of src/ uses its own layer and lower ones only, and `unsafe` stays where it belongs.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// The lowest first.
const LAYERS: [&str; 6] = ["model", "cpu", "sys", "offload", "device", "capi"];

/// Beside the layers: no layer may use them.
const BESIDE: [&str; 3] = ["fuzzing", "fault", "lib"];

const UNSAFE: [&str; 4] = ["capi", "sys", "cpu", "fault"];

/// Run the whole library over the simulated kernel.
const WHOLE: &str = "src/sys/darwin/tests/";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source, with its path from the root.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("src"), &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_string();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The modules that a file is: ["sys", "linux", "link"] for src/sys/linux/link.rs.
fn module(file: &str) -> Vec<&str> {
    let path = file.strip_prefix("src/").and_then(|file| file.strip_suffix(".rs")).unwrap();
    path.split('/').filter(|part| *part != "mod").collect()
}

/// A source without comments and what is in quotes: as many lines, of as many bytes.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => quoted(rest),
            '\'' if rest.starts_with("'\\") || rest.chars().nth(2) == Some('\'') => {
                rest[2..].find('\'').map_or(1, |end| end + 3)
            }
            _ => 0,
        };
        let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
        match length {
            0 => code.push(first),
            _ => code.extend(rest[..length].chars().map(blank)),
        }
        rest = &rest[length.max(first.len_utf8())..];
    }
    code
}

/// Bytes of the string that this begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    text.len()
}

/// A path that leaves its module, by the number of its line: from the crate, or by so many `super`.
struct Found {
    line: usize,
    supers: usize,
    names: Vec<String>,
}

/// All paths that begin with `crate::` or `super::`. Of a group, `crate::{a::B, c}`, there are several names.
fn paths(code: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        // The rest of a chain of `super` belongs to its beginning; `$crate` is `crate`.
        if code[..at].ends_with("::") || code[..at].ends_with(is_word) {
            continue;
        }
        let mut rest = code[at..].strip_prefix("crate::").unwrap_or(&code[at..]);
        let mut supers = 0;
        while let Some(behind) = rest.strip_prefix("super::") {
            (rest, supers) = (behind, supers + 1);
        }
        let names = match rest.strip_prefix('{') {
            Some(group) => heads(group),
            None => vec![rest.chars().take_while(|c| is_word(*c)).collect()],
        };
        found.push(Found { line: code[..at].matches('\n').count() + 1, supers, names });
    }
    found
}

/// The first names in a group, of which this is what comes after its opening brace.
fn heads(group: &str) -> Vec<String> {
    let (mut heads, mut depth) = (vec![String::new()], 0);
    let mut is_head = true;
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(String::new());
                is_head = true;
            }
            c if depth == 0 && is_head && (c.is_alphanumeric() || c == '_') => {
                heads.last_mut().unwrap().push(c);
            }
            c if !c.is_whitespace() => is_head = false,
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

/// Modules that are written in a file, around a line: `mod tests { … }`. rustfmt gives each its indent.
fn inline_modules(code: &str, line: usize) -> usize {
    let lines: Vec<_> = code.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (mut depth, mut inner) = (0, indent(lines[line - 1]));
    for above in lines[..line - 1].iter().rev().filter(|line| !line.trim().is_empty()) {
        if indent(above) >= inner {
            continue;
        }
        inner = indent(above);
        let mut words = above.split(['(', ')', ' ']).filter(|word| !word.is_empty());
        if words.any(|word| word == "mod") && above.ends_with('{') {
            depth += 1;
        }
    }
    depth
}

/// What runs up in one file: `file:line: …`.
fn upward(file: &str, text: &str) -> Vec<String> {
    let here = module(file);
    let own = LAYERS.iter().position(|layer| *layer == here[0]);
    if BESIDE.contains(&here[0]) || file.starts_with(WHOLE) {
        return Vec::new();
    }
    let own =
        own.unwrap_or_else(|| panic!("{file} is of no layer: move it, or name its layer in {}", file!()));
    let code = code(text);
    let mut wrong = Vec::new();
    for Found { line, supers, names } in paths(&code) {
        let up = if supers == 0 { 0 } else { supers.saturating_sub(inline_modules(&code, line)) };
        // So many `super` stay in the layer, and the file's own module is one of those that they leave.
        if supers != 0 && up < here.len() {
            continue;
        }
        for name in names {
            match LAYERS.iter().position(|layer| *layer == name) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!("{file}:{line}: {} uses {name}, which is above it", here[0])),
                None => wrong.push(format!("{file}:{line}: {} uses {name}, which is no layer", here[0])),
            }
        }
    }
    wrong
}

#[test]
fn no_layer_uses_one_above_it() {
    let wrong: Vec<_> = sources().iter().flat_map(|(file, text)| upward(file, text)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_stays_in_its_layers() {
    let sources = sources();
    let mut wrong = Vec::new();
    let mut has = 0;
    for (file, text) in &sources {
        for (line, code) in (1..).zip(code(text).lines()) {
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            if !words.any(|word| word == "unsafe" || word == "unsafe_code") {
                continue;
            }
            has += 1;
            if !UNSAFE.contains(&module(file)[0]) {
                wrong.push(format!("{file}:{line}: unsafe belongs in {}", UNSAFE.join(", ")));
            }
        }
    }
    assert!(has > 100, "the search finds what there is");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn an_edge_that_runs_up_is_found() {
    let wrong = |file, text| upward(file, text).len();
    assert_eq!(wrong("src/model/name.rs", "use crate::sys::Queue;\n"), 1);
    assert_eq!(wrong("src/model/mod.rs", "fn f() { crate::device::f() }\n"), 1);
    assert_eq!(wrong("src/sys/linux/mod.rs", "use crate::{model::name, device::Device, capi};\n"), 2);
    assert_eq!(wrong("src/sys/linux/link.rs", "use super::super::super::offload;\n"), 1);
    assert_eq!(wrong("src/sys/linux/link.rs", "mod tests {\n    use super::super::super::linux;\n}\n"), 0);
    assert_eq!(wrong("src/sys/linux/link.rs", "use super::super::offload;\n"), 0);
    assert_eq!(wrong("src/model/text.rs", "mod tests {\n    use super::super::super::cpu;\n}\n"), 1);
    assert_eq!(wrong("src/offload/mod.rs", "pub(in crate::offload) fn f() {}\nuse super::device;\n"), 1);
    assert_eq!(wrong("src/capi/mod.rs", "use crate::fault;\n"), 1);
    assert_eq!(wrong("src/model/name.rs", "// crate::sys\nconst A: &str = \"crate::sys\";\n"), 0);
    assert_eq!(wrong("src/device/mod.rs", "use crate::sys::Queue;\nuse crate::model::name::Name;\n"), 0);
}
