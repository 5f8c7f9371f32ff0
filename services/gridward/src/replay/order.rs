//! Gives the rows of a file in the order they were opened.
//!
//! What happens later must not be settled before what happens earlier, or a case could climb before its
//! recorded closing is read. Published files are mostly in order, and are then read as they are. Any
//! other is copied, unpacked, into a nameless file in the data folder, and read from there by an index of
//! 24 bytes a row; so a file of any size is put in order in little memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use csv::{ByteRecord, Position};

use super::refused::{Refusals, Refused};
use super::rows::{Form, Row, Rows};

/// The rows of a file, in the order they were opened once they are [`Source::in_order`].
pub struct Source {
    rows: Rows,
    sorted: Option<Sorted>,
}

/// When a row was opened, in microseconds, where the copy has it, and which line of the file it was.
type Place = (i64, u64, u64);

struct Sorted {
    copy: csv::Reader<File>,
    record: ByteRecord,
    places: std::vec::IntoIter<Place>,
    rows: usize,
    refused: Refusals,
    trouble: Option<String>,
}

impl From<Rows> for Source {
    /// As the file has them.
    fn from(rows: Rows) -> Self {
        Self { rows, sorted: None }
    }
}

/// The line of the first row that was opened before one above it. Reads the file up to there.
pub fn first_out_of_order(mut rows: Rows) -> Option<u64> {
    let mut latest = None;
    while let Some(row) = rows.next_row() {
        let Ok(row) = row else { continue };
        if latest.is_some_and(|latest| row.opened < latest) {
            return Some(row.line);
        }
        latest = Some(row.opened);
    }
    None
}

impl Source {
    /// Puts `rows`, of which none has been read, in order by way of a file in `folder`.
    ///
    /// # Errors
    /// When that file cannot be written.
    pub fn in_order(mut rows: Rows, folder: &Path) -> anyhow::Result<Self> {
        let sorted = Sorted::of(&mut rows, folder).with_context(|| {
            format!(
                "cannot put the rows in order in {0}: is there room for the unpacked file? / \
                 无法在 {0} 中将各行按时间排序，请检查磁盘空间是否足够",
                folder.display()
            )
        })?;
        Ok(Self { rows, sorted: Some(sorted) })
    }

    /// The next row, or why it is refused; `None` at the end.
    pub fn next_row(&mut self) -> Option<Result<Row, Refused>> {
        match &mut self.sorted {
            Some(sorted) => sorted.next_row(self.rows.form()),
            None => self.rows.next_row(),
        }
    }

    /// The rows that were refused while the others were put in order.
    pub fn take_refused(&mut self) -> Refusals {
        self.sorted.as_mut().map(|sorted| std::mem::take(&mut sorted.refused)).unwrap_or_default()
    }

    /// Bytes of the file read so far, as far as progress goes.
    pub fn read_bytes(&self) -> u64 {
        let read = self.rows.read_bytes();
        let Some(sorted) = &self.sorted else { return read };
        let left = sorted.places.len() as u64;
        read - read * left / (sorted.rows as u64).max(1)
    }

    /// Why reading ended before the end of the file, if it did.
    pub fn broken_off(&self) -> Option<&str> {
        let trouble = self.sorted.as_ref().and_then(|sorted| sorted.trouble.as_deref());
        trouble.or(self.rows.broken_off())
    }
}

impl Sorted {
    fn of(rows: &mut Rows, folder: &Path) -> anyhow::Result<Self> {
        let mut copy = BufWriter::new(nameless(folder)?);
        let mut places: Vec<Place> = Vec::new();
        let mut refused = Refusals::default();
        let mut at = 0;
        while let Some(row) = rows.next_row() {
            match row {
                Err(row) => refused.add(row),
                Ok(row) => {
                    let raw = rows.records().raw();
                    // Where reading begins, a mark of the byte order is dropped; within the file it belongs to the row. An
                    // empty line before it is skipped, and keeps it.
                    copy.write_all(b"\n")?;
                    copy.write_all(raw)?;
                    places.push((row.opened.timestamp_micros(), at, row.line));
                    at += 1 + raw.len() as u64;
                }
            }
        }
        let copy = copy.into_inner()?;
        // Those opened at the same time stay as the file has them.
        places.sort_unstable();
        let copy = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(copy);
        let rows = places.len();
        Ok(Self { copy, record: ByteRecord::new(), places: places.into_iter(), rows, refused, trouble: None })
    }

    fn next_row(&mut self, form: &Form) -> Option<Result<Row, Refused>> {
        let (_, at, line) = self.places.next()?;
        match self.read(at) {
            Ok(()) => Some(form.row(&self.record, line)),
            Err(error) => {
                self.places = Vec::new().into_iter();
                self.trouble = Some(format!(
                    "the row of line {line} cannot be read back from the data folder: {error} / \
                     无法从数据目录读回第 {line} 行：{error}"
                ));
                None
            }
        }
    }

    fn read(&mut self, at: u64) -> csv::Result<()> {
        let mut position = Position::new();
        position.set_byte(at);
        self.copy.seek_raw(std::io::SeekFrom::Start(at), position)?;
        self.copy.read_byte_record(&mut self.record)?;
        Ok(())
    }
}

/// A file that is gone when it is closed, also by a kill.
fn nameless(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("replay-in-order.tmp");
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    // Where an open file cannot be removed it stays, and the next run begins it anew.
    let _ = std::fs::remove_file(&path);
    Ok(file)
}
