//! The rules of the layout, tried on the sources themselves: who may import what, what lies where, how a
//! file begins and what it never says. Each rule carries a source that breaks it and one that keeps it.
//!
//! ```text
//! domain ◀── platform ◀── services ◀── gridward, tests
//! ```

mod code;
mod crates;
mod find;
mod rules;

use std::fmt;
use std::fs;
use std::path::Path;

use crates::{SERVICES, service};
use rules::RULES;

/// A text file; its path is from the root of the sources, with `/`.
struct Source {
    path: String,
    text: String,
}

/// A rule, why there is one, and what shows that it is looked after.
struct Rule {
    says: &'static str,
    because: &'static str,
    breaks: fn(&Source) -> Vec<Found>,
    /// Path and text of sources that break it, and the line that does.
    bad: &'static [(&'static str, &'static str, usize)],
    /// Path and text of sources that come close and keep it.
    good: &'static [(&'static str, &'static str)],
}

/// Where a source breaks a rule, and what stands there.
struct Found {
    line: usize,
    what: String,
}

struct Fault<'a> {
    path: &'a str,
    found: Found,
    rule: &'a Rule,
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, found, rule } = self;
        writeln!(f, "{path}:{}: {}", found.line, found.what)?;
        write!(f, "    {}: {}", rule.says, rule.because)
    }
}

#[test]
fn the_sources_keep_every_rule() {
    let sources = sources();
    let read = |path: &str| sources.iter().any(|source| source.path == path);
    assert!(read("shared/domain/src/case/mod.rs") && read("tests/Cargo.toml") && read(".ci/run"));
    let faults: Vec<String> = sources.iter().flat_map(faults).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{} faults\n\n{}\n", faults.len(), faults.join("\n"));
}

#[test]
fn each_rule_finds_what_breaks_it_and_leaves_what_keeps_it() {
    for rule in RULES {
        assert!(!rule.bad.is_empty() && !rule.good.is_empty(), "{}", rule.says);
        for (path, text, line) in rule.bad {
            let lines: Vec<usize> =
                (rule.breaks)(&source(path, text)).iter().map(|found| found.line).collect();
            assert_eq!(lines, [*line], "{}\n{path}\n{text}", rule.says);
        }
        for (path, text) in rule.good {
            let found = (rule.breaks)(&source(path, text));
            assert!(found.is_empty(), "{}\n{path}:{}: {}", rule.says, found[0].line, found[0].what);
        }
    }
}

#[test]
fn a_fault_names_the_file_the_line_the_rule_and_its_reason() {
    let bad = source("services/route/src/lib.rs", "//! Route.\nuse handle::Act;\n");
    let faults: Vec<String> = faults(&bad).iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        ["services/route/src/lib.rs:2: `handle`\n    services never import each other: \
          they meet in topics, so that each runs alone as its own process"]
    );
}

#[test]
fn every_service_is_known_to_the_rules() {
    for source in sources() {
        if let Some(service) = service(&source.path) {
            assert!(service == "gridward" || SERVICES.contains(&service), "add {service} to SERVICES");
        }
    }
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn faults(source: &Source) -> Vec<Fault<'_>> {
    let path = source.path.as_str();
    RULES
        .iter()
        .flat_map(|rule| (rule.breaks)(source).into_iter().map(move |found| Fault { path, found, rule }))
        .collect()
}

/// Every text file of ours: not what was built, what runs, or what others made.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), "", &mut sources);
    sources
}

fn read_folder(folder: &Path, path: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && ![".git", ".data", "target", "node_modules", "dist"].contains(&name.as_str()) {
            read_folder(&entry.path(), &path, sources);
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path()).unwrap())
        {
            sources.push(Source { path, text });
        }
    }
}
