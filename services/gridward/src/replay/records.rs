//! Cuts a recorded file into rows, and survives quotes that are never closed.
//!
//! To CSV such a quote makes everything up to the next quote one field, be it the rest of the file. A row
//! of several lines is therefore looked at again: where one of its further lines is a whole row by itself,
//! or the quote never closes, the line the quote is on is refused and reading goes on with the next one.
//! Quoted text that only runs over several lines stays what it is.

use std::io::SeekFrom;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, anyhow};
use csv::{ByteRecord, Position};
use domain::text::Text;
use platform::pack::Encoding;

use super::encoding::{Decoded, judge};
use super::quotes::{Quote, is_break, next_line, quotes};
use super::refused::Refused;
use super::tail::Tail;
use super::unpack::{Unpacked, sample, unpack};

/// What reading on gave.
pub enum Got {
    Row,
    Refused(Refused),
    End,
}

/// The rows of a file, one at a time.
pub struct Records {
    csv: csv::Reader<Tail>,
    header: ByteRecord,
    record: ByteRecord,
    /// Where the row begins and ends: bytes of the unpacked file. Empty lines before it belong to it.
    begin: u64,
    end: u64,
    /// The line `begin` is on.
    first_line: u64,
    /// Bytes that were read more than once.
    again: u64,
    broken_off: Option<String>,
    read_bytes: Arc<AtomicU64>,
    encoding: Encoding,
}

/// A quote whose line is left out, and where the next line begins, if there is one.
struct Stray {
    quote: Quote,
    next_line: Option<usize>,
}

/// Quotes in ordinary files, however many are wrong, have each byte read twice or thrice. A file made of
/// them is given up before it takes hours.
const AGAIN_AT_LEAST: u64 = 64 << 20;
const AGAIN_TIMES: u64 = 8;

impl Records {
    /// # Errors
    /// When the file cannot be opened, is in another encoding than the pack says, or has no readable header.
    pub fn open(file: &Path, said: Option<Encoding>) -> anyhow::Result<Self> {
        let shown = file.display();
        let encoding = judge(said, &sample(file)?)
            .map_err(|fault| anyhow!("{shown} {} / {shown} {}", fault.en, fault.zh))?;
        let (unpacked, read_bytes) = unpack(file)?;
        let unpacked: Unpacked = match encoding {
            Encoding::Utf8 => unpacked,
            other => Box::new(Decoded::new(unpacked, other)),
        };
        let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(Tail::new(unpacked));
        let header = csv.byte_headers().with_context(|| {
            format!("cannot read the header of {0} / 无法读取 {0} 的表头", file.display())
        })?;
        let header = header.clone();
        Ok(Self {
            csv,
            header,
            record: ByteRecord::new(),
            begin: 0,
            end: 0,
            first_line: 1,
            again: 0,
            broken_off: None,
            read_bytes,
            encoding,
        })
    }

