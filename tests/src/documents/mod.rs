//! The pages of `docs/` that the code itself can draw. Each is made anew and compared with the file, so that
//! none of them can be wrong for longer than it takes to run the tests.

mod facts;
mod rights;
mod states;

use std::path::Path;

const WRITE: &str = "GRIDWARD_WRITE_DOCS";

/// Compares a page with its file in `docs/`, or writes it when asked to.
fn keep(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, page).unwrap();
        return;
    }
    let file = std::fs::read_to_string(&path).unwrap_or_default();
    if file == page {
        return;
    }
    let differs = file.lines().zip(page.lines()).take_while(|(old, new)| old == new).count();
    panic!(
        "docs/{name} is not what the code says any more, from line {}:\n  file: {}\n  code: {}\n\
         run {WRITE}=1 cargo test -p scenarios documents\n",
        differs + 1,
        file.lines().nth(differs).unwrap_or("(ends)"),
        page.lines().nth(differs).unwrap_or("(ends)"),
    );
}

#[test]
fn states_are_as_drawn() {
    keep("states.md", &states::Drawing::new().page());
}

#[test]
fn rights_are_as_listed() {
    keep("rights.md", &rights::page());
}

#[tokio::test]
async fn facts_are_as_described() {
    keep("facts.md", &facts::page().await);
}

#[test]
fn endpoints_are_as_described() {
    let document = gridward::http::document().to_pretty_json().unwrap();
    let version: serde_json::Value = serde_json::from_str(&document).unwrap();
    let version = version["openapi"].as_str().unwrap();
    assert!(version.starts_with("3.1"), "readers of the document know OpenAPI 3.1, not {version}");
    keep("openapi.json", &format!("{document}\n"));
}
