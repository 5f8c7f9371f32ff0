//! One event at a time gives the same rows as windows: the outcome is a function of recorded times alone.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gridward::audit::{Options, Places, audit_places};
use gridward::replay::{Asked, Ended, replay};
use gridward::settings::Settings;
use platform::pack::Pack;
use platform::store::Store;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tempfile::TempDir;

use crate::world::packs;

/// Boston's records, chosen to hold what is odd: times that occur twice, due before opened, closed at the
/// second it was opened, late ones; and ordinary ones between them.
fn chosen_rows(folder: &Path) -> (PathBuf, BTreeMap<&'static str, usize>) {
    let mut text = String::new();
    let file = std::fs::File::open(packs().join("boston/boston311_2011H2.csv.gz")).unwrap();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    let mut chosen = vec![lines.next().unwrap()];
    let mut kinds: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (n, line) in lines.enumerate() {
        let kind = kind(line, n);
        let most = match kind {
            "twice" | "due before opened" => usize::MAX,
            "late" => 500,
            "closed at once" => 100,
            "ordinary" => 893,
            _ => 0,
        };
        let count = kinds.entry(kind).or_default();
        if *count < most {
            *count += 1;
            chosen.push(line);
        }
    }
    let path = folder.join("chosen.csv");
    std::fs::write(&path, chosen.join("\n")).unwrap();
    (path, kinds)
}

fn kind(line: &str, n: usize) -> &'static str {
    let columns: Vec<&str> = line.split(',').collect();
    let (opened, closed, due) = (columns[1], columns[2], columns[3]);
    if [opened, closed, due].iter().any(|time| time.starts_with("2011-11-06T01")) {
        "twice"
    } else if !due.is_empty() && due < opened {
        "due before opened"
    } else if !due.is_empty() && closed > due && n.is_multiple_of(7) {
        "late"
    } else if closed == opened && n.is_multiple_of(5) {
        "closed at once"
    } else if n.is_multiple_of(50) {
        "ordinary"
    } else {
        "left out"
    }
}

async fn replayed(file: &Path, window: usize) -> (TempDir, serde_json::Value) {
    let folder = TempDir::new().unwrap();
    let said = replayed_in(&folder, file, window, None).await;
    (folder, said)
}

async fn replayed_in(
    folder: &TempDir,
    file: &Path,
    window: usize,
    servers: Option<Settings>,
) -> serde_json::Value {
    let pack = Arc::new(Pack::load(&packs().join("boston")).unwrap());
    let (file, data) = (file.to_owned(), folder.path().to_owned());
    let asked = Asked { file, pack, data, servers, until: None, window };
    let ended = replay(&asked, &indicatif::ProgressBar::hidden(), &mut || false).await.unwrap();
    let Ended::Done(summary, _) = ended else { panic!("nobody asked it to stop") };
    serde_json::to_value(&*summary).unwrap()
}

/// Columns that tell when we noticed or where in the log it lies, and nothing about what happened.
fn is_told(table: &str, column: &str) -> bool {
    let noticed = column == "noticed_at" || column == "loaded_at";
    let log_id = table == "log" && column == "id";
    !noticed && !log_id
}

