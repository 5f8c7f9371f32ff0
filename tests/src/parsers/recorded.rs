//! A file of recorded reports: a digit says of which form it is, and the file stands behind a line break. Its rows come in
//! an end, each taken or refused in words; put in order, they are the same rows.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use gridward::replay::order::{Source, first_out_of_order};
use gridward::replay::rows::{Row, Rows};
use platform::pack::{Encoding, Pack, Recorded};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Read, base, head};

/// Forms of files: as nobody says, named areas, and the same in the encodings of the mainland and of Taiwan.
static FORMS: LazyLock<Vec<Pack>> = LazyLock::new(|| {
    let named = Pack::clone(&base::PACK);
    let encoded = |encoding: Encoding| Pack {
        recorded: named.recorded.clone().map(|form| Recorded { encoding: Some(encoding), ..form }),
        ..named.clone()
    };
    let plain = Pack { recorded: None, ..named.clone() };
    let offset = json!({
        "columns": { "id": "id", "opened": "opened", "category": "category" },
        "times": { "format": "%Y-%m-%dT%H:%M:%S%:z" },
        "place": { "lon": "x", "lat": "y", "datum": "GCJ-02" }
    });
    vec![
        plain,
        named.clone(),
        encoded(Encoding::Gb18030),
        encoded(Encoding::Big5),
        with(offset),
        with(json!({
            "times": { "format": "%d.%m.%Y", "time_of_day": "12:00:00", "zone": "America/New_York" },
            "open": { "column": "state", "values": ["open"] }
        })),
    ]
});

fn with(recorded: Value) -> Pack {
    let mut main: Value = serde_json::from_slice(&base::FILES.read["pack.json"]).expect("the base is JSON");
    main["recorded"] = recorded;
    let pack = base::with([("pack.json".to_owned(), main.to_string().into_bytes())]);
    pack.unwrap_or_else(|fault| panic!("{fault}"))
}

thread_local! {
    /// Where the file is put that is read.
    static FOLDER: RefCell<Option<Arc<TempDir>>> = const { RefCell::new(None) };
}

fn folder() -> Arc<TempDir> {
    FOLDER.with_borrow_mut(|folder| {
        folder.get_or_insert_with(|| Arc::new(TempDir::new().expect("there is room for a folder"))).clone()
    })
}

pub fn recorded(bytes: &[u8]) -> Read {
    let (form, file) = head(bytes);
    let form = super::text(form).and_then(|form| form.parse::<usize>().ok());
    let Some(pack) = form.and_then(|form| FORMS.get(form)) else { return Read::Refused };
    let folder = folder();
    let path = folder.path().join("recorded.csv");
    let written = std::fs::File::create(&path).and_then(|mut to| to.write_all(file));
    written.expect("there is room for a file");
    let open = || Rows::open(&path, pack);
    let rows = match open() {
        Ok(rows) => rows,
        Err(fault) => {
            assert!(!fault.to_string().is_empty());
            return Read::Refused;
        }
    };
    let taken = all(rows, file.len());
    in_order(open, folder.path(), taken)
}

/// The rows that are taken, of a file that ends. Packed, it may be as many times as long as gzip can make it.
fn all(mut rows: Rows, length: usize) -> Vec<Row> {
    let most = 2 + length.saturating_mul(1_100);
    let mut taken = Vec::new();
    for _ in 0..most {
        match rows.next_row() {
            None => return taken,
            Some(Ok(row)) => taken.push(row),
            Some(Err(refused)) => {
                assert!(refused.line > 0 && !refused.text.en.is_empty() && !refused.text.zh.is_empty());
            }
        }
    }
    panic!("it has more rows than bytes");
}

/// What is put in order is what was there, the same times as the file has them.
fn in_order(open: impl Fn() -> anyhow::Result<Rows>, folder: &Path, mut taken: Vec<Row>) -> Read {
    let again = || open().expect("what was opened is opened again");
    let sorted = taken.is_sorted_by_key(|row| row.opened);
    assert_eq!(first_out_of_order(again()).is_none(), sorted);
    taken.sort_by_key(|row| (row.opened.timestamp_micros(), row.line));
    let mut source = Source::in_order(again(), folder).expect("there is room for a file");
    for row in &taken {
        assert_eq!(source.next_row().and_then(Result::ok).as_ref(), Some(row));
    }
    assert!(source.next_row().is_none());
    (!taken.is_empty()).into()
}
