//! Both packs of the repository load, and a copy with one thing broken is refused with its place.
//!
//! - `beside`: tables a pack may have beside the others
//! - `loading`: what a good pack gives
//! - `tables`: faults of the CSV files
//! - `main_file`: faults of `pack.json` and of the calendar
//! - `recorded`: how other files than our own are said to be read
//! - `succession`: what a version may not change in the one before it

mod beside;
mod loading;
mod main_file;
mod recorded;
mod succession;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Pack, PackFault};

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs")
}

fn load(name: &str) -> Pack {
    Pack::load(&packs().join(name)).unwrap_or_else(|fault| panic!("{fault}"))
}

/// A copy of `twostreets`, with the calendars, to break.
struct Copy {
    root: TempDir,
}

impl Copy {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        for folder in ["calendars", "twostreets"] {
            fs::create_dir(root.path().join(folder)).unwrap();
            for entry in fs::read_dir(packs().join(folder)).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), root.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
        Self { root }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.root.path().join("twostreets").join(file)
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// Replaces the first `old` in a file.
    fn with(self, file: &str, old: &str, new: &str) -> Self {
        let text = self.text(file);
        assert!(text.contains(old), "{file} has no {old}");
        self.with_bytes(file, text.replacen(old, new, 1).as_bytes())
    }

    fn with_bytes(self, file: &str, bytes: &[u8]) -> Self {
        fs::write(self.path(file), bytes).unwrap();
        self
    }

    fn load(&self) -> Result<Pack, PackFault> {
        Pack::load(&self.root.path().join("twostreets"))
    }

    fn fault(&self) -> PackFault {
        self.load().expect_err("a fault")
    }
}

/// What is said in English about a pack with one text replaced.
fn said(file: &str, old: &str, new: &str) -> String {
    Copy::new().with(file, old, new).fault().to_string()
}

/// That replacing `old` by `new` gives one fault, which points at the text `at` (the first one from
/// the replacement on, or else the first of all) and says `words`.
fn refused(file: &str, old: &str, new: &str, at: &str, words: &str) {
    let copy = Copy::new();
    let replaced = copy.text(file).find(old).unwrap();
    let copy = copy.with(file, old, new);
    let text = copy.text(file);
    let found = text[replaced..].find(at).map(|n| replaced + n).or_else(|| text.find(at));
    let place = place(file, &text, found.expect(at));
    let fault = copy.fault();
    let said = fault.to_string();
    assert_eq!(fault.faults.len(), 1, "{said}");
    assert!(said.starts_with(&format!("{place}: ")), "{said}\nis not at {place}");
    assert!(said.contains(words), "{said}\ndoes not say: {words}");
    assert!(fault.zh().starts_with(&format!("{place}：")), "{}", fault.zh());
}

fn place(file: &str, text: &str, at: usize) -> String {
    let lines: Vec<&str> = text[..at].split('\n').collect();
    let column = lines.last().unwrap().chars().count() + 1;
    if file.ends_with(".csv") {
        format!("{file}:{}", lines.len())
    } else {
        format!("{file}:{}:{column}", lines.len())
    }
}

/// The places of all faults, in order.
fn places(fault: &PackFault) -> Vec<String> {
    let said = fault.to_string();
    said.lines().map(|line| line.split(": ").next().unwrap().to_owned()).collect()
}
