//! `gridward bench`, with numbers so small that they say nothing of speed: that each measures, says what it promises to
//! say, and leaves nothing behind.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::fleet::{FILE, has_servers, settings};
use crate::instance::binary;
use crate::process::pack;

const TINY: [(&str, &[&str]); 3] = [
    ("intake", &["--seconds", "2", "--reports", "40", "--connections", "4"]),
    ("pipeline", &["--reports", "30", "--steady", "20", "--seconds", "1"]),
    ("due-steps", &["--open", "20,60", "--due", "5", "--times", "1", "--steady", "50"]),
];

fn measured(bench: &str, numbers: &[&str], place: &[OsString]) -> Value {
    let mut run = Command::new(binary().unwrap());
    let run = run.args(["bench", bench, "--json"]).args(numbers).args(place).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{bench}: {said}");
    serde_json::from_slice(&run.stdout)
        .unwrap_or_else(|error| panic!("{bench} printed no JSON: {error}\n{said}"))
}

fn assert_says_all(bench: &str, setting: &str, figures: &Value) {
    assert_eq!((&figures["bench"], &figures["setting"]), (&bench.into(), &setting.into()));
    for number in ["rate", "bare_rate", "ratio", "p50_ms", "p99_ms", "n", "seconds"] {
        let value = figures[number].as_f64().unwrap_or_else(|| panic!("{bench} says no {number}: {figures}"));
        assert!(value.is_finite() && value >= 0.0, "{bench}: {number} is {value}");
    }
    assert!(figures["n"].as_u64() > Some(0) && figures["rate"].as_f64() > Some(0.0), "{figures}");
    assert!(figures["bare_limit"].as_str().is_some_and(|words| words.len() > 20), "{figures}");
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn each_bench_measures_on_a_file_and_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    for (bench, numbers) in TINY {
        let place = ["--data".into(), folder.path().into(), "--pack".into(), pack("twostreets").into()];
        let figures = measured(bench, numbers, &place);
        assert_says_all(bench, "SQLite", &figures);
        assert!(is_empty(folder.path()), "{bench} left something in its folder");
    }
}

#[tokio::test]
async fn each_bench_measures_on_servers_and_takes_no_databases_that_are_in_use() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    settings(folder.path(), "twostreets", "").await.unwrap();
    let mut place: Vec<OsString> = vec!["--config".into(), folder.path().join(FILE).into()];
    for (n, (bench, numbers)) in TINY.into_iter().enumerate() {
        if n == 1 {
            let mut run = Command::new(binary().unwrap());
            let run = run.args(["bench", bench]).args(numbers).args(&place).output().unwrap();
            let said = String::from_utf8_lossy(&run.stderr);
            assert!(
                !run.status.success() && said.contains("is not empty") && said.contains("不是空库"),
                "{said}"
            );
            place.push("--keep".into());
        }
        assert_says_all(bench, "PostgreSQL + Kafka", &measured(bench, numbers, &place));
    }
}

#[tokio::test]
async fn the_audit_is_measured_on_servers_and_finds_nothing_in_copies() {
    if !has_servers() {
        return;
    }
    let folder = TempDir::new().unwrap();
    settings(folder.path(), "twostreets", "").await.unwrap();
    let place: Vec<OsString> = vec!["--config".into(), folder.path().join(FILE).into()];
    let figures = measured("audit", &["--cases", "30,90"], &place);
    assert_says_all("audit", "PostgreSQL + Kafka", &figures);
    let among = figures["more"]["among"].as_array().unwrap();
    assert_eq!(among.iter().map(|one| one["cases"].as_u64().unwrap()).collect::<Vec<_>>(), [30, 90]);
    assert!(
        among.iter().all(|one| one["queries"].as_array().is_some_and(|asked| asked.len() > 20)),
        "{figures}"
    );
}
