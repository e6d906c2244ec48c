// SPDX-License-Identifier: MIT
//! A file of src/ uses its own layer and lower ones only, and `unsafe` is only in some layers.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// The lowest first.
const LAYERS: [&str; 6] = ["model", "cpu", "sys", "offload", "device", "capi"];

/// Modules outside of the layers, which no layer may use.
const OUTSIDE: [&str; 3] = ["fuzzing", "fault", "lib"];

const UNSAFE: [&str; 4] = ["capi", "sys", "cpu", "fault"];

/// Tests that run the whole library over the simulated kernel.
const DARWIN_TESTS: &str = "src/sys/darwin/tests/";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All source files: the path relative to the root, and the text.
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

/// The module path of a file: ["sys", "linux", "link"] for src/sys/linux/link.rs.
fn module(file: &str) -> Vec<&str> {
    let path = file.strip_prefix("src/").and_then(|file| file.strip_suffix(".rs")).unwrap();
    path.split('/').filter(|part| *part != "mod").collect()
}

/// A source with spaces in place of comments and of text in quotes. Lines and line lengths stay the same.
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

/// The length in bytes of the string literal at the start.
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

/// A path that begins with `crate` (`supers` is 0) or with this number of `super`, and the number of its line.
struct Found {
    line: usize,
    supers: usize,
    names: Vec<String>,
}

/// All paths that begin with `crate::` or `super::`. A group, such as `crate::{a::B, c}`, has several names.
fn paths(code: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        // The rest of a chain of `super` was counted at its start. `$crate` counts as `crate`.
        if code[..at].ends_with("::") || code[..at].ends_with(is_word) {
            continue;
        }
        let mut rest = code[at..].strip_prefix("crate::").unwrap_or(&code[at..]);
        let mut supers = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, supers) = (after, supers + 1);
        }
        let names = match rest.strip_prefix('{') {
            Some(group) => first_names(group),
            None => vec![rest.chars().take_while(|c| is_word(*c)).collect()],
        };
        found.push(Found { line: code[..at].matches('\n').count() + 1, supers, names });
    }
    found
}

/// The first name of each path in a group. `group` is the text after its opening brace.
fn first_names(group: &str) -> Vec<String> {
    let (mut first_names, mut depth) = (vec![String::new()], 0);
    let mut is_first = true;
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                first_names.push(String::new());
                is_first = true;
            }
            c if depth == 0 && is_first && (c.is_alphanumeric() || c == '_') => {
                first_names.last_mut().unwrap().push(c);
            }
            c if !c.is_whitespace() => is_first = false,
            _ => {}
        }
    }
    first_names.retain(|name| !name.is_empty());
    first_names
}

/// The number of inline modules (`mod tests { … }`) around a line, by the indentation of rustfmt.
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

/// The uses of higher layers in a file, each as `file:line: …`.
fn upward_uses(file: &str, text: &str) -> Vec<String> {
    let here = module(file);
    let own = LAYERS.iter().position(|layer| *layer == here[0]);
    if OUTSIDE.contains(&here[0]) || file.starts_with(DARWIN_TESTS) {
        return Vec::new();
    }
    let own =
        own.unwrap_or_else(|| panic!("{file} is of no layer: move it, or name its layer in {}", file!()));
    let code = code(text);
    let mut wrong = Vec::new();
    for Found { line, supers, names } in paths(&code) {
        let up = if supers == 0 { 0 } else { supers.saturating_sub(inline_modules(&code, line)) };
        // The path stays in its layer.
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
fn no_layer_uses_a_higher_one() {
    let wrong: Vec<_> = sources().iter().flat_map(|(file, text)| upward_uses(file, text)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_is_only_in_allowed_layers() {
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
fn upward_uses_are_found() {
    let wrong = |file, text| upward_uses(file, text).len();
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