/// Every row of every table as text, by table; positions aside.
async fn rows(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let store = Store::look(folder).await.unwrap();
    let strings = async |sql: &str| -> Vec<String> {
        let rows =
            store.readers().query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    };
    let mut all = BTreeMap::new();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    for table in strings(tables).await {
        let about_us = table.ends_with("_migration") || table.ends_with("_position");
        if about_us || table == "gridward_replay" || table == "log_identity" {
            continue;
        }
        let columns = strings(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
        let told: Vec<String> = columns
            .into_iter()
            .filter(|column| is_told(&table, column))
            .map(|column| format!("quote(\"{column}\")"))
            .collect();
        let row = told.join(" || '|' || ");
        all.insert(table.clone(), strings(&format!("SELECT {row} FROM \"{table}\" ORDER BY 1")).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_at_a_time_gives_the_same_rows_as_windows() {
    let files = TempDir::new().unwrap();
    let (file, kinds) = chosen_rows(files.path());
    assert!(kinds["twice"] == 4 && kinds["due before opened"] == 3, "{kinds:?}");
    let (windows, said) = replayed(&file, 2_000).await;
    let (singly, said_singly) = replayed(&file, 1).await;

    let (windows, singly) = (rows(windows.path()).await, rows(singly.path()).await);
    assert_eq!(windows.keys().collect::<Vec<_>>(), singly.keys().collect::<Vec<_>>());
    for (table, rows) in &windows {
        let other = &singly[table];
        assert_eq!(rows.len(), other.len(), "{table} has another number of rows");
        let differs = rows.iter().zip(other).find(|(a, b)| a != b);
        assert!(differs.is_none(), "{table} differs:\n{differs:#?}");
    }
    assert_eq!(windows["discover_report"].len(), 1_500);
    assert!(windows["log"].len() > 8_000 && windows["supervise_step"].len() > 3_000);
    for figure in ["rows", "accepted", "escalations", "reminders", "verdicts", "due_steps", "flagged"] {
        assert_eq!(said[figure], said_singly[figure], "{figure}");
    }
    assert_eq!(said["due_steps"]["missed"], 0);
    assert_eq!(said["verdicts"]["compared"], said["verdicts"]["agreed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_that_was_stopped_goes_on_where_it_was_and_ends_with_the_same_rows() {
    let files = TempDir::new().unwrap();
    let (file, _) = chosen_rows(files.path());
    let (whole, said) = replayed(&file, 300).await;

    let folder = TempDir::new().unwrap();
    let pack = Arc::new(Pack::load(&packs().join("boston")).unwrap());
    let asked = Asked { file, pack, data: folder.path().to_owned(), servers: None, until: None, window: 300 };
    let mut stops = 0;
    let summary = loop {
        match replay(&asked, &indicatif::ProgressBar::hidden(), &mut || true).await.unwrap() {
            Ended::Stopped { .. } => stops += 1,
            Ended::Done(summary, _) => break serde_json::to_value(&*summary).unwrap(),
        }
    };
    assert!(stops >= 5, "it was to be stopped after every window");
    assert_eq!(rows(whole.path()).await, rows(folder.path()).await);
    assert_eq!(said["accepted"], summary["accepted"]);
    assert_eq!(said["rows"], summary["rows"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_in_another_order_ends_with_the_same_rows() {
    let files = TempDir::new().unwrap();
    let (file, _) = chosen_rows(files.path());
    let (in_order, said) = replayed(&file, 300).await;
    assert!(said["out_of_order_from_line"].is_null(), "{said}");

    let text = std::fs::read_to_string(&file).unwrap();
    let (header, lines) = text.split_once('\n').unwrap();
    let newest_first: Vec<&str> = [header].into_iter().chain(lines.lines().rev()).collect();
    let turned = files.path().join("turned.csv");
    std::fs::write(&turned, newest_first.join("\n")).unwrap();
    let (sorted, said_sorted) = replayed(&turned, 300).await;
    assert!(said_sorted["out_of_order_from_line"].is_u64(), "{said_sorted}");
    assert_eq!(rows(in_order.path()).await, rows(sorted.path()).await);
    for figure in ["rows", "accepted", "escalations", "reminders", "verdicts", "due_steps", "flagged"] {
        assert_eq!(said[figure], said_sorted[figure], "{figure}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_kafka_and_postgresql_everything_is_as_in_one_file() {
    if !crate::fleet::has_servers() {
        return;
    }
    let files = TempDir::new().unwrap();
    let (file, _) = chosen_rows(files.path());
    let (_, mut in_file) = replayed(&file, 300).await;
    let folder = TempDir::new().unwrap();
    let settings = crate::fleet::settings(folder.path(), "boston", "").await.unwrap();
    let mut on_servers = replayed_in(&folder, &file, 300, Some(settings.clone())).await;
    for said in [&mut in_file, &mut on_servers] {
        let figures = said.as_object_mut().unwrap();
        for of_the_run in ["wall_seconds", "records_per_second", "peak_memory_mb"] {
            assert!(figures.remove(of_the_run).is_some(), "{of_the_run}");
        }
    }
    assert_eq!(in_file, on_servers);
    assert_eq!(on_servers["due_steps"]["missed"], 0);
    let places = Places::open(&settings).await.unwrap();
    let report = audit_places(&places, Options { now: None, strict: true }).await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.on_the_way, report.dead_letters, report.parked), (0, 0, 0), "{report}");
}
