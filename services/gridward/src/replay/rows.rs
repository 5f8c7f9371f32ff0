//! Reads a recorded file, row by row: CSV, plain or gzipped, as cities publish them. Which column is what, and how it
//! is written, is the pack's to say ([`Recorded`]); nothing of any city is here.
//!
//! Only what a service may know is taken from a row: what the pack names as truth is left to [`super::truth`]. A row that
//! cannot be used is refused with its reason, and the rest goes on; a file that breaks off is read up to there.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use csv::ByteRecord;
use domain::calendar::Calendar;
use domain::id::IncidentId;
use domain::place::Place;
use domain::text::Text;
use platform::pack::{Column, Encoding, Pack, Placed, Recorded};
use sha2::{Digest, Sha256};

use super::fields::{At, Fault, shown};
use super::place::{Found, Places};
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
    /// The pack's word for it, where it has one.
    pub category: String,
    pub place: Place,
    /// Columns of the file that told the area the place names; none for a point.
    pub named_by: Vec<usize>,
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
    places: Places,
    recorded: Recorded,
    calendar: Calendar,
    encoding: Encoding,
}

/// Where the file has what the pack names.
struct Columns {
    names: usize,
    id: At,
    opened: At,
    category: At,
    closed: Option<At>,
    due: Option<At>,
    open: Option<At>,
}

impl Rows {
    /// # Errors
    /// When the file cannot be opened, is not in the encoding the pack says, or lacks a column that is needed.
    pub fn open(file: &Path, pack: &Pack) -> anyhow::Result<Self> {
        let recorded = pack.form_of_records();
        let records = Records::open(file, recorded.encoding)?;
        let header = records.header();
        if header.is_empty() {
            bail!("{0} is empty: there is no header / {0} 是空文件，没有表头", file.display());
        }
        let needed = |name: &str| At::find(header, name).with_context(|| missing(name, &recorded, file));
        let columns = Columns::find(header, &recorded, needed)?;
        let places = Places::find(&recorded.placed, &recorded.names, needed)?;
        let (calendar, encoding) = (pack.calendar.clone(), records.encoding());
        Ok(Self {
            records,
            form: Form { columns, places, recorded, calendar, encoding },
            seen: BTreeSet::new(),
        })
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
        let opened = self.columns.opened.text(record, self.encoding);
        record.len() == self.columns.names && opened.is_ok_and(|text| self.recorded.times.reads(text))
    }

    /// What a record on `line` says.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn row(&self, record: &ByteRecord, line: u64) -> Result<Row, Refused> {
        self.parse(record, line).map_err(|(reason, text)| Refused { line, reason, text })
    }

    /// The encoding the file is read in.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn parse(&self, record: &ByteRecord, line: u64) -> Result<Row, Fault> {
        let columns = &self.columns;
        if record.len() != columns.names {
            return Err(wrong_columns(record.len(), columns.names));
        }
        let id = columns.id.text(record, self.encoding)?;
        if id.is_empty() {
            return Err(columns.id.empty("missing_id", "every report needs one", "每一行都须有"));
        }
        let opened = self.time(record, Some(&columns.opened))?.ok_or_else(|| {
            columns.opened.empty("wrong_time", "give the local time it was reported", "请填写上报的当地时间")
        })?;
        let closed = self.time(record, columns.closed.as_ref())?;
        let status = columns.open.as_ref().map(|column| column.text(record, self.encoding)).transpose()?;
        let open = status.is_some_and(|status| self.recorded.columns.open.has(status));
        let Found { place, named_by } = self.places.of(record, self.encoding)?;
        Ok(Row {
            line,
            incident: incident_of(id, opened),
            id: id.to_owned(),
            opened,
            closed: closed.filter(|_| !open),
            due: self.time(record, columns.due.as_ref())?,
            category: self.category(record)?,
            place,
            named_by,
        })
    }

    fn category(&self, record: &ByteRecord) -> Result<String, Fault> {
        let word = self.columns.category.text(record, self.encoding)?;
        let code = self.recorded.categories.get(word);
        Ok(code.map_or_else(|| word.to_owned(), |code| code.0.clone()))
    }

    /// A time as the file writes it; `None` where the column is empty or missing.
    fn time(&self, record: &ByteRecord, column: Option<&At>) -> Result<Option<DateTime<Utc>>, Fault> {
        let Some(column) = column else { return Ok(None) };
        let given = column.text(record, self.encoding)?;
        if given.is_empty() {
            return Ok(None);
        }
        let instant = self.recorded.times.instant(given, &self.calendar).ok_or_else(|| {
            let (name, given, example) = (&column.name, shown(given), self.recorded.times.example());
            let text = Text::new(
                format!("{name}「{given}」不是形如 {example} 的当地时间"),
                format!("{name} `{given}` is not a time as in {example}, without a zone"),
            );
            ("wrong_time", text)
        })?;
        Ok(Some(instant))
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

impl Columns {
    fn find(
        header: &ByteRecord,
        recorded: &Recorded,
        needed: impl Fn(&str) -> anyhow::Result<At>,
    ) -> anyhow::Result<Self> {
        let given = &recorded.columns;
        let some = |column: &Column| {
            let at = At::find(header, &column.name);
            if at.is_none() && column.needed { needed(&column.name).map(Some) } else { Ok(at) }
        };
        Ok(Self {
            names: header.len(),
            id: needed(&given.id)?,
            opened: needed(&given.opened)?,
            category: needed(&given.category)?,
            closed: some(&given.closed)?,
            due: some(&given.due)?,
            open: some(&given.open.column)?,
        })
    }
}

fn missing(name: &str, recorded: &Recorded, file: &Path) -> String {
    let columns = &recorded.columns;
    let mut needed = vec![columns.id.as_str(), columns.opened.as_str(), columns.category.as_str()];
    match &recorded.placed {
        Placed::Point { lon, lat, .. } => needed.extend([lon.as_str(), lat.as_str()]),
        Placed::Named { columns, .. } => needed.extend(columns.iter().map(|one| one.column.as_str())),
    }
    let others = [&columns.closed, &columns.due, &columns.open.column];
    let (must, may): (Vec<&Column>, Vec<&Column>) = others.into_iter().partition(|column| column.needed);
    needed.extend(must.iter().map(|column| column.name.as_str()));
    let may: Vec<&str> = may.iter().map(|column| column.name.as_str()).collect();
    let (en, zh) = match may.as_slice() {
        [] => (String::new(), String::new()),
        may => (
            format!(", and {} where there are any", may.join(", ")),
            format!("，有则给出 {}", may.join("、")),
        ),
    };
    format!(
        "{0}: the header has no column `{name}`; needed are {1}{en}; another name for a column is said in recorded.columns \
         of pack.json / {0}：表头缺少 {name} 列；须有 {2}{zh}；列名不同时在 pack.json 的 recorded.columns 中写明",
        file.display(),
        needed.join(", "),
        needed.join("、"),
    )
}
