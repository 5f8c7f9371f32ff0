//! Reads a recorded file, row by row: CSV, plain or gzipped, as cities publish them.
//!
//! Only what a service may know is taken from a row: the columns that end in `_truth`, `coord_flag`,
//! `department` and `category_group` are left to [`super::truth`]. A row that cannot be used is refused
//! with its reason, and the rest goes on; a file that breaks off is read up to there.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDateTime, Utc};
use csv::ByteRecord;
use domain::calendar::Calendar;
use domain::id::IncidentId;
use domain::place::{Datum, Place};
use domain::text::Text;
use sha2::{Digest, Sha256};

use super::records::{Got, Records};
use super::refused::Refused;

/// One recorded report.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The line of the file it begins on.
    pub line: u64,
    pub incident: IncidentId,
    /// The record's own id.
    pub id: String,
    pub opened: DateTime<Utc>,
    /// When it was closed, if the record says so.
    pub closed: Option<DateTime<Utc>>,
    pub due: Option<DateTime<Utc>>,
    pub category: String,
    pub place: Place,
}

/// An open recorded file; its rows come in the order of the file.
pub struct Rows {
    records: Records,
    form: Form,
    /// Digests of the ids that came: a file of millions must not keep them all as text.
    seen: BTreeSet<[u8; 16]>,
}

/// How a row is to be read.
pub(super) struct Form {
    columns: Columns,
    calendar: Arc<Calendar>,
    datum: Datum,
}

struct Columns {
    names: usize,
    id: usize,
    opened: usize,
    category: usize,
    lon: usize,
    lat: usize,
    closed: Option<usize>,
    due: Option<usize>,
    status: Option<usize>,
}

/// Why a row cannot be used: in short, and in words that begin with the column.
type Fault = (&'static str, Text);

impl Rows {
    /// # Errors
    /// When the file cannot be opened or lacks a column that is needed.
    pub fn open(file: &Path, calendar: Arc<Calendar>, datum: Datum) -> anyhow::Result<Self> {
        let records = Records::open(file)?;
        let columns = Columns::find(records.header(), file)?;
        Ok(Self { records, form: Form { columns, calendar, datum }, seen: BTreeSet::new() })
    }

    /// Bytes of the file read so far.
    pub fn read_bytes(&self) -> u64 {
        self.records.read_bytes()
    }

    /// Why reading ended before the end of the file, if it did.
    pub fn broken_off(&self) -> Option<&str> {
        self.records.broken_off()
    }

    /// The header, and the row that was read last with all its columns.
    pub(super) fn records(&self) -> &Records {
        &self.records
    }

    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    /// The next row, or why it is refused; `None` at the end.
    pub fn next_row(&mut self) -> Option<Result<Row, Refused>> {
        let form = &self.form;
        match self.records.read(|record| form.is_row(record)) {
            Got::End => None,
            Got::Refused(refused) => Some(Err(refused)),
            Got::Row => Some(self.row()),
        }
    }

    fn row(&mut self) -> Result<Row, Refused> {
        let row = self.form.row(self.records.record(), self.records.line())?;
        if self.seen.insert(digest_of(&row.id)) {
            return Ok(row);
        }
        let Row { line, id, .. } = row;
        let text = Text::new(
            format!("id {id} 在本文件中已出现过，以先出现的一行为准；若是另一件事，请换一个 id"),
            format!(
                "id {id} came before in this file, and the row that came first counts: give another report another id"
            ),
        );
        Err(Refused { line, reason: "duplicate_id", text })
    }
}

impl Form {
    /// Whether a line is a row of this file by itself: as wide as the header, with a time where it was opened.
    fn is_row(&self, record: &ByteRecord) -> bool {
        let opened = record.get(self.columns.opened).and_then(|bytes| std::str::from_utf8(bytes).ok());
        record.len() == self.columns.names && opened.is_some_and(|text| local_time(text.trim()).is_some())
    }

    /// What a record on `line` says.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn row(&self, record: &ByteRecord, line: u64) -> Result<Row, Refused> {
        self.parse(record, line).map_err(|(reason, text)| Refused { line, reason, text })
    }

    fn parse(&self, record: &ByteRecord, line: u64) -> Result<Row, Fault> {
        let columns = &self.columns;
        if record.len() != columns.names {
            return Err(wrong_columns(record.len(), columns.names));
        }
        let id = text(record, columns.id, "id")?;
        if id.is_empty() {
            return Err(empty("missing_id", "id", "every report needs one", "每一行都须有"));
        }
        let opened = self.time(record, Some(columns.opened), "opened")?;
        let opened = opened.ok_or_else(|| {
            empty("wrong_time", "opened", "give the local time it was reported", "请填写上报的当地时间")
        })?;
        let closed = self.time(record, columns.closed, "closed")?;
        let status = columns.status.map(|column| text(record, column, "status")).transpose()?;
        let open = status.is_some_and(|status| status.eq_ignore_ascii_case("open"));
        let place = Place {
            lon: degrees(record, columns.lon, "lon")?,
            lat: degrees(record, columns.lat, "lat")?,
            datum: self.datum,
            accuracy_m: None,
            source: Some("recorded".to_owned()),
            captured_at: None,
        };
        Ok(Row {
            line,
            incident: incident_of(id, opened),
            id: id.to_owned(),
            opened,
            closed: closed.filter(|_| !open),
            due: self.time(record, columns.due, "due")?,
            category: text(record, columns.category, "category")?.to_owned(),
            place,
        })
    }

    /// A local wall-clock time of the pack's zone; `None` where the column is empty or missing.
    fn time(
        &self,
        record: &ByteRecord,
        column: Option<usize>,
        name: &'static str,
    ) -> Result<Option<DateTime<Utc>>, Fault> {
        let Some(column) = column else { return Ok(None) };
        let given = text(record, column, name)?;
        if given.is_empty() {
            return Ok(None);
        }
        let local = local_time(given).ok_or_else(|| {
            let given = shown(given);
            let text = Text::new(
                format!("{name}「{given}」不是形如 2011-07-01T08:30:00 的当地时间"),
                format!("{name} `{given}` is not a time as in 2011-07-01T08:30:00, without a zone"),
            );
            ("wrong_time", text)
        })?;
        Ok(Some(self.calendar.instant(local)))
    }
}

