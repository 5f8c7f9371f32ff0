//! Which crates are ours, and what each may stand on.

use super::find::found;
use super::{Found, Source};

pub(super) const SERVICES: [&str; 7] =
    ["discover", "route", "handle", "supervise", "partner", "chat", "console"];

/// The service whose folder a path is in.
pub(super) fn service(path: &str) -> Option<&str> {
    path.strip_prefix("services/")?.split_once('/').map(|(service, _)| service)
}

pub(super) fn ours() -> impl Iterator<Item = &'static str> {
    ["domain", "platform", "kafka", "kafka-topics", "migrations", "gridward", "scenarios"]
        .into_iter()
        .chain(SERVICES)
}

/// What the crate in a folder may depend on, and what its tests may too; `None` for a crate nobody placed.
fn may_depend_on(folder: &str) -> Option<(Vec<&'static str>, Vec<&'static str>)> {
    let all_but = |not: &str| ours().filter(|our| *our != not).collect();
    match folder {
        "shared/domain" | "migrations" => Some((vec![], vec![])),
        "shared/kafka-topics" => Some((vec![], vec![])),
        "shared/kafka" => Some((vec!["kafka-topics"], vec![])),
        "shared/platform" => Some((vec!["domain", "kafka"], vec!["migrations"])),
        "services/gridward" | "tests" => Some((all_but("scenarios"), vec![])),
        "tests/fuzz" => Some((vec!["scenarios"], vec![])),
        folder if folder.starts_with("services/") => Some((vec!["domain", "platform"], vec!["migrations"])),
        _ => None,
    }
}

pub(super) fn wrong_dependencies(source: &Source) -> Vec<Found> {
    let Some(folder) = source.path.strip_suffix("/Cargo.toml") else { return Vec::new() };
    let Some((may, tests_may)) = may_depend_on(folder) else {
        return found(1, format!("no rule says what {folder} stands on"));
    };
    let allowed = |name: &str, dev: bool| may.contains(&name) || (dev && tests_may.contains(&name));
    let wrong = dependencies(&source.text)
        .into_iter()
        .filter(|(_, name, dev)| ours().any(|our| our == name) && !allowed(name, *dev));
    wrong.map(|(line, name, _)| Found { line, what: format!("{folder} depends on `{name}`") }).collect()
}

/// What a Cargo.toml depends on: the line, the crate, and whether for its tests only.
fn dependencies(text: &str) -> Vec<(usize, String, bool)> {
    let mut section = "";
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        if let Some(header) = line.trim().strip_prefix('[') {
            section = header.trim_end_matches(']');
            if let Some((_, name)) = section.split_once("dependencies.") {
                found.push((n + 1, name.to_owned(), section.contains("dev-dependencies")));
            }
        } else if section.ends_with("dependencies")
            && let Some((key, value)) = line.split_once('=')
        {
            let renamed = value.split_once("package").and_then(|(_, after)| after.split('"').nth(1));
            let key = key.split('.').next().unwrap_or(key).trim().trim_matches('"');
            found.push((n + 1, renamed.unwrap_or(key).to_owned(), section.contains("dev-dependencies")));
        }
    }
    found
}