    /// The encoding it is read in.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub fn header(&self) -> &ByteRecord {
        &self.header
    }

    /// The row that was read last.
    pub fn record(&self) -> &ByteRecord {
        &self.record
    }

    /// The line it begins on.
    pub fn line(&self) -> u64 {
        let empty = self.raw().iter().take_while(|byte| is_break(**byte)).count();
        self.line_at(empty)
    }

    /// Its bytes as they are in the file.
    pub fn raw(&self) -> &[u8] {
        self.csv.get_ref().kept(self.begin, self.end)
    }

    /// Bytes of the file read so far.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }

    /// Why reading ended before the end of the file, if it did.
    pub fn broken_off(&self) -> Option<&str> {
        self.broken_off.as_deref()
    }

    /// Reads the next row. `whole` tells a line that is a row by itself from one within a quoted text.
    pub fn read(&mut self, whole: impl Fn(&ByteRecord) -> bool) -> Got {
        if self.broken_off.is_some() {
            return Got::End;
        }
        self.begin = self.csv.position().byte();
        self.first_line = self.csv.position().line();
        self.csv.get_mut().begin_row(self.begin);
        let read = self.csv.read_byte_record(&mut self.record);
        self.end = self.csv.position().byte();
        match read {
            Ok(false) => Got::End,
            Ok(true) => match self.stray(whole) {
                Some(stray) => self.leave_out(&stray),
                None => Got::Row,
            },
            Err(error) => self.stopped(&error, whole),
        }
    }

    /// The quote that made one row of several, if the row just read is not what it seems.
    fn stray(&self, whole: impl Fn(&ByteRecord) -> bool) -> Option<Stray> {
        let as_wide = self.record.len() == self.header.len();
        if as_wide && !self.record.as_slice().iter().any(|byte| is_break(*byte)) {
            return None;
        }
        let raw = self.raw();
        let quotes = quotes(raw);
        let quote = quotes.beyond_its_line?;
        let next_line = next_line(raw, quote.at);
        let swallowed = next_line.is_some_and(|next_line| self.holds_a_row(&raw[next_line..], whole));
        (quotes.open || swallowed).then_some(Stray { quote, next_line })
    }

    fn holds_a_row(&self, lines: &[u8], whole: impl Fn(&ByteRecord) -> bool) -> bool {
        let mut csv = csv::ReaderBuilder::new();
        csv.has_headers(false).flexible(true);
        let mut record = ByteRecord::new();
        lines.split(|byte| is_break(*byte)).any(|line| {
            let wide_enough = line.iter().filter(|byte| **byte == b',').count() + 1 >= self.header.len();
            wide_enough
                && csv.from_reader(line).read_byte_record(&mut record).unwrap_or(false)
                && whole(&record)
        })
    }

    fn leave_out(&mut self, stray: &Stray) -> Got {
        let name = self.header.get(stray.quote.column).map(|name| String::from_utf8_lossy(name).into_owned());
        let name = name.unwrap_or_else(|| (stray.quote.column + 1).to_string());
        let text = Text::new(
            format!(
                "{name} 列开头的引号在本行没有闭合，后面的行会被当作它的内容；请删去该引号或在本行内补上另一半。\
                 本行未读取，后面的行照常读取"
            ),
            format!(
                "the quote that begins column {name} is not closed on its line and would take the rows after it \
                 for its text: take it out, or close it on the line; this line was left out, the rows after it \
                 are read"
            ),
        );
        let line = self.line_at(stray.quote.at);
        if let Some(next_line) = stray.next_line {
            self.go_back(next_line);
        }
        Got::Refused(Refused { line, reason: "unclosed_quote", text })
    }

    /// Goes on reading at a place within the row just read.
    fn go_back(&mut self, at: usize) {
        let line = self.line_at(at);
        let byte = self.begin + at as u64;
        self.again += self.end.saturating_sub(byte);
        if self.again > AGAIN_AT_LEAST.max(AGAIN_TIMES * self.end) {
            self.break_off(
                line.saturating_sub(1),
                "too many quotes are never closed: write the file anew with its quotes doubled",
                "未闭合的引号过多，请重新导出该文件并将文中的引号写成两个",
            );
            return;
        }
        let mut position = Position::new();
        position.set_byte(byte).set_line(line);
        // Also where the reader is already: it believes to be at the end.
        if let Err(error) = self.csv.seek_raw(SeekFrom::Start(byte), position) {
            self.break_off(line.saturating_sub(1), &error.to_string(), "无法继续读取");
        }
    }

    /// Reading stopped within a row: because the file breaks off, or because the row has no end in sight.
    fn stopped(&mut self, error: &csv::Error, whole: impl Fn(&ByteRecord) -> bool) -> Got {
        let too_long = self.csv.get_ref().is_too_long();
        let raw = self.raw();
        if let Some(quote) = quotes(raw).beyond_its_line
            && let Some(next_line) = next_line(raw, quote.at)
            && (too_long || self.holds_a_row(&raw[next_line..], whole))
        {
            return self.leave_out(&Stray { quote, next_line: Some(next_line) });
        }
        let last_line = self.line().saturating_sub(1);
        if too_long {
            self.break_off(
                last_line,
                "the next line has no end within 1 MB, so this is no table: see what lies there",
                "下一行超过 1 MB 仍未结束，不是表格，请检查该处内容",
            );
        } else {
            let said = format!("{error}; get the file anew");
            self.break_off(last_line, &said, "请重新获取该文件");
        }
        Got::End
    }

    fn break_off(&mut self, after_line: u64, en: &str, zh: &str) {
        let text = Text::new(
            format!("文件在第 {after_line} 行之后中断，之前的各行已读取；{zh}"),
            format!("the file breaks off after line {after_line}: {en}; the rows before it were read"),
        );
        self.broken_off = Some(text.to_string());
    }

    /// The line a byte of the row is on.
    fn line_at(&self, at: usize) -> u64 {
        let before = self.raw().iter().take(at).filter(|byte| **byte == b'\n').count();
        self.first_line + before as u64
    }
}