fn digest_of(id: &str) -> [u8; 16] {
    let digest = Sha256::digest(id.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

/// The incident of a recorded row: the same for the same id and time, in every run.
pub fn incident_of(id: &str, opened: DateTime<Utc>) -> IncidentId {
    let digest = Sha256::digest(id.as_bytes());
    let mut entropy = [0; 10];
    entropy.copy_from_slice(&digest[..10]);
    IncidentId::new(opened, entropy)
}

fn local_time(text: &str) -> Option<NaiveDateTime> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let time = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    // Databases and calendars agree on these years.
    (1900..=9000).contains(&chrono::Datelike::year(&time)).then_some(time)
}

fn text<'a>(record: &'a ByteRecord, column: usize, name: &str) -> Result<&'a str, Fault> {
    let bytes = record.get(column).unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|_| {
        let text = Text::new(
            format!("{name} 不是有效的 UTF-8，请将文件另存为 UTF-8 编码"),
            format!("{name} is not valid UTF-8: save the file as UTF-8"),
        );
        ("invalid_utf8", text)
    })?;
    Ok(text.trim())
}

fn degrees(record: &ByteRecord, column: usize, name: &'static str) -> Result<f64, Fault> {
    let given = text(record, column, name)?;
    if given.is_empty() {
        return Err(empty("no_place", name, "without a place nothing is routed", "没有位置无法流转"));
    }
    given.parse().map_err(|_| {
        let given = shown(given);
        let text = Text::new(
            format!("{name}「{given}」不是度数，应形如 121.805"),
            format!("{name} `{given}` is not a number of degrees as in 121.805"),
        );
        ("wrong_place", text)
    })
}

fn empty(reason: &'static str, name: &str, en: &str, zh: &str) -> Fault {
    (reason, Text::new(format!("{name} 为空：{zh}"), format!("{name} is empty: {en}")))
}

fn wrong_columns(has: usize, wanted: usize) -> Fault {
    let text = Text::new(
        format!("有 {has} 列，而表头有 {wanted} 列；含逗号的文字须加引号，缺的列须留空"),
        format!(
            "{has} columns where the header has {wanted}: put text that has a comma in quotes, and leave what is \
             missing empty"
        ),
    );
    ("wrong_columns", text)
}

/// As much of what was given as a message needs.
fn shown(given: &str) -> String {
    given.chars().take(60).collect()
}

/// The column of this name, with or without a byte order mark before it.
pub(super) fn column(header: &ByteRecord, name: &str) -> Option<usize> {
    let is =
        |field: &[u8]| field.strip_prefix(b"\xef\xbb\xbf").unwrap_or(field).trim_ascii() == name.as_bytes();
    header.iter().position(is)
}

impl Columns {
    fn find(header: &ByteRecord, file: &Path) -> anyhow::Result<Self> {
        let at = |name: &str| column(header, name);
        let needed = |name: &str| at(name).with_context(|| missing(name, file));
        if header.is_empty() {
            bail!("{0} is empty: there is no header / {0} 是空文件，没有表头", file.display());
        }
        Ok(Self {
            names: header.len(),
            id: needed("id")?,
            opened: needed("opened")?,
            category: needed("category")?,
            lon: needed("lon")?,
            lat: needed("lat")?,
            closed: at("closed"),
            due: at("due"),
            status: at("status"),
        })
    }
}

fn missing(name: &str, file: &Path) -> String {
    format!(
        "{0}: the header has no column `{name}`; needed are id, opened, category, lon, lat, and closed, due, status where there are any / \
         {0}：表头缺少 {name} 列；须有 id、opened、category、lon、lat，有则给出 closed、due、status",
        file.display()
    )
}
