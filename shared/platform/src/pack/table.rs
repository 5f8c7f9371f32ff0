//! The CSV files of a pack: a header with known columns, rows of text, each with its line.

use csv::{ReaderBuilder, StringRecord, Trim};
use domain::text::Text;

use super::fault::Fault;
use super::files::Source;
use super::lengths::{LONGEST_NAME, column_within};

/// One row: its fields in the order in which the columns were asked for, without space around them.
pub(super) struct Row<const N: usize> {
    pub line: usize,
    pub fields: [String; N],
}

/// The rows without a fault of their own, in the order of the file.
pub(super) struct Table<const N: usize> {
    pub rows: Vec<Row<N>>,
    /// Whether those are all: a line that cannot be read may have held anything.
    pub whole: bool,
}

/// Reads a table, in whatever order its columns stand.
pub(super) fn read<const N: usize>(source: &Source, columns: [&str; N], faults: &mut Vec<Fault>) -> Table<N> {
    let known = faults.len();
    let rows = rows(source, columns, faults).unwrap_or_else(|reasons| {
        faults.extend(reasons);
        Vec::new()
    });
    Table { rows, whole: faults.len() == known }
}

fn rows<const N: usize>(
    source: &Source,
    columns: [&str; N],
    faults: &mut Vec<Fault>,
) -> Result<Vec<Row<N>>, Vec<Fault>> {
    let at = |line, reason| Fault::at_line(&source.name, line, reason);
    let mut records = records(source, faults).into_iter();
    let Some((header_line, header)) = records.next() else {
        return Err(vec![at(1, no_header(&columns))]);
    };
    let order = column_order(&header, columns)
        .map_err(|reasons| reasons.into_iter().map(|reason| at(header_line, reason)).collect::<Vec<_>>())?;
    let mut rows = Vec::new();
    for (line, record) in records {
        match check_record(&record, N) {
            Ok(()) => rows.push(Row { line, fields: order.map(|column| record[column].to_owned()) }),
            Err(reason) => faults.push(at(line, reason)),
        }
    }
    Ok(rows)
}

/// Every record that is not blank, with its line.
fn records(source: &Source, faults: &mut Vec<Fault>) -> Vec<(usize, StringRecord)> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(source.text.as_bytes());
    let mut lines = Lines { text: source.text.as_bytes(), at: 0, line: 1 };
    let mut found = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let start = record.position().map_or(0, csv::Position::byte);
                let line = lines.of(usize::try_from(start).unwrap_or(usize::MAX));
                if record.iter().any(|field| !field.is_empty()) {
                    found.push((line, record));
                }
            }
            Err(error) => faults.push(Fault::of_file(
                &source.name,
                Text::new(format!("不是 CSV：{error}"), format!("this is not CSV: {error}")),
            )),
        }
    }
    found
}

/// Counts lines by the text itself: the reader's own count is of where it began to look for a record,
/// before the blank lines and the second half of a CRLF that it then skips.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, start: usize) -> usize {
        let begins = |at: usize| self.text.get(at).is_none_or(|byte| !matches!(byte, b'\r' | b'\n'));
        let start = (start..=self.text.len()).find(|at| begins(*at)).unwrap_or(self.text.len());
        let passed = self.text.get(self.at..start).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.at = start.max(self.at);
        self.line
    }
}

fn no_header(columns: &[&str]) -> Text {
    let columns = columns.join(",");
    Text::new(
        format!("文件是空的；第一行应为表头 {columns}"),
        format!("the file is empty: its first line must be the header {columns}"),
    )
}

/// Where each wanted column stands in the header, or what is wrong with the header.
fn column_order<const N: usize>(header: &StringRecord, columns: [&str; N]) -> Result<[usize; N], Vec<Text>> {
    let places = columns.map(|column| header.iter().position(|name| name == column));
    let missing = columns.iter().zip(&places).filter(|(_, place)| place.is_none());
    let mut reasons: Vec<Text> = missing.map(|(column, _)| missing_column(column)).collect();
    for (n, name) in header.iter().enumerate() {
        if !columns.contains(&name) {
            reasons.push(unknown_column(name, &columns));
        } else if header.iter().take(n).any(|earlier| earlier == name) {
            reasons.push(column_twice(name));
        }
    }
    if reasons.is_empty() {
        Ok(places.map(|place| place.expect("no column is missing")))
    } else {
        Err(reasons)
    }
}

fn missing_column(column: &str) -> Text {
    Text::new(format!("缺少列 {column}"), format!("the column `{column}` is missing"))
}

fn unknown_column(name: &str, columns: &[&str]) -> Text {
    let known = columns.join(",");
    Text::new(
        format!("列“{name}”不认识；表头应为 {known}"),
        format!("the column `{name}` is not known: the header must be {known}"),
    )
}

fn column_twice(name: &str) -> Text {
    Text::new(format!("列 {name} 出现两次"), format!("the column `{name}` stands twice"))
}

fn check_record(record: &StringRecord, columns: usize) -> Result<(), Text> {
    // Checked first: a mark that is never closed also swallows the columns behind it.
    if record.iter().any(|field| field.contains(['\n', '\r'])) {
        return Err(Text::new(
            "有一个字段跨了多行；可能是引号没有成对",
            "a field runs over several lines: a quotation mark is probably not closed",
        ));
    }
    let fields = record.len();
    if fields == columns {
        return Ok(());
    }
    Err(Text::new(
        format!("本行有 {fields} 个字段，表头有 {columns} 个；含逗号的字段请加引号"),
        format!(
            "this line has {fields} fields, the header {columns}: put a field with a comma in quotation marks"
        ),
    ))
}

/// The name in both languages, or a fault for each that is missing or too long.
pub(super) fn name(file: &str, line: usize, zh: &str, en: &str, faults: &mut Vec<Fault>) -> Option<Text> {
    for (column, text) in [("name_zh", zh), ("name_en", en)] {
        if text.is_empty() {
            let reason = Text::new(format!("{column} 是空的"), format!("{column} is empty"));
            faults.push(Fault::at_line(file, line, reason));
        } else if let Err(reason) = column_within(LONGEST_NAME, column, text) {
            faults.push(Fault::at_line(file, line, reason));
        }
    }
    if zh.is_empty() || en.is_empty() { None } else { Some(Text::new(zh, en)) }
}
