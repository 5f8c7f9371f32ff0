//! Reads a recorded file, row by row: CSV, plain or gzipped, as cities publish them.
//!
//! Only what a service may know is read here: the columns that end in `_truth`, `coord_flag`,
//! `department` and `category_group` are left to [`super::truth`]. A row that cannot be used is refused
//! with its reason, and the rest goes on; a file that breaks off is read up to there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDateTime, Utc};
use csv::ByteRecord;
use domain::calendar::Calendar;
use domain::id::IncidentId;
use domain::place::{Datum, Place};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

/// One recorded report.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
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

/// A row, or why it cannot be used, by line of the file.
#[derive(Clone, Debug)]
pub struct Refused {
    pub line: u64,
    /// Short and stable: `wrong_time`.
    pub reason: &'static str,
    /// Names the field and what is wrong with it.
    pub what: String,
}

/// A file's records, unpacked as they are read.
pub type Csv = csv::Reader<Box<dyn Read + Send>>;

/// An open recorded file.
pub struct Rows {
    csv: Csv,
    columns: Columns,
    calendar: Arc<Calendar>,
    datum: Datum,
    seen: BTreeSet<IncidentId>,
    /// Why reading ended before the end of the file.
    broken_off: Option<String>,
    read_bytes: Arc<AtomicU64>,
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

/// Reads bytes and counts them, so that progress can be shown while the length is known.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens `file`, unpacking it if it is gzipped.
///
/// # Errors
/// When it cannot be opened.
pub fn open(file: &Path) -> anyhow::Result<(Csv, Arc<AtomicU64>)> {
    let mut magic = [0; 2];
    let mut raw = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let gzipped = raw.read(&mut magic).is_ok_and(|read| read == 2) && magic == [0x1f, 0x8b];
    let raw = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let read = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner: BufReader::new(raw), read: read.clone() };
    let plain: Box<dyn Read + Send> =
        if gzipped { Box::new(MultiGzDecoder::new(counted)) } else { Box::new(counted) };
    Ok((csv::ReaderBuilder::new().flexible(true).from_reader(plain), read))
}

impl Rows {
    /// # Errors
    /// When the file cannot be opened or lacks a column that is needed.
    pub fn open(file: &Path, calendar: Arc<Calendar>, datum: Datum) -> anyhow::Result<Self> {
        let (mut csv, read_bytes) = open(file)?;
        let header =
            csv.byte_headers().with_context(|| format!("cannot read the header of {}", file.display()))?;
        let columns = Columns::find(header, file)?;
        Ok(Self { csv, columns, calendar, datum, seen: BTreeSet::new(), broken_off: None, read_bytes })
    }

    /// Bytes of the file read so far.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }

    /// Why reading ended before the end of the file, if it did.
    pub fn broken_off(&self) -> Option<&str> {
        self.broken_off.as_deref()
    }

    /// The next row, or why it is refused; `None` at the end.
    pub fn next_row(&mut self) -> Option<Result<Row, Refused>> {
        if self.broken_off.is_some() {
            return None;
        }
        let mut record = ByteRecord::new();
        match self.csv.read_byte_record(&mut record) {
            Ok(false) => None,
            Ok(true) => Some(self.row(&record)),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                self.broken_off = Some(format!(
                    "the file breaks off after line {line}: {error}; the rows before it were read / \
                     文件在第 {line} 行之后中断，之前的各行已读取"
                ));
                None
            }
        }
    }

    fn row(&mut self, record: &ByteRecord) -> Result<Row, Refused> {
        let line = record.position().map_or(0, csv::Position::line);
        let refuse = |reason, what: String| Refused { line, reason, what };
        if record.len() != self.columns.names {
            let what = format!("{} columns where the header has {}", record.len(), self.columns.names);
            return Err(refuse("wrong_columns", what));
        }
        let row = self.parse(record).map_err(|(reason, what)| refuse(reason, what))?;
        if !self.seen.insert(row.incident) {
            return Err(refuse("duplicate_id", format!("id {} came before in this file", row.id)));
        }
        Ok(row)
    }

    fn parse(&self, record: &ByteRecord) -> Result<Row, (&'static str, String)> {
        let columns = &self.columns;
        let id = text(record, columns.id, "id")?;
        if id.is_empty() {
            return Err(("missing_id", "id is empty".to_owned()));
        }
        let opened = self.time(record, Some(columns.opened), "opened")?;
        let opened = opened.ok_or_else(|| ("wrong_time", "opened is empty".to_owned()))?;
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
    ) -> Result<Option<DateTime<Utc>>, (&'static str, String)> {
        let Some(column) = column else { return Ok(None) };
        let given = text(record, column, name)?;
        if given.is_empty() {
            return Ok(None);
        }
        let local = local_time(given).ok_or_else(|| {
            ("wrong_time", format!("{name} `{given}` is not a time as in 2011-07-01T08:30:00"))
        })?;
        Ok(Some(self.calendar.instant(local)))
    }
}

/// The incident of a recorded row: the same for the same id, in every run.
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

fn text<'a>(record: &'a ByteRecord, column: usize, name: &str) -> Result<&'a str, (&'static str, String)> {
    let bytes = record.get(column).unwrap_or_default();
    let text =
        std::str::from_utf8(bytes).map_err(|_| ("invalid_utf8", format!("{name} is not valid UTF-8")))?;
    Ok(text.trim())
}

fn degrees(record: &ByteRecord, column: usize, name: &'static str) -> Result<f64, (&'static str, String)> {
    let given = text(record, column, name)?;
    if given.is_empty() {
        return Err(("no_place", format!("{name} is empty")));
    }
    given.parse().map_err(|_| ("wrong_place", format!("{name} `{given}` is not a number of degrees")))
}

impl Columns {
    fn find(header: &ByteRecord, file: &Path) -> anyhow::Result<Self> {
        let at = |name: &str| {
            let is = |field: &[u8]| field.strip_prefix(b"\xef\xbb\xbf").unwrap_or(field) == name.as_bytes();
            header.iter().position(is)
        };
        let needed = |name: &str| at(name).with_context(|| missing(name, file));
        if header.is_empty() {
            bail!("{} is empty", file.display());
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
         {0}：表头缺少 {name} 列",
        file.display()
    )
}

/// The file's content in short, so that a later run knows that it goes on with the same.
///
/// # Errors
/// When it cannot be read.
pub fn digest(file: &PathBuf) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    let mut raw = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    std::io::copy(&mut raw, &mut hasher).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
