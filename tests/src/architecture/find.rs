//! Looking for something in a source, line by line.

use super::code::code;
use super::crates::ours;
use super::{Found, Source};

pub(super) fn is_rust(source: &Source) -> bool {
    source.path.ends_with(".rs")
}

pub(super) fn is_test(source: &Source) -> bool {
    source.path.ends_with("/tests.rs") || source.path.split('/').any(|part| part == "tests")
}

/// Whether one of the folders it lies in has this name.
pub(super) fn lies_in(source: &Source, folder: &str) -> bool {
    source.path.rsplit('/').skip(1).any(|part| part == folder)
}

pub(super) fn found(line: usize, what: String) -> Vec<Found> {
    vec![Found { line, what }]
}

pub(super) fn in_domain(source: &Source, look: impl Fn(&str) -> Option<String>) -> Vec<Found> {
    if source.path.starts_with("shared/domain/src/") { in_code(source, look) } else { Vec::new() }
}

pub(super) fn in_code(source: &Source, look: impl Fn(&str) -> Option<String>) -> Vec<Found> {
    if is_rust(source) { in_lines(&code(&source.text), look) } else { Vec::new() }
}

pub(super) fn in_lines(text: &str, look: impl Fn(&str) -> Option<String>) -> Vec<Found> {
    let lines = text.lines().enumerate();
    lines.filter_map(|(n, line)| look(line).map(|what| Found { line: n + 1, what })).collect()
}

/// Whether `mark` can be part of a word.
pub(super) fn in_word(mark: char) -> bool {
    mark.is_alphanumeric() || mark == '_'
}

/// Where `line` has `word` as a whole: what stands before and after it.
fn whole<'a>(line: &'a str, word: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let places: Vec<usize> = line.match_indices(word).map(|(at, _)| at).collect();
    let length = word.len();
    places.into_iter().map(move |at| (&line[..at], &line[at + length..])).filter(|(before, after)| {
        !before.chars().next_back().is_some_and(in_word) && !after.chars().next().is_some_and(in_word)
    })
}

pub(super) fn any_word(line: &str, words: &[&str]) -> Option<String> {
    let word = words.iter().find(|word| whole(line, word).next().is_some());
    word.map(|word| format!("`{word}`"))
}

pub(super) fn any_text(line: &str, texts: &[&str]) -> Option<String> {
    texts.iter().find(|text| line.contains(**text)).map(|text| format!("`{text}`"))
}

/// The first path in a line of code that begins at a crate named by `wanted`: `handle::Act`, `use handle;`.
pub(super) fn roots(line: &str, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let named = ours().find(|name| {
        wanted(name)
            && whole(line, name).any(|(before, after)| {
                let before = before.trim_end();
                let member = before.ends_with("::") || before.ends_with('.');
                let imported = before.ends_with("use") || before.ends_with("extern crate");
                !member && (after.trim_start().starts_with("::") || imported)
            })
    });
    named.map(|name| format!("`{name}`"))
}

/// A path that begins at the root of a file system in a folder that is somebody's own.
pub(super) fn machine_path(line: &str) -> Option<String> {
    let folders =
        [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
    let begins = |at: usize| {
        !line[..at].chars().next_back().is_some_and(|mark| in_word(mark) || "}.-~".contains(mark))
    };
    let folder = folders.iter().find(|folder| line.match_indices(**folder).any(|(at, _)| begins(at)));
    folder.map(|folder| format!("`{folder}`"))
}

/// Names of tools to write with, and of pages that are not part of the project.
pub(super) fn foreign_word(line: &str) -> Option<String> {
    let words = [
        concat!("co-", "authored-by"),
        concat!("ai-", "generated"),
        concat!("language ", "model"),
        concat!("l", "lm"),
        concat!("open", "ai"),
        concat!("chat", "gpt"),
        concat!("co", "pilot"),
        concat!("clau", "de"),
        concat!("anthro", "pic"),
        concat!("design", ".md"),
        concat!("style", ".md"),
    ];
    any_word(&line.to_lowercase(), &words)
}
