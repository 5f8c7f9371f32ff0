//! The `boundaries` of `pack.json`: files of polygons, each with its level, datum and time in force.
//! What is inside them is checked by route, which knows geometry.

use chrono::NaiveDate;
use domain::area::Level;
use domain::place::Datum;
use domain::text::Text;

use super::areas::{AreaBook, no_area_at};
use super::fault::Fault;
use super::files::Files;
use super::main_file::{BoundaryEntry, MainFile, date, datum, filled, level, pad};

/// A file of boundaries, read but not yet understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundaryFile {
    /// As `pack.json` names it.
    pub name: String,
    /// Where it is declared: `pack.json:13:5: boundaries[0]`.
    pub stands_at: String,
    /// The GeoJSON text.
    pub text: String,
    /// What its polygons are boundaries of.
    pub level: Level,
    /// The property that holds the area's code.
    pub key: String,
    /// Digits to fill that property up to with zeros: files keep `101` for area `0101`.
    pub pad: Option<usize>,
    pub datum: Datum,
    /// The first day in force.
    pub valid_from: NaiveDate,
    /// The first day no longer in force.
    pub valid_to: Option<NaiveDate>,
    /// 专属网格: wins over ordinary ones.
    pub exclusive: bool,
}

pub(super) fn read(
    main: &MainFile,
    files: &mut Files,
    areas: &AreaBook,
    faults: &mut Vec<Fault>,
) -> Vec<BoundaryFile> {
    let entries = main.file.boundaries.iter().enumerate();
    entries.filter_map(|(n, entry)| boundary(main, n, entry, files, areas, faults)).collect()
}

fn boundary(
    main: &MainFile,
    n: usize,
    entry: &BoundaryEntry,
    files: &mut Files,
    areas: &AreaBook,
    faults: &mut Vec<Fault>,
) -> Option<BoundaryFile> {
    let at = |field: &str| format!("boundaries/{n}/{field}");
    main.check(&at("key"), filled(&entry.key), faults);
    main.check(&at("pad"), pad(entry.pad), faults);
    main.check(&at("file"), new_file(&entry.file, &main.file.boundaries[..n]), faults);
    let level = main.keep(&at("level"), level_in_use(&entry.level, areas), faults);
    let of = Text::new(format!("边界文件 {}", entry.file), format!("the boundary file {}", entry.file));
    let datum = main.keep(&at("datum"), datum(entry.datum.as_deref(), of), faults);
    let valid_from = main.keep(&at("valid_from"), date(&entry.valid_from), faults);
    let valid_to = entry.valid_to.as_deref().map(|text| ends(text, valid_from)).transpose();
    let valid_to = main.keep(&at("valid_to"), valid_to, faults);
    let read = files.text(&entry.file, |reason| main.fault(&at("file"), reason));
    let source = read.map_err(|fault| faults.push(fault)).ok()?;
    Some(BoundaryFile {
        name: source.name,
        stands_at: main.place(&format!("boundaries/{n}")),
        text: source.text,
        level: level?,
        key: entry.key.clone(),
        pad: entry.pad,
        datum: datum?,
        valid_from: valid_from?,
        valid_to: valid_to?,
        exclusive: entry.exclusive,
    })
}

fn new_file(file: &str, earlier: &[BoundaryEntry]) -> Result<(), Text> {
    if earlier.iter().any(|entry| entry.file == file) {
        return Err(Text::new(format!("文件 {file} 出现两次"), format!("the file {file} is listed twice")));
    }
    Ok(())
}

pub(super) fn level_in_use(text: &str, areas: &AreaBook) -> Result<Level, Text> {
    let level = level(text)?;
    if areas.has_level(level) { Ok(level) } else { Err(no_area_at(level)) }
}

fn ends(text: &str, from: Option<NaiveDate>) -> Result<NaiveDate, Text> {
    let to = date(text)?;
    match from {
        Some(from) if to <= from => Err(Text::new(
            format!("{to} 不晚于生效日 {from}"),
            format!("{to} is not after {from}, the day it comes into force"),
        )),
        _ => Ok(to),
    }
}
